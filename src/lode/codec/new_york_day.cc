#include "lode/codec/new_york_day.h"

namespace lode::codec {
namespace {

constexpr int64_t kNsPerHour = 3600 * kNsPerSecond;

// The n-th Sunday of a month, from 1.
Day NthSunday(int year, int month, int n) {
  const Day first = ToDay({year, month, 1});
  const int32_t weekday = ((first.since_epoch + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday; 0 is Sunday
  return first + (7 - weekday) % 7 + 7 * (n - 1);
}

Day LastSunday(int year, int month) {
  const Day fourth = NthSunday(year, month, 4);
  return ToYearMonthDay(fourth + 7).month == month ? fourth + 7 : fourth;
}

// Days on which the clock goes forward and back: Energy Policy Act of 2005, Public Law 99-359 of 1986, Uniform Time
// Act of 1966.
Day SpringForward(int year) {
  if (year >= 2007) return NthSunday(year, 3, 2);
  return year >= 1987 ? NthSunday(year, 4, 1) : LastSunday(year, 4);
}
Day FallBack(int year) { return year >= 2007 ? NthSunday(year, 11, 1) : LastSunday(year, 10); }

}  // namespace

int64_t NewYorkMidnightNs(Day day) {
  const int year = ToYearMonthDay(day).year;
  const bool daylight_time = day > SpringForward(year) && day <= FallBack(year);
  return day.start_ns() + (daylight_time ? 4 : 5) * kNsPerHour;
}

void NewYorkDays::Find(int64_t ns) {
  day_ = DayOf(ns - 5 * kNsPerHour);
  if (ns >= NewYorkMidnightNs(day_ + 1)) day_ = day_ + 1;
  start_ns_ = NewYorkMidnightNs(day_);
  end_ns_ = NewYorkMidnightNs(day_ + 1);
}

}  // namespace lode::codec
