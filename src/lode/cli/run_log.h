// The run log: .lode/logs/<UTC time>-<command>.log, made when a run first changes something, so that a run without work
// leaves no trace.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::cli {

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
