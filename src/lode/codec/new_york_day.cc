#include "lode/codec/new_york_day.h"

#include "lode/base/daylight.h"

namespace lode::codec {
namespace {

constexpr int64_t kNsPerHour = 3600 * kNsPerSecond;

}  // namespace

int64_t NewYorkMidnightNs(Day day) {
  const DaylightTime changes = UsDaylightTime(ToYearMonthDay(day).year);
  const bool daylight_time = day > changes.begin && day <= changes.end;
  return day.start_ns() + (daylight_time ? 4 : 5) * kNsPerHour;
}

void NewYorkDays::Find(int64_t ns) {
  day_ = DayOf(ns - 5 * kNsPerHour);
  if (ns >= NewYorkMidnightNs(day_ + 1)) day_ = day_ + 1;
  start_ns_ = NewYorkMidnightNs(day_);
  end_ns_ = NewYorkMidnightNs(day_ + 1);
}

}  // namespace lode::codec
