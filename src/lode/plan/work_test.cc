#include "lode/plan/work.h"

#include <gtest/gtest.h>

#include "lode/plan/coverage.h"

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;
using State = VendorDay::State;

Day D(const char* text) { return ParseDay(text).value(); }

// 2024-01-01 to 2024-01-05, all available, last revised on 2024-02-01.
std::vector<VendorDay> Week() {
  std::vector<VendorDay> days;
  for (int i = 0; i < 5; ++i) days.push_back({D("2024-01-01") + i, State::kAvailable, D("2024-02-01")});
  return days;
}

CellRow Row(const char* symbol, const char* day, CellState state, std::optional<Day> modified = {}) {
  Cell cell;
  cell.symbol = symbol;
  cell.day = D(day);
  cell.state = state;
  cell.modified = modified;
  return {cell, 1};
}

Listing Listed(const char* symbol) { return {symbol, {}, {}, {}}; }

Work Plan(std::vector<VendorDay> days, const Listings& listings, std::vector<CellRow> present,
          const WorkOptions& options) {
  return FindWork(std::move(days), std::make_shared<const Listings>(listings), PresentCells::Of(present), options);
}

// "A 2024-01-01..2024-01-02 2024-01-05..2024-01-05; B …"
std::string Text(const Work& work) {
  std::string text;
  for (const SymbolWork& symbol : work.symbols) {
    text += (text.empty() ? "" : "; ") + std::string(work.NameOf(symbol));
    for (const DayRun run : work.RunsOf(symbol)) {
      text += " " + FormatDay(work.days[run.begin].day) + ".." + FormatDay(work.days[run.end - 1].day);
    }
  }
  return text;
}

std::string RecordedText(const Work& work) {
  std::string text;
  for (const Cell& cell : RecordedCells(work)) {
    text += fmt::format("{} {} {}: {}\n", cell.symbol, FormatDay(cell.day), ledger::Name(cell.state), cell.reason);
  }
  return text;
}

TEST(ExpectedDays, AreTheListsDaysInTheRange) {
  const std::vector<VendorDay> week = Week();
  const std::vector<VendorDay> days = DaysOfCondition(week, D("2024-01-02"), D("2024-01-04"));
  ASSERT_EQ(days.size(), 3u);
  EXPECT_EQ(days.front(), week[1]);
  EXPECT_TRUE(DaysOfCondition(week, D("2024-01-06"), D("2024-02-04")).empty());
  EXPECT_TRUE(DaysOfCondition(week, D("2024-01-04"), D("2024-01-02")).empty());
}

TEST(ExpectedDays, OfACalendarArePendingUntilReady) {
  const auto odd = [](Day day) { return day.since_epoch % 2 == 1; };
  const std::vector<VendorDay> days = DaysOfCalendar(odd, Day{10}, Day{15}, Day{13});
  ASSERT_EQ(days.size(), 3u);
  EXPECT_EQ(days[0].day, Day{11});
  EXPECT_EQ(days[1].state, State::kAvailable);
  EXPECT_EQ(days[2].state, State::kPending);
}

TEST(Work, IsWhatIsAbsentOrUnsettled) {
  const Listings listings = {Listed("B"), Listed("A"), Listed("B")};
  const std::vector<CellRow> present = {
      Row("A", "2024-01-01", CellState::kComplete),    Row("A", "2024-01-02", CellState::kEmpty),
      Row("A", "2024-01-03", CellState::kPartial),     Row("A", "2024-01-04", CellState::kFailed),
      Row("A", "2024-01-05", CellState::kNotEntitled), Row("B", "2024-01-02", CellState::kExpired),
      Row("C", "2024-01-02", CellState::kFailed)};
  const Work work = Plan(Week(), listings, present, {});
  EXPECT_EQ(Text(work), "B 2024-01-01..2024-01-01 2024-01-03..2024-01-05; A 2024-01-03..2024-01-04");
  EXPECT_EQ(work.cells, 6);
  EXPECT_TRUE(work.recorded.empty());
}

