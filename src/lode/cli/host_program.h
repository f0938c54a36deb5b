// Running another program of the host and taking what it says: systemctl, crontab, notify commands. No shell.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::cli {

struct ProgramEnd {
  int code = 0;        // exit code; 128 + signal
  std::string output;  // stdout, at most kMostOutput bytes
  std::string errors;  // stderr, likewise
};

inline constexpr size_t kMostOutput = size_t{16} << 20;

// Runs words[0], found in PATH, with `input` on its stdin; SIGPIPE must be ignored (InstallStopHandlers). kNotFound
// when there is no such program; kPartial after `timeout`, then it and what it started are killed; kStorage when it
// says more than kMostOutput.
Result<ProgramEnd> RunProgram(const std::vector<std::string>& words, std::string_view input,
                              std::chrono::milliseconds timeout);

}  // namespace lode::cli
