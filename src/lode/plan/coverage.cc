#include "lode/plan/coverage.h"

#include <algorithm>
#include <set>

namespace lode::plan {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;

void RunFinder::Add(const ledger::CellView& cell) {
  if (!is_one_(cell.state)) {
    is_open_ = false;
    return;
  }
  const bool continues = is_open_ && runs_.back().state == cell.state && runs_.back().symbol == cell.symbol &&
                         runs_.back().reason == cell.reason;
  if (!continues) {
    runs_.push_back({std::string(cell.symbol), cell.day, cell.day, 0, cell.state, std::string(cell.reason)});
  }
  runs_.back().last = cell.day;
  ++runs_.back().days;
  is_open_ = true;
}

bool IsSettledWithoutData(CellState state) {
  return ledger::IsSettled(state) && state != CellState::kComplete && state != CellState::kEmpty;
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

}  // namespace lode::plan
