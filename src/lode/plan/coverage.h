// What is there, what is missing: cells into gaps and counts. Pure functions; the ledger and the disk stay outside.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"
#include "lode/ledger/ledger.h"

namespace lode::plan {

// A run of cells of one symbol that are work, not interrupted by a settled cell, with one state and reason.
struct Gap {
  std::string symbol;
  Day first, last;   // inclusive
  int64_t days = 0;  // cells in the run: days that should exist, not calendar days
  ledger::CellState state = ledger::CellState::kMissing;
  std::string reason;
  bool operator==(const Gap&) const = default;
};

// Collects runs of cells that are `is_one`, from cells sorted by symbol and day as Ledger::ReadCells gives them; the
// result is sorted the same way.
class RunFinder {
 public:
  explicit RunFinder(bool (*is_one)(ledger::CellState)) : is_one_(is_one) {}
  void Add(const ledger::CellView& cell);
  std::vector<Gap> Take() { return std::move(runs_); }

 private:
  bool (*is_one_)(ledger::CellState);
  bool is_open_ = false;  // the last cell belongs to the last run
  std::vector<Gap> runs_;
};

// What a gap is made of: a cell that is not settled.
inline bool IsOpen(ledger::CellState state) { return !ledger::IsSettled(state); }
// A cell that is settled and has no data: not_entitled, not_listed, expired, closed.
bool IsSettledWithoutData(ledger::CellState state);

struct Coverage {
  std::map<ledger::CellState, int64_t> cells;  // count a state
  int64_t total = 0, settled = 0;
  int64_t symbols = 0;
  std::optional<Day> first, last;            // of all cells
  std::optional<Day> first_data, last_data;  // of complete and partial cells
  int64_t degraded = 0;
};

// Adds cells up; those of a symbol follow each other, as Ledger::ReadCells gives them.
class CoverageSum {
 public:
  void Add(const ledger::CellView& cell);
  const Coverage& value() const { return coverage_; }

 private:
  Coverage coverage_;
  std::string last_symbol_;
};

// The reason of a cell whose partition file is gone: it is missing, and the ledger does not know.
inline constexpr std::string_view kLostReason = "its partition file was deleted or changed; import or sync again";

}  // namespace lode::plan
