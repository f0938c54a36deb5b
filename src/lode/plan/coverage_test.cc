#include "lode/plan/coverage.h"

#include <gtest/gtest.h>

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;

CellRow Row(const char* symbol, const char* day, CellState state, const char* reason = "") {
  Cell cell;
  cell.symbol = symbol;
  cell.day = ParseDay(day).value();
  cell.state = state;
  cell.reason = reason;
  return {cell, 1};
}

TEST(Coverage, GapsEndAtSettledCellsOtherReasonsAndOtherSymbols) {
  const std::vector<CellRow> cells = {
      Row("A", "2024-01-01", CellState::kComplete),           Row("A", "2024-01-02", CellState::kMissing, "no file"),
      Row("A", "2024-01-05", CellState::kMissing, "no file"), Row("A", "2024-01-08", CellState::kEmpty),
      Row("A", "2024-01-09", CellState::kMissing, "no file"), Row("A", "2024-01-10", CellState::kPending, "vendor"),
      Row("B", "2024-01-10", CellState::kPending, "vendor")};
  RunFinder finder(IsOpen);
  for (const CellRow& cell : cells) finder.Add(ledger::ViewOf(cell));
  const std::vector<Gap> gaps = finder.Take();
  ASSERT_EQ(gaps.size(), 4u);
  EXPECT_EQ(FormatDay(gaps[0].first) + FormatDay(gaps[0].last), "2024-01-022024-01-05");
  EXPECT_EQ(gaps[0].days, 2);
  EXPECT_EQ(gaps[2].state, CellState::kPending);
  EXPECT_EQ(gaps[3].symbol, "B");
}

TEST(Coverage, CountsStatesAndRanges) {
  const std::vector<CellRow> cells = {Row("A", "2024-01-01", CellState::kEmpty),
                                      Row("A", "2024-01-02", CellState::kComplete),
                                      Row("B", "2024-01-03", CellState::kMissing)};
  CoverageSum sum;
  for (const CellRow& row : cells) sum.Add(ledger::ViewOf(row));
  const Coverage& coverage = sum.value();
  EXPECT_EQ(coverage.total, 3);
  EXPECT_EQ(coverage.settled, 2);
  EXPECT_EQ(coverage.symbols, 2);
  EXPECT_EQ(FormatDay(*coverage.first), "2024-01-01");
  EXPECT_EQ(FormatDay(*coverage.last_data), "2024-01-02");
}

}  // namespace
}  // namespace lode::plan