TEST(Work, KeepsToTheAskedRange) {
  const Listings listings = {Listed("A")};
  EXPECT_EQ(Text(Plan(Week(), listings, {}, {.first = D("2024-01-04"), .last = {}})), "A 2024-01-04..2024-01-05");
  EXPECT_EQ(Text(Plan(Week(), listings, {}, {.first = D("2023-01-01"), .last = D("2024-01-01")})),
            "A 2024-01-01..2024-01-01");
  EXPECT_EQ(Plan(Week(), listings, {}, {.first = D("2024-02-01"), .last = {}}).cells, 0);
}

// A holiday was added to the calendar, and taken away again.
TEST(Work, DaysThatAreNoLongerExpectedAreClosed) {
  const Listings listings = {Listed("A")};
  std::vector<CellRow> present = {
      Row("A", "2023-12-30", CellState::kMissing), Row("A", "2024-01-01", CellState::kComplete),
      Row("A", "2024-01-02", CellState::kMissing), Row("A", "2024-01-03", CellState::kMissing),
      Row("A", "2024-01-04", CellState::kPartial), Row("A", "2024-01-05", CellState::kComplete),
      Row("A", "2024-01-06", CellState::kPending), Row("B", "2024-01-02", CellState::kMissing)};
  present[3].cell.reason = kLostReason;  // a file that held rows
  const std::vector<VendorDay> ends = {Week().front(), Week().back()};
  const Work work = Plan(ends, listings, present, {});
  EXPECT_EQ(work.cells, 0);
  const std::vector<Cell> closed = RecordedCells(work);
  ASSERT_EQ(closed.size(), 1u);  // the list may just not reach to the days before and after it
  EXPECT_EQ(closed[0].symbol, "A");
  EXPECT_EQ(closed[0].day, D("2024-01-02"));
  EXPECT_EQ(closed[0].state, CellState::kClosed);
  EXPECT_TRUE(Plan(ends, listings, present, {.retry_failed_only = true}).closed.empty());

  present[2].cell.state = CellState::kClosed;
  EXPECT_TRUE(Plan(ends, listings, present, {}).closed.empty());  // said already
  EXPECT_EQ(Text(Plan(Week(), listings, present, {})), "A 2024-01-02..2024-01-04");
  std::vector<VendorDay> week = Week();
  week[1].state = State::kMissing;
  const std::vector<Cell> again = RecordedCells(Plan(week, listings, present, {}));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].state, CellState::kMissing);
}

TEST(Work, RevisedDaysAreStale) {
  const Listings listings = {Listed("A")};
  std::vector<CellRow> present;
  for (const char* day : {"2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"}) {
    present.push_back(Row("A", day, CellState::kComplete, D("2024-02-01")));
  }
  EXPECT_EQ(Plan(Week(), listings, present, {}).cells, 0);
  present[0].cell.modified = D("2024-01-31");
  present[1].cell.modified = {};  // nobody knows which version it is: not a reason to pay twice
  present[2] = Row("A", "2024-01-03", CellState::kEmpty, D("2024-01-02"));
  present[3] = Row("A", "2024-01-04", CellState::kNotEntitled, D("2024-01-02"));
  const Work work = Plan(Week(), listings, present, {});
  EXPECT_EQ(Text(work), "A 2024-01-01..2024-01-01 2024-01-03..2024-01-03");
  ASSERT_EQ(work.stale.size(), 2u);
  EXPECT_EQ(work.stale[0].day, D("2024-01-01"));
  EXPECT_EQ(work.stale[0].had, D("2024-01-31"));
}

