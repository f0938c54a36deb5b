#include "lode/codec/new_york_day.h"

#include <gtest/gtest.h>

namespace lode::codec {
namespace {

std::string DayAt(std::string_view instant) { return FormatDay(NewYorkDays().Of(*ParseIsoNs(instant))); }
std::string Midnight(std::string_view day) { return FormatIsoNs(NewYorkMidnightNs(*ParseDay(day))).substr(0, 16); }

TEST(NewYorkDay, MidnightIsAtFourOrFive) {
  EXPECT_EQ(Midnight("2024-01-02"), "2024-01-02T05:00");
  EXPECT_EQ(Midnight("2024-07-02"), "2024-07-02T04:00");
  // The clock changes at two in the morning: the day begins by the old one.
  EXPECT_EQ(Midnight("2024-03-10"), "2024-03-10T05:00");
  EXPECT_EQ(Midnight("2024-03-11"), "2024-03-11T04:00");
  EXPECT_EQ(Midnight("2024-11-03"), "2024-11-03T04:00");
  EXPECT_EQ(Midnight("2024-11-04"), "2024-11-04T05:00");
  // Before 2007: first Sunday of April to last Sunday of October; before 1987 from the last Sunday of April.
  EXPECT_EQ(Midnight("2006-04-02"), "2006-04-02T05:00");
  EXPECT_EQ(Midnight("2006-04-03"), "2006-04-03T04:00");
  EXPECT_EQ(Midnight("2006-10-29"), "2006-10-29T04:00");
  EXPECT_EQ(Midnight("2006-10-30"), "2006-10-30T05:00");
  EXPECT_EQ(Midnight("2003-10-26"), "2003-10-26T04:00");
  EXPECT_EQ(Midnight("1986-04-27"), "1986-04-27T05:00");
  EXPECT_EQ(Midnight("1986-04-28"), "1986-04-28T04:00");
}

TEST(NewYorkDay, InstantsFallOnTheirDay) {
  EXPECT_EQ(DayAt("2024-01-02T04:59:59.999999999Z"), "2024-01-01");
  EXPECT_EQ(DayAt("2024-01-02T05:00:00Z"), "2024-01-02");
  EXPECT_EQ(DayAt("2024-07-02T03:59:59.999999999Z"), "2024-07-01");
  EXPECT_EQ(DayAt("2024-07-02T04:00:00Z"), "2024-07-02");
  EXPECT_EQ(DayAt("2024-07-03T00:00:00Z"), "2024-07-02") << "20:00 in New York";
}

// Each day begins where the one before ends, 23, 24 or 25 hours long, with one short and one long day a year.
TEST(NewYorkDay, DaysFollowEachOther) {
  int short_days = 0, long_days = 0;
  NewYorkDays days;
  for (Day day = *ParseDay("1990-01-01"); day < *ParseDay("2050-01-01"); day = day + 1) {
    const int64_t start = NewYorkMidnightNs(day), end = NewYorkMidnightNs(day + 1);
    const int64_t hours = (end - start) / (3600 * kNsPerSecond);
    short_days += hours == 23;
    long_days += hours == 25;
    EXPECT_TRUE(hours == 24 || hours == 23 || hours == 25) << FormatDay(day);
    EXPECT_EQ(days.Of(start), day);
    EXPECT_EQ(days.Of(end - 1), day);
  }
  EXPECT_EQ(short_days, 60);
  EXPECT_EQ(long_days, 60);
}

}  // namespace
}  // namespace lode::codec
