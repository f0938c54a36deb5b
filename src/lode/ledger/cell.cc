#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "lode/ledger/ledger.h"
#include "lode/ledger/receipt.h"

namespace lode::ledger {

namespace {

constexpr std::array<std::pair<CellState, std::string_view>, 11> kNames{{
    {CellState::kComplete, "complete"},
    {CellState::kEmpty, "empty"},
    {CellState::kClosed, "closed"},
    {CellState::kNotListed, "not_listed"},
    {CellState::kNotEntitled, "not_entitled"},
    {CellState::kPending, "pending"},
    {CellState::kPartial, "partial"},
    {CellState::kMissing, "missing"},
    {CellState::kFailed, "failed"},
    {CellState::kStale, "stale"},
    {CellState::kExpired, "expired"},
}};

constexpr std::string_view kObject = "object ";

}  // namespace

std::string_view Name(CellState state) {
  for (const auto& [value, name] : kNames) {
    if (value == state) return name;
  }
  return "missing";
}

Result<CellState> ParseCellState(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return Fail(ErrorKind::kBadInput, "'{}' is not a cell state", name);
}

bool IsSettled(CellState state) {
  switch (state) {
    case CellState::kComplete:
    case CellState::kEmpty:
    case CellState::kClosed:
    case CellState::kNotListed:
    case CellState::kNotEntitled:
    case CellState::kExpired: return true;
    case CellState::kPending:
    case CellState::kPartial:
    case CellState::kMissing:
    case CellState::kFailed:
    case CellState::kStale: return false;
  }
  return false;
}

bool HoldsRows(CellState state) {
  return state == CellState::kComplete || state == CellState::kPartial || state == CellState::kStale;
}

std::string VersionProof(std::string_view version) { return std::string(kObject) + std::string(version); }

bool IsVersionProof(std::string_view proof) { return proof.starts_with(kObject); }

bool Replaces(const Cell& newer, const Cell& older) {
  const bool both_dated = newer.modified && older.modified;
  switch (newer.state) {
    case CellState::kComplete:
      // The higher vendor date wins, then the later receipt.
      return older.state != CellState::kComplete || !both_dated || *newer.modified >= *older.modified;
    case CellState::kPartial: return older.state != CellState::kComplete;
    case CellState::kStale:
    case CellState::kExpired: return true;  // said about the very cell that is there
    case CellState::kEmpty:
      // The rows stay in bronze unless the vendor dates the emptiness later than them.
      return !HoldsRows(older.state) || (both_dated && *newer.modified > *older.modified);
    case CellState::kClosed:
    case CellState::kNotListed: return !HoldsRows(older.state);
    case CellState::kNotEntitled:
    case CellState::kPending:
    case CellState::kMissing:
    case CellState::kFailed:
      // A calendar that called the day closed can have changed its mind.
      return older.state == CellState::kClosed || (!IsSettled(older.state) && !HoldsRows(older.state));
  }
  return true;
}

void SortCells(std::vector<Cell>* cells) {
  const auto before = [](const Cell& a, const Cell& b) {
    return std::tie(a.symbol, a.day) < std::tie(b.symbol, b.day);
  };
  if (!std::ranges::is_sorted(*cells, before)) std::ranges::stable_sort(*cells, before);
  size_t kept = 0;
  for (size_t i = 0; i < cells->size(); ++i) {
    Cell& cell = (*cells)[i];
    const bool repeated = kept > 0 && (*cells)[kept - 1].symbol == cell.symbol && (*cells)[kept - 1].day == cell.day;
    if (repeated && !Replaces(cell, (*cells)[kept - 1])) continue;
    if (!repeated) ++kept;
    if (kept - 1 != i) (*cells)[kept - 1] = std::move(cell);
  }
  cells->resize(kept);
}

}  // namespace lode::ledger
