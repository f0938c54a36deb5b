// The run log: .lode/logs/<UTC time>-<command>.log, made when a run first changes something, so that a run without work
// leaves no trace.
#pragma once

#include <string>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::cli {

class RunLog {
 public:
  RunLog(lake::LakePaths paths, std::string command) : paths_(std::move(paths)), command_(std::move(command)) {}

  // Logs a line; lines from before Start reach the file too.
  void Note(const std::string& line);
  // Attaches the file. Later calls do nothing.
  void Start();

 private:
  lake::LakePaths paths_;
  std::string command_;
  std::vector<std::string> held_;
  bool started_ = false;
};

}  // namespace lode::cli
