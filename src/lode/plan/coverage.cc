#include "lode/plan/coverage.h"

#include <algorithm>

namespace lode::plan {

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

void CoverageSum::Add(const ledger::CellView& cell) {
  const auto widen = [&](std::optional<Day>& first, std::optional<Day>& last) {
    first = first ? std::min(*first, cell.day) : cell.day;
    last = last ? std::max(*last, cell.day) : cell.day;
  };
  if (coverage_.total == 0 || cell.symbol != last_symbol_) {
    ++coverage_.symbols;
    last_symbol_ = cell.symbol;
  }
  ++coverage_.cells[cell.state];
  ++coverage_.total;
  coverage_.settled += ledger::IsSettled(cell.state);
  coverage_.degraded += cell.degraded;
  widen(coverage_.first, coverage_.last);
  if (cell.state == CellState::kComplete || cell.state == CellState::kPartial) {
    widen(coverage_.first_data, coverage_.last_data);
  }
}

}  // namespace lode::plan
