// The range that plan and sync work on.
#include "lode/cli/days.h"

#include <gtest/gtest.h>

namespace lode::cli {
namespace {

const Day kToday = ToDay({2024, 3, 1});
const Day kDatasetStart = ToDay({2010, 6, 6});

std::string Read(const RangeFlags& flags, std::optional<Day> dataset_start = kDatasetStart) {
  Result<PlanRange> range = ParsePlanRange(flags, dataset_start, kToday, kToday - 1);
  if (!range) return (range.error().kind == ErrorKind::kUsage ? "usage: " : "other: ") + range.error().message;
  return FormatDay(range->first) + ".." + FormatDay(range->last) + (range->empty() ? " empty" : "");
}

TEST(PlanRange, IsTheDatasetsUntilYesterday) {
  EXPECT_EQ(Read({}), "2010-06-06..2024-02-29");
  EXPECT_EQ(Read({.start = "", .end = "2020-01-31", .days = ""}), "2010-06-06..2020-01-31");
  EXPECT_EQ(Read({.start = "", .end = "today", .days = ""}), "2010-06-06..2024-03-01");
}

TEST(PlanRange, StartsWhereAsked) {
  EXPECT_EQ(Read({.start = "2024-02-01", .end = "", .days = ""}), "2024-02-01..2024-02-29");
  EXPECT_EQ(Read({.start = "-7d", .end = "yesterday", .days = ""}), "2024-02-23..2024-02-29");
  EXPECT_EQ(Read({.start = "2009-01-01", .end = "2009-02-29", .days = ""}), "2009-01-01..2009-02-28");
  EXPECT_EQ(Read({.start = "today", .end = "today", .days = ""}), "2024-03-01..2024-03-01");
}

TEST(PlanRange, TakesTheLastDays) {
  EXPECT_EQ(Read({.start = "", .end = "", .days = "1"}), "2024-02-29..2024-02-29");
  EXPECT_EQ(Read({.start = "", .end = "today", .days = "1"}), "2024-03-01..2024-03-01");
  EXPECT_EQ(Read({.start = "", .end = "2024-01-31", .days = "31"}, {}), "2024-01-01..2024-01-31");
  EXPECT_EQ(Read({.start = "", .end = "", .days = "400000"}), "2010-06-06..2024-02-29");
}

TEST(PlanRange, GoesBackYears) {
  EXPECT_EQ(Read({.start = "", .end = "", .days = "", .backfill_years = "20"}), "2004-03-01..2024-02-29");
  EXPECT_EQ(Read({.start = "", .end = "2020-12-31", .days = "", .backfill_years = "5"}), "2019-03-01..2020-12-31");
  // On the 29th of February, of a year that has none.
  const RangeFlags flags{.start = "", .end = "", .days = "", .backfill_years = "1"};
  const Day leap_day = ToDay({2024, 2, 29});
  EXPECT_EQ(FormatDay(ParsePlanRange(flags, kDatasetStart, leap_day, leap_day - 1).value().first), "2023-02-28");
  for (const char* years : {"0", "-1", "x", "1001"}) {
    EXPECT_EQ(Read({.start = "", .end = "", .days = "", .backfill_years = years}),
              "usage: not a number of years: " + std::string(years) + " (write --backfill-years 10)");
  }
}

TEST(PlanRange, IsEmptyBeforeTheDatasetBegins) {
  EXPECT_EQ(Read({}, kToday), "2024-03-01..2024-02-29 empty");
  EXPECT_EQ(Read({.start = "", .end = "2010-06-05", .days = ""}), "2010-06-06..2010-06-05 empty");
  EXPECT_EQ(Read({.start = "", .end = "2010-06-05", .days = "3"}), "2010-06-06..2010-06-05 empty");
}

TEST(PlanRange, RefusesWhatMakesNoRange) {
  EXPECT_EQ(Read({.start = "-7d", .end = "", .days = "7"}), "usage: give --start or --days, not both");
  EXPECT_EQ(Read({.start = "", .end = "", .days = "7", .backfill_years = "3"}),
            "usage: give --backfill-years alone, without --start and --days");
  EXPECT_EQ(Read({}, {}), "usage: no first day: give --start, or `start` in the dataset's table");
  EXPECT_EQ(Read({.start = "today", .end = "", .days = ""}),
            "usage: the range starts (2024-03-01) after yesterday; give --end too");
  EXPECT_EQ(Read({.start = "2024-01-02", .end = "2024-01-01", .days = ""}),
            "usage: the range ends (2024-01-01) before it starts (2024-01-02)");
  for (const char* days : {"0", "-1", "x", "1.5", "400001", "99999999999", " 1"}) {
    EXPECT_EQ(Read({.start = "", .end = "", .days = days}),
              "usage: not a number of days: " + std::string(days) + " (write --days 30)");
  }
}

}  // namespace
}  // namespace lode::cli
