// Days as people give them on the command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode::cli {

struct DayArgument {
  Day day;
  std::string notice;  // "2024-06-31 does not exist; taken as 2024-06-30", else empty
};

// YYYY-MM-DD (a day past its month's end is clamped), "today", "yesterday", "-7d". kUsage otherwise.
Result<DayArgument> ParseDayArgument(std::string_view text, Day today);

struct DayRange {
  std::optional<Day> first, last;  // inclusive
};
// -s and -e, empty when not given. Notices go to the log. kUsage when the range is empty.
Result<DayRange> ParseDayRange(std::string_view start, std::string_view end, Day today);

// -s, -e, --days and --backfill-years as given, empty when not.
struct RangeFlags {
  std::string_view start, end, days, backfill_years = {};
};

// The days that `plan` and `sync` look at, inclusive; first > last: none.
struct PlanRange {
  Day first, last;
  bool empty() const { return last < first; }
  bool operator==(const PlanRange&) const = default;
};

// The end is -e, else `newest`: as a rule yesterday, since today is not over. The start is -s, even before the
// dataset's own; with --backfill-years N today's date N years ago; with --days N that of the last N days, but not
// before `dataset_start`; else `dataset_start`. Notices go to the log. kUsage for two of these, for a range that was
// asked for and is empty, for a count that is none, and when there is no start at all.
Result<PlanRange> ParsePlanRange(const RangeFlags& flags, std::optional<Day> dataset_start, Day today, Day newest);

}  // namespace lode::cli
