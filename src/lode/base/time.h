// Days and instants. All times are UTC; a Day is a count of days since 1970-01-01, an instant a count of
// nanoseconds since then. No locale, no time zone database.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode {

inline constexpr int64_t kNsPerSecond = 1'000'000'000;
inline constexpr int64_t kNsPerDay = 86'400 * kNsPerSecond;

// A UTC calendar day. Valid from 0001-01-01 to 9999-12-31.
struct Day {
  int32_t since_epoch = 0;
  auto operator<=>(const Day&) const = default;
  Day operator+(int32_t days) const { return Day{since_epoch + days}; }
  Day operator-(int32_t days) const { return Day{since_epoch - days}; }
  int64_t start_ns() const { return int64_t{since_epoch} * kNsPerDay; }
};

struct YearMonthDay {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
};

YearMonthDay ToYearMonthDay(Day day);
Day ToDay(const YearMonthDay& date);
int DaysInMonth(int year, int month);

// The day an instant falls on (rounds down, also before 1970).
Day DayOf(int64_t ns);

// "2024-01-31". kBadInput on any other form or a day past its month's end.
Result<Day> ParseDay(std::string_view text);
std::string FormatDay(Day day);

// ISO-8601 UTC instants with 0 to 9 fractional digits and an optional 'Z': "2024-01-02T00:00:00.000000000Z"; a
// space may stand for the 'T', and a bare date is midnight. kBadInput on anything else, also outside 1678..2262.
Result<int64_t> ParseIsoNs(std::string_view text);
// Always nine fractional digits and a 'Z'.
std::string FormatIsoNs(int64_t ns);

// The wall clock, for receipts and logs only; never part of published data.
int64_t NowNs();

}  // namespace lode
