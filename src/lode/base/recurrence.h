// When a pipeline runs: "hourly", "hourly :05", "daily 01:00", "weekly Sun 03:00", "monthly 1 04:00". All of it UTC.
// The hour of the last three may be left out and is 00:00 then, the day of "weekly" is Mon, that of "monthly" 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode {

struct Recurrence {
  enum class Every { kHour, kDay, kWeek, kMonth } every = Every::kDay;
  int minute = 0, hour = 0;
  int weekday = 1;       // kWeek: 0 is Sunday
  int day_of_month = 1;  // kMonth: 1 to 28, which every month has
  bool operator==(const Recurrence&) const = default;
};

// kConfig says what was expected.
Result<Recurrence> ParseRecurrence(std::string_view text);
// The full form: ParseRecurrence of it gives the same again.
std::string Format(const Recurrence& recurrence);

// The first instant after `ns`.
int64_t NextAfter(const Recurrence& recurrence, int64_t ns);
// For OnCalendar= of a systemd timer (systemd.time(7)): "Sun *-*-* 03:00:00 UTC".
std::string SystemdCalendar(const Recurrence& recurrence);
// The five fields of a crontab line (crontab(5)), for a host whose clock is UTC: "0 3 * * 0".
std::string CronFields(const Recurrence& recurrence);

}  // namespace lode
