#include "lode/plan/coverage.h"

#include <algorithm>
#include <set>

namespace lode::plan {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;

namespace {

std::vector<Gap> FindRuns(std::span<const CellRow> cells, bool (*is_one)(CellState)) {
  std::vector<Gap> gaps;
  const Cell* previous = nullptr;
  for (const CellRow& row : cells) {
    const Cell& cell = row.cell;
    if (is_one(cell.state)) {
      const bool continues = previous != nullptr && previous->symbol == cell.symbol && previous->state == cell.state &&
                             previous->reason == cell.reason;
      if (!continues) gaps.push_back({cell.symbol, cell.day, cell.day, 0, cell.state, cell.reason});
      gaps.back().last = cell.day;
      ++gaps.back().days;
    }
    previous = &cell;
  }
  return gaps;
}

}  // namespace

std::vector<Gap> FindGaps(std::span<const CellRow> cells) {
  return FindRuns(cells, [](CellState state) { return !ledger::IsSettled(state); });
}

std::vector<Gap> FindSettledWithoutData(std::span<const CellRow> cells) {
  return FindRuns(cells, [](CellState state) {
    return ledger::IsSettled(state) && state != CellState::kComplete && state != CellState::kEmpty;
  });
}

Coverage Summarise(std::span<const CellRow> cells) {
  Coverage coverage;
  std::set<std::string_view> symbols;
  const auto widen = [](std::optional<Day>& first, std::optional<Day>& last, Day day) {
    first = first ? std::min(*first, day) : day;
    last = last ? std::max(*last, day) : day;
  };
  for (const CellRow& row : cells) {
    const Cell& cell = row.cell;
    ++coverage.cells[cell.state];
    ++coverage.total;
    coverage.settled += ledger::IsSettled(cell.state);
    coverage.degraded += cell.degraded;
    symbols.insert(cell.symbol);
    widen(coverage.first, coverage.last, cell.day);
    if (cell.state == CellState::kComplete || cell.state == CellState::kPartial) {
      widen(coverage.first_data, coverage.last_data, cell.day);
    }
  }
  coverage.symbols = static_cast<int64_t>(symbols.size());
  return coverage;
}

void MarkLost(std::vector<CellRow>& cells, const std::function<bool(const ledger::Cell&)>& is_lost) {
  for (CellRow& row : cells) {
    if (!ledger::HoldsRows(row.cell.state) || !is_lost(row.cell)) continue;
    row.cell.state = CellState::kMissing;
    row.cell.reason = kLostReason;
    row.cell.proof.clear();
  }
}

}  // namespace lode::plan
