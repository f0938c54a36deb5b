#include "lode/calendar/zone.h"

#include <algorithm>

#include "lode/base/daylight.h"

namespace lode::calendar {
namespace {

constexpr int kMinutesPerDay = 1440;
constexpr int64_t kNsPerMinute = 60 * kNsPerSecond;
constexpr int kBackMinute = 120;  // of the day, local time in summer: in the US and in London alike

}  // namespace

std::optional<Zone> Zone::Find(std::string_view name) {
  static constexpr Zone kZones[] = {Zone("UTC", Rule::kNone, 0, 0), Zone("America/New_York", Rule::kUs, -300, 120),
                                    Zone("America/Chicago", Rule::kUs, -360, 120),
                                    Zone("Europe/London", Rule::kEurope, 0, 60)};
  const auto* const zone = std::ranges::find(kZones, name, &Zone::name);
  return zone == std::end(kZones) ? std::nullopt : std::optional(*zone);
}

bool Zone::IsDaylightTime(Day day, int minute) const {
  if (rule_ == Rule::kNone) return false;
  const int year = ToYearMonthDay(day).year;
  const DaylightTime changes = rule_ == Rule::kUs ? UsDaylightTime(year) : EuropeanDaylightTime(year);
  if (day == changes.begin) return minute >= forward_minute_;
  if (day == changes.end) return minute < kBackMinute;
  return day > changes.begin && day < changes.end;
}

int64_t Zone::ToUtcNs(Day day, int minute) const {
  for (; minute < 0; minute += kMinutesPerDay) day = day - 1;
  for (; minute >= kMinutesPerDay; minute -= kMinutesPerDay) day = day + 1;
  const int offset = offset_minutes_ + (IsDaylightTime(day, minute) ? 60 : 0);
  return day.start_ns() + (int64_t{minute} - offset) * kNsPerMinute;
}

}  // namespace lode::calendar