TEST(Work, AnotherVersionIsStaleWhateverTheDates) {
  std::vector<VendorDay> days = Week();
  for (VendorDay& day : days) {
    day.modified = D("2024-02-01");
    day.version = "b";
  }
  std::vector<CellRow> present;
  for (const VendorDay& day : days)
    present.push_back(Row("A", FormatDay(day.day).c_str(), CellState::kComplete, day.modified));
  for (CellRow& row : present) row.cell.proof = ledger::VersionProof("b");
  const Listings listings = {Listed("A")};
  EXPECT_EQ(Plan(days, listings, present, {}).cells, 0);
  present[0].cell.proof = ledger::VersionProof("a");  // replaced twice on one day
  present[1].cell.modified = D("2024-01-02");         // copied by the vendor, and the same
  present[2].cell.proof = "stream";                   // of an import: only dates can tell
  present[3].cell.proof = "stream";
  present[3].cell.modified = D("2024-01-31");
  const Work work = Plan(days, listings, present, {});
  EXPECT_EQ(Text(work), "A 2024-01-01..2024-01-01 2024-01-04..2024-01-04");
  EXPECT_EQ(work.stale.size(), 2u);
}

TEST(Work, PendingAndMissingDaysAreRecordedNotRequested) {
  std::vector<VendorDay> days = Week();
  days[0].state = State::kDegraded;
  days[2] = {days[2].day, State::kMissing, {}};
  days[4].state = State::kPending;
  const Listings listings = {Listed("A")};
  for (const bool refetch : {false, true}) {
    const Work work = Plan(days, listings, {}, {.first = {}, .last = {}, .refetch = refetch});
    EXPECT_EQ(Text(work), "A 2024-01-01..2024-01-02 2024-01-04..2024-01-04");
    EXPECT_EQ(RecordedText(work),
              "A 2024-01-03 missing: the vendor's condition list says missing\n"
              "A 2024-01-05 pending: the vendor's condition list says pending\n");
  }
}

TEST(Work, RefetchTakesSettledCellsToo) {
  const std::vector<CellRow> present = {Row("A", "2024-01-01", CellState::kComplete),
                                        Row("A", "2024-01-02", CellState::kExpired)};
  const Work work = Plan(Week(), Listings{Listed("A")}, present, {.first = {}, .last = {}, .refetch = true});
  EXPECT_EQ(work.cells, 5);
}

TEST(Work, RetryTakesFailedAndRefusedCellsOnly) {
  const Listings listings = {Listed("A"), {"VX", {}, {}, "not on this dataset"}};
  const std::vector<CellRow> present = {Row("A", "2024-01-02", CellState::kFailed),
                                        Row("A", "2024-01-03", CellState::kMissing),
                                        Row("A", "2024-01-04", CellState::kNotEntitled)};
  const Work work = Plan(Week(), listings, present, {.first = {}, .last = {}, .retry_failed_only = true});
  EXPECT_EQ(Text(work), "A 2024-01-02..2024-01-02 2024-01-04..2024-01-04");
  EXPECT_TRUE(work.recorded.empty());
}

TEST(Work, DaysOutsideAListingAreRecorded) {
  const Listings listings = {{"A", D("2024-01-02"), D("2024-01-03"), {}},
                             {"VX", {}, {}, "GLBX.MDP3 does not know VX.FUT (XCBF.PITCH has it)"}};
  const Work work = Plan(Week(), listings, {}, {.first = {}, .last = D("2024-01-04")});
  EXPECT_EQ(Text(work), "A 2024-01-02..2024-01-03");
  ASSERT_EQ(work.recorded.size(), 3u);
  EXPECT_EQ(work.recorded[2].run, (DayRun{0, 4}));
  EXPECT_EQ(RecordedText(work).substr(0, 138),
            "A 2024-01-01 not_listed: not listed before 2024-01-02\n"
            "A 2024-01-04 not_listed: not listed after 2024-01-03\n"
            "VX 2024-01-01 not_listed: GLBX.");
}

