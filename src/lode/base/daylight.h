// When clocks change in the US and in Europe, by the law and without a time zone database: a day must not depend on
// which one a machine has installed.
#pragma once

#include "lode/base/time.h"

namespace lode {

// The Sundays on which the clock goes forward and back.
struct DaylightTime {
  Day begin, end;
};

// At two in the morning, local time: Energy Policy Act of 2005, Public Law 99-359 of 1986, Uniform Time Act of 1966.
// Right from 1967 on, but for energy time of 1974 and 1975.
DaylightTime UsDaylightTime(int year);

// At 01:00 UTC: Directive 2000/84/EC. Right from 1996 on.
DaylightTime EuropeanDaylightTime(int year);

// 0 is Sunday, 6 is Saturday.
inline int Weekday(Day day) { return ((day.since_epoch + 4) % 7 + 7) % 7; }

}  // namespace lode
