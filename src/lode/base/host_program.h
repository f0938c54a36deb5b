// Running another program of the host and taking what it says: systemctl, crontab, notify commands, keys by `cmd:`.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode {

struct ProgramEnd {
  int code = 0;        // exit code; 128 + signal
  std::string output;  // stdout
  std::string errors;  // stderr; empty with show_errors
};

struct ProgramOptions {
  std::chrono::milliseconds timeout{30'000};
  std::string_view input = {};
  size_t most_output = size_t{16} << 20;  // of stdout, and of stderr
  bool show_errors = false;               // stderr is ours: it may ask somebody for a password
};

// Runs words[0], found in PATH, without a shell, in a process group of its own; SIGPIPE must be ignored
// (InstallStopHandlers) where there is input. kNotFound when there is no such program. After `timeout` (kPartial), when
// it says more than most_output (kStorage) and when lode is to stop (kInterrupted) it and what it started are killed.
Result<ProgramEnd> RunProgram(const std::vector<std::string>& words, const ProgramOptions& options);

}  // namespace lode
