// Where schedules are installed: a folder of systemd units, or the user's crontab.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lode/cli/schedule_text.h"

namespace lode::cli {

struct PlaceOptions {
  bool system = false, cron = false;
  std::string unit_dir;  // units go there, and systemctl is not told
};

// A run as it is installed.
struct InstalledRun {
  ScheduleMark mark;
  std::string where;  // path of the timer, or "crontab"
};

class SchedulePlace {
 public:
  // kUsage: options that exclude each other, no home folder; with `cron`, a host whose clock is not UTC.
  static Result<std::unique_ptr<SchedulePlace>> Open(const PlaceOptions& options);
  virtual ~SchedulePlace() = default;

  virtual bool is_system() const { return false; }
  // Of any lake.
  virtual Result<std::vector<InstalledRun>> Installed() = 0;
  // Whether the run is installed exactly so.
  virtual Result<bool> IsCurrent(const ScheduledRun& run) = 0;
  // Writes what differs; nothing when nothing does. kConfig, before anything is written, for a file in the way that
  // lode did not write. Text: what the user has to do himself, as a rule nothing.
  virtual Result<std::string> Install(const std::vector<ScheduledRun>& runs) = 0;
  virtual Result<std::string> Remove(const std::vector<ScheduleMark>& marks) = 0;
};

}  // namespace lode::cli
