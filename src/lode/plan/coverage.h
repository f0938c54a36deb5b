// What is there, what is missing: cells into gaps and counts. Pure functions; the ledger and the disk stay outside.
#pragma once

#include <cstdint>
#include <functional>
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

// `cells` sorted by symbol and day, as Ledger::Cells returns them; the result is sorted the same way.
std::vector<Gap> FindGaps(std::span<const ledger::CellRow> cells);

// Runs of cells that are settled and have no data: not_entitled, not_listed, expired, closed. Sorted as FindGaps.
std::vector<Gap> FindSettledWithoutData(std::span<const ledger::CellRow> cells);

struct Coverage {
  std::map<ledger::CellState, int64_t> cells;  // count a state
  int64_t total = 0, settled = 0;
  int64_t symbols = 0;
  std::optional<Day> first, last;            // of all cells
  std::optional<Day> first_data, last_data;  // of complete and partial cells
  int64_t degraded = 0;
};

Coverage Summarise(std::span<const ledger::CellRow> cells);

// The reason MarkLost gives.
inline constexpr std::string_view kLostReason = "its partition file was deleted or changed; import or sync again";

// Cells whose partition file is gone become `missing`; only cells that hold rows (complete, partial, stale) can lose
// them.
void MarkLost(std::vector<ledger::CellRow>& cells, const std::function<bool(const ledger::Cell&)>& is_lost);

}  // namespace lode::plan
