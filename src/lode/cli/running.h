// Runs that are under way in other processes: who writes a dataset, since when, and how far it is. For people only: it
// is of this instant and this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lode/lake/lake.h"

namespace lode::cli {

struct RunningUnit {
  int process = 0;
  std::string command;                // "lode sync futures_1d"; empty: not told
  std::optional<int64_t> started_ns;  // of the process
  // As its run log tells: requests of this dataset done and planned, when they began, when the last was done.
  int64_t requests_done = 0, requests = 0;
  int64_t began_ns = 0, last_ns = 0;
};

// Who holds the lock of a dataset, nullopt: nobody here. Reads /proc and the run logs.
std::optional<RunningUnit> FindRunning(const lake::LakePaths& paths, std::string_view dataset);

// Reads one line of a run log into `unit`, if it is about the progress of `dataset`.
void TakeLogLine(std::string_view line, std::string_view dataset, RunningUnit* unit);

// Seconds that the rest takes at the pace so far; nullopt before the first request is done.
std::optional<int64_t> SecondsLeft(const RunningUnit& unit);

// "process 812 (lode sync nq) since 04:12:03, 3 of 12 requests done, about 5 min left".
std::string Shown(const RunningUnit& unit);

}  // namespace lode::cli
