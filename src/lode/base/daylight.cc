#include "lode/base/daylight.h"

namespace lode {
namespace {

// The n-th Sunday of a month, from 1.
Day NthSunday(int year, int month, int n) {
  const Day first = ToDay({year, month, 1});
  return first + (7 - Weekday(first)) % 7 + 7 * (n - 1);
}

Day LastSunday(int year, int month) {
  const Day last = ToDay({year, month, DaysInMonth(year, month)});
  return last - Weekday(last);
}

}  // namespace

DaylightTime UsDaylightTime(int year) {
  if (year >= 2007) return {NthSunday(year, 3, 2), NthSunday(year, 11, 1)};
  return {year >= 1987 ? NthSunday(year, 4, 1) : LastSunday(year, 4), LastSunday(year, 10)};
}

DaylightTime EuropeanDaylightTime(int year) { return {LastSunday(year, 3), LastSunday(year, 10)}; }

}  // namespace lode
