// What a schedule is made of, as text: systemd units (systemd.service(5), systemd.timer(5)) and crontab lines
// (crontab(5)). Pure: nothing here looks at the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/recurrence.h"

namespace lode::cli {

// One pipeline of one lake, and how it is to be run.
struct ScheduledRun {
  std::string pipeline;
  Recurrence at;
  std::string lake;                // absolute; no control characters
  std::vector<std::string> words;  // the program's absolute path and its arguments; no control characters
  std::string user;                // of a system service; empty: as the manager decides
};

struct UnitFile {
  std::string name, text;
};

// Whose a unit file or crontab line is. Nothing without one is ever overwritten or removed.
struct ScheduleMark {
  std::string pipeline, lake;
  bool operator==(const ScheduleMark&) const = default;
};

// "lode-daily-1a2b3c4d": of two lakes the hash differs.
std::string UnitName(const ScheduledRun& run);
// The service, then the timer. Each begins with its mark.
std::vector<UnitFile> UnitsOf(const ScheduledRun& run);
std::optional<ScheduleMark> MarkOfUnit(std::string_view text);

// Without a line end. The mark is a comment at its end.
std::string CronLine(const ScheduledRun& run);
std::optional<ScheduleMark> MarkOfCronLine(std::string_view line);
// The lines of a crontab, each with its line end: joined they are the text, byte for byte.
std::vector<std::string_view> CronLines(std::string_view crontab);
// `crontab` with the line of each run: in the place of the one it had, else at the end. Other lines are not touched.
std::string WithCronLines(std::string_view crontab, const std::vector<ScheduledRun>& runs);
// `crontab` without the lines of these marks.
std::string WithoutCronLines(std::string_view crontab, const std::vector<ScheduleMark>& marks);
// The first line that moves the clock of what follows it: "CRON_TZ=America/New_York". Empty: none.
std::string CronZoneLine(std::string_view crontab);

}  // namespace lode::cli