TEST(Work, OneDayOnEachSideOfAListingSpeaksForThoseBeyond) {
  const Listings listings = {{"A", D("2024-01-03"), D("2024-01-03"), {}},
                             {"B", D("2024-01-12"), {}, {}},
                             {"C", {}, D("2023-12-25"), {}},
                             {"D", D("2024-01-13"), {}, {}},
                             {"E", {}, D("2023-12-24"), {}}};
  const Work work = Plan(Week(), listings, {}, {});
  EXPECT_EQ(RecordedText(work),
            "A 2024-01-02 not_listed: not listed before 2024-01-03\n"
            "A 2024-01-04 not_listed: not listed after 2024-01-03\n"
            "B 2024-01-05 not_listed: not listed before 2024-01-12\n"
            "C 2024-01-01 not_listed: not listed after 2023-12-25\n");
  // What the ledger waits for out there is over; what it holds stays.
  const std::vector<CellRow> present = {
      Row("A", "2024-01-01", CellState::kFailed), Row("A", "2024-01-05", CellState::kComplete),
      Row("B", "2024-01-01", CellState::kMissing), Row("B", "2024-01-05", CellState::kNotListed)};
  EXPECT_EQ(RecordedText(Plan(Week(), {listings[0], listings[1]}, present, {})),
            "A 2024-01-01 not_listed: not listed before 2024-01-03\n"
            "A 2024-01-02 not_listed: not listed before 2024-01-03\n"
            "A 2024-01-04 not_listed: not listed after 2024-01-03\n"
            "B 2024-01-01 not_listed: not listed before 2024-01-12\n");
}

TEST(Work, ACellThatTurnsOutToBeListedIsWork) {
  const std::vector<CellRow> present = {Row("A", "2024-01-02", CellState::kNotListed)};
  const WorkOptions only_day{.first = D("2024-01-02"), .last = D("2024-01-02")};
  EXPECT_EQ(Plan(Week(), Listings{Listed("A")}, present, only_day).cells, 0);
  EXPECT_EQ(Plan(Week(), Listings{Listing{"A", D("2024-01-01"), {}, {}}}, present, only_day).cells, 1);
}

TEST(Work, WhatTheLedgerSaysAlreadyIsNotRecordedAgain) {
  std::vector<VendorDay> days = Week();
  days[1] = {days[1].day, State::kMissing, {}};
  days[2].state = State::kPending;
  const Listings listings = {{"A", D("2024-01-02"), D("2024-01-03"), {}}};
  const Work first = Plan(days, listings, {}, {});
  std::vector<CellRow> present;
  for (const Cell& cell : RecordedCells(first)) present.push_back({cell, 1});
  ASSERT_EQ(present.size(), 4u);
  EXPECT_TRUE(Plan(days, listings, present, {}).recorded.empty());
  // The vendor's list moves on: that is news, and only that.
  days[2].modified = D("2024-02-02");
  EXPECT_EQ(RecordedCells(Plan(days, listings, present, {})).size(), 1u);
}

TEST(Work, RecordingNeverUndoesRowsOrSettledCells) {
  std::vector<VendorDay> days = Week();
  for (VendorDay& day : days) day.state = State::kPending;
  const std::vector<CellRow> present = {
      Row("A", "2024-01-01", CellState::kComplete), Row("A", "2024-01-02", CellState::kPartial),
      Row("A", "2024-01-03", CellState::kEmpty), Row("A", "2024-01-04", CellState::kFailed),
      Row("A", "2024-01-05", CellState::kMissing)};
  EXPECT_EQ(RecordedText(Plan(days, Listings{Listed("A")}, present, {})),
            "A 2024-01-04 pending: the vendor's condition list says pending\n"
            "A 2024-01-05 pending: the vendor's condition list says pending\n");
}

// The ledger holds the cell of a deleted file as complete and would refuse `pending` for it in every run.
TEST(Work, ALostCellOfAPendingDayIsNotRecordedForEver) {
  std::vector<VendorDay> days = Week();
  days[0].state = State::kPending;
  std::vector<CellRow> present = {Row("A", "2024-01-01", CellState::kMissing)};
  present[0].cell.reason = kLostReason;
  const Work work = Plan(days, Listings{Listed("A")}, present, {});
  EXPECT_EQ(Text(work), "A 2024-01-02..2024-01-05");
  EXPECT_TRUE(work.recorded.empty());
}

