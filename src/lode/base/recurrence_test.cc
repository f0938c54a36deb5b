#include "lode/base/recurrence.h"

#include <gtest/gtest.h>

#include <random>

namespace lode {
namespace {

struct Sample {
  const char *text, *full, *systemd, *cron;
};

TEST(Recurrence, AllForms) {
  for (const Sample& sample : {Sample{"hourly", "hourly :00", "*-*-* *:00:00 UTC", "0 * * * *"},
                               {"hourly :05", "hourly :05", "*-*-* *:05:00 UTC", "5 * * * *"},
                               {"daily", "daily 00:00", "*-*-* 00:00:00 UTC", "0 0 * * *"},
                               {" daily  1:07 ", "daily 01:07", "*-*-* 01:07:00 UTC", "7 1 * * *"},
                               {"weekly", "weekly Mon 00:00", "Mon *-*-* 00:00:00 UTC", "0 0 * * 1"},
                               {"weekly Sun 03:00", "weekly Sun 03:00", "Sun *-*-* 03:00:00 UTC", "0 3 * * 0"},
                               {"monthly", "monthly 1 00:00", "*-*-01 00:00:00 UTC", "0 0 1 * *"},
                               {"monthly 28 23:59", "monthly 28 23:59", "*-*-28 23:59:00 UTC", "59 23 28 * *"}}) {
    SCOPED_TRACE(sample.text);
    const auto recurrence = ParseRecurrence(sample.text);
    ASSERT_TRUE(recurrence);
    EXPECT_EQ(Format(*recurrence), sample.full);
    EXPECT_EQ(SystemdCalendar(*recurrence), sample.systemd);
    EXPECT_EQ(CronFields(*recurrence), sample.cron);
    EXPECT_EQ(ParseRecurrence(Format(*recurrence)).value(), *recurrence);
  }
}

TEST(Recurrence, RefusesAnythingElse) {
  for (const char* text : {"",
                           "yearly",
                           "Daily 01:00",
                           "daily 24:00",
                           "daily 01:60",
                           "daily 1",
                           "daily 01:0",
                           "daily 01:00 UTC",
                           "daily Mon 01:00",
                           "hourly 05",
                           "hourly 01:05",
                           "hourly :60",
                           "weekly 01:00 Sun",
                           "weekly sun 01:00",
                           "weekly 7 01:00",
                           "monthly 0 01:00",
                           "monthly 29 01:00",
                           "monthly -1 01:00",
                           "monthly 001 01:00",
                           "monthly Sun 01:00",
                           "daily -1:00",
                           "daily 01:00 01:00",
                           "daily 001:00"}) {
    const auto recurrence = ParseRecurrence(text);
    ASSERT_FALSE(recurrence) << text;
    EXPECT_EQ(recurrence.error().kind, ErrorKind::kConfig);
  }
}

std::string Next(const char* recurrence, const char* after) {
  return FormatIsoNs(NextAfter(ParseRecurrence(recurrence).value(), ParseIsoNs(after).value())).substr(0, 16);
}

TEST(Recurrence, Next) {
  EXPECT_EQ(Next("hourly :05", "2024-02-28T23:05:00Z"), "2024-02-29T00:05");
  EXPECT_EQ(Next("hourly :05", "2024-02-28T23:04:59.999999999Z"), "2024-02-28T23:05");
  EXPECT_EQ(Next("daily 01:00", "2024-03-10T01:00:00Z"), "2024-03-11T01:00");  // clocks change in New York
  EXPECT_EQ(Next("daily 01:00", "2024-12-31T00:59:00Z"), "2024-12-31T01:00");
  EXPECT_EQ(Next("weekly Sun 03:00", "2024-03-03T03:00:00Z"), "2024-03-10T03:00");
  EXPECT_EQ(Next("weekly Sun 03:00", "2024-02-27T12:00:00Z"), "2024-03-03T03:00");
  EXPECT_EQ(Next("monthly 28 04:00", "2024-02-28T04:00:00Z"), "2024-03-28T04:00");
  EXPECT_EQ(Next("monthly 1 04:00", "2023-12-01T05:00:00Z"), "2024-01-01T04:00");
}

// The minute that follows is a turn, and none before it is: against a walk over all minutes.
TEST(Recurrence, NextIsTheFirstTurn) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  constexpr int64_t kMinute = 60 * kNsPerSecond;
  for (int i = 0; i < 200; ++i) {
    const Recurrence recurrence{.every = static_cast<Recurrence::Every>(below(4)),
                                .minute = below(60),
                                .hour = below(24),
                                .weekday = below(7),
                                .day_of_month = 1 + below(28)};
    const int64_t from = (int64_t{19'000} * 1440 + below(1440 * 1000)) * kMinute;
    int64_t at = from + kMinute;
    for (;; at += kMinute) {
      const int64_t minutes = at / kMinute;
      const Day day = DayOf(at);
      const bool in_hour = minutes % 60 == recurrence.minute;
      const bool in_day = in_hour && minutes / 60 % 24 == recurrence.hour;
      const bool turn = recurrence.every == Recurrence::Every::kHour  ? in_hour
                        : recurrence.every == Recurrence::Every::kDay ? in_day
                        : recurrence.every == Recurrence::Every::kWeek
                            ? in_day && (minutes / 1440 + 4) % 7 == recurrence.weekday
                            : in_day && ToYearMonthDay(day).day == recurrence.day_of_month;
      if (turn) break;
    }
    EXPECT_EQ(NextAfter(recurrence, from), at) << Format(recurrence);
  }
}

}  // namespace
}  // namespace lode
