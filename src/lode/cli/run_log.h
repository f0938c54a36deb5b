// The run log: .lode/logs/<UTC time>-<command>.log, made when a run first changes something, so that a run without work
// leaves no trace. Logs older than 90 days, and all but the newest thousand, go when a run makes its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::cli {

// Names of the run logs in a folder, oldest first; none where there is no folder.
std::vector<std::string> LogNames(const std::filesystem::path& folder);
// When a log of this name was made; nullopt for names of other files.
std::optional<int64_t> LogTime(std::string_view name);
// Removes logs that are too old or too many at `now_ns`; what is no run log stays. As far as possible.
void PruneLogs(const std::filesystem::path& folder, int64_t now_ns);

class RunLog {
 public:
  RunLog(lake::LakePaths paths, std::string command) : paths_(std::move(paths)), command_(std::move(command)) {}

  // A line for the run's reader and for the file; lines from before Start reach the file too.
  void Note(const std::string& line);
  // A line for the file alone.
  void Record(const std::string& line);
  // Makes the file. Later calls do nothing.
  void Start();

 private:
  lake::LakePaths paths_;
  std::string command_;
  std::vector<std::string> held_;
  std::filesystem::path file_;
  bool started_ = false;
};

}  // namespace lode::cli