TEST(Work, DaysThatWantAKeyAreNotAskedForUntilThereIsOne) {
  std::vector<VendorDay> days = Week();
  for (const size_t i : {1, 2}) days[i].state = State::kNoKey;
  const std::vector<CellRow> present = {Row("A", "2024-01-02", CellState::kComplete)};
  const Work work = Plan(days, Listings{Listed("A")}, present, {});
  EXPECT_EQ(Text(work), "A 2024-01-01..2024-01-01 2024-01-04..2024-01-05");
  EXPECT_EQ(work.keyless_cells, 1);  // the settled one is no loss
  EXPECT_EQ(RecordedText(work),
            "A 2024-01-03 missing: the vendor gives it only with an API key, and none is configured\n");
  const std::vector<CellRow> recorded = {Row("A", "2024-01-03", CellState::kMissing)};
  EXPECT_EQ(Text(Plan(Week(), Listings{Listed("A")}, recorded, {})), "A 2024-01-01..2024-01-05");
}

TEST(Work, WhyADayIsPendingIsTheSuppliersWord) {
  std::vector<VendorDay> days = Week();
  days.resize(1);
  days[0].state = State::kPending;
  const Work work = Plan(days, Listings{Listed("A")}, {}, {.pending_reason = "not exported yet"});
  EXPECT_EQ(RecordedText(work), "A 2024-01-01 pending: not exported yet\n");
}

TEST(Work, WhatComesAnotherWayIsLeftOut) {
  const Listings listings = {Listed("A"), Listed("B")};
  Work work = Plan(Week(), listings, std::vector{Row("A", "2024-01-02", CellState::kComplete)}, {});
  EXPECT_EQ(Text(work), "A 2024-01-01..2024-01-01 2024-01-03..2024-01-05; B 2024-01-01..2024-01-05");
  EXPECT_EQ(LeaveOut(&work, "A", D("2024-01-02"), D("2024-01-03")), 1);
  EXPECT_EQ(LeaveOut(&work, "B", D("2024-01-02"), D("2024-01-03")), 2);
  EXPECT_EQ(Text(work),
            "A 2024-01-01..2024-01-01 2024-01-04..2024-01-05; "
            "B 2024-01-01..2024-01-01 2024-01-04..2024-01-05");
  EXPECT_EQ(work.cells, 6);
  EXPECT_EQ(LeaveOut(&work, "A", D("2023-01-01"), D("2023-12-31")), 0);
  EXPECT_EQ(LeaveOut(&work, "C", D("2024-01-01"), D("2024-01-05")), 0);
  EXPECT_EQ(LeaveOut(&work, "A", D("2023-01-01"), D("2025-01-01")), 3);
  EXPECT_EQ(Text(work), "B 2024-01-01..2024-01-01 2024-01-04..2024-01-05");
}

TEST(KeepOnly, LeavesWhatTheRangesName) {
  const Listings listings = {Listed("A"), Listed("B"), Listed("C")};
  Work work = Plan(Week(), listings, std::vector{Row("A", "2024-01-02", CellState::kComplete)}, {});
  KeepOnly(&work, std::vector<SymbolDays>{{"A", D("2023-12-01"), D("2024-01-03")},
                                          {"A", D("2024-01-05"), D("2024-01-05")},
                                          {"B", D("2024-01-04"), D("2024-02-01")},
                                          {"D", D("2024-01-01"), D("2024-01-05")}});
  EXPECT_EQ(Text(work),
            "A 2024-01-01..2024-01-01 2024-01-03..2024-01-03 2024-01-05..2024-01-05; "
            "B 2024-01-04..2024-01-05");
  EXPECT_EQ(work.cells, 5);
  KeepOnly(&work, {});
  EXPECT_TRUE(work.symbols.empty());
  EXPECT_EQ(work.cells, 0);
}

}  // namespace
}  // namespace lode::plan
