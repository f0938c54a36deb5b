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

}  // namespace lode::cli
