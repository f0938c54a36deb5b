#include "lode/calendar/zone.h"

#include <date/tz.h>
#include <gtest/gtest.h>

namespace lode::calendar {
namespace {

std::string At(std::string_view zone, const char* day, int minute) {
  return FormatIsoNs(Zone::Find(zone)->ToUtcNs(ParseDay(day).value(), minute)).substr(0, 16);
}

TEST(Zone, KnowsFourAndNoOther) {
  for (const char* name : {"UTC", "America/New_York", "America/Chicago", "Europe/London"}) {
    EXPECT_TRUE(Zone::Find(name)) << name;
  }
  EXPECT_FALSE(Zone::Find("Asia/Tokyo"));
  EXPECT_FALSE(Zone::Find(""));
}

TEST(Zone, ChangesClocksInTheNight) {
  EXPECT_EQ(At("America/New_York", "2024-03-10", 119), "2024-03-10T06:59");
  EXPECT_EQ(At("America/New_York", "2024-03-10", 180), "2024-03-10T07:00");
  EXPECT_EQ(At("America/New_York", "2024-11-03", 60), "2024-11-03T05:00");  // the first of two
  EXPECT_EQ(At("America/New_York", "2024-11-03", 120), "2024-11-03T07:00");
  EXPECT_EQ(At("America/Chicago", "2006-04-02", 1020), "2006-04-02T22:00");  // before 2007: April
  EXPECT_EQ(At("America/Chicago", "2006-03-12", 1020), "2006-03-12T23:00");
  EXPECT_EQ(At("Europe/London", "2024-03-31", 59), "2024-03-31T00:59");
  EXPECT_EQ(At("Europe/London", "2024-03-31", 120), "2024-03-31T01:00");
  EXPECT_EQ(At("Europe/London", "2024-10-27", 120), "2024-10-27T02:00");
}

TEST(Zone, MinutesMayBeOfTheDaysAround) {
  EXPECT_EQ(At("America/Chicago", "2024-03-11", -420), "2024-03-10T22:00");
  EXPECT_EQ(At("UTC", "2024-02-28", 1440), "2024-02-29T00:00");
  EXPECT_EQ(At("UTC", "2024-03-01", -1441), "2024-02-28T23:59");
}

// Oracle: the machine's time zone database, 1996 to 2030, around every change and otherwise.
TEST(Zone, EqualsTheTimeZoneDatabase) {
  for (const char* name : {"America/New_York", "America/Chicago", "Europe/London"}) {
    const date::time_zone* const oracle = date::locate_zone(name);  // throws without tzdata, which ./setup brings
    const Zone zone = *Zone::Find(name);
    int64_t compared = 0;
    for (Day day = ToDay({1996, 1, 1}); day < ToDay({2030, 1, 1}); day = day + 1) {
      for (const int minute : {0, 59, 60, 90, 119, 120, 150, 179, 180, 570, 1020, 1439}) {
        const date::local_seconds local{date::days(day.since_epoch) + std::chrono::minutes(minute)};
        if (oracle->get_info(local).result == date::local_info::nonexistent) continue;
        const auto instant = oracle->to_sys(local, date::choose::earliest).time_since_epoch();
        ASSERT_EQ(zone.ToUtcNs(day, minute), std::chrono::nanoseconds(instant).count())
            << name << " " << FormatDay(day) << " minute " << minute;
        ++compared;
      }
    }
    EXPECT_GT(compared, 148'000) << name;
  }
}

}  // namespace
}  // namespace lode::calendar
