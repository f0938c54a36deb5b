#include "lode/cli/days.h"

#include <algorithm>
#include <charconv>

#include "lode/base/log.h"

namespace lode::cli {
namespace {

constexpr int kMostDays = 400'000, kMostYears = 1000;

std::optional<int> Number(std::string_view digits) {
  int number = 0;
  bool all_digits = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || !all_digits || problem != std::errc() || end != digits.data() + digits.size()) return {};
  return number;
}

std::unexpected<Error> NotADay(std::string_view text) {
  return Fail(ErrorKind::kUsage, "not a day: {} (write 2024-01-31, today, yesterday or -7d)", text.substr(0, 64));
}

}  // namespace

Result<DayArgument> ParseDayArgument(std::string_view text, Day today) {
  if (text == "today") return DayArgument{today, {}};
  if (text == "yesterday") return DayArgument{today - 1, {}};
  if (text.size() > 2 && text.front() == '-' && text.back() == 'd') {
    std::optional<int> days = Number(text.substr(1, text.size() - 2));
    if (!days || *days > kMostDays) return NotADay(text);
    return DayArgument{today - *days, {}};
  }
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return NotADay(text);
  std::optional<int> year = Number(text.substr(0, 4));
  std::optional<int> month = Number(text.substr(5, 2));
  std::optional<int> day = Number(text.substr(8, 2));
  if (!year || !month || !day || *year < 1 || *month < 1 || *month > 12 || *day < 1 || *day > 31) return NotADay(text);
  int last = DaysInMonth(*year, *month);
  DayArgument parsed{ToDay({*year, *month, std::min(*day, last)}), {}};
  if (*day > last) parsed.notice = fmt::format("{} does not exist; taken as {}", text, FormatDay(parsed.day));
  return parsed;
}

Result<DayRange> ParseDayRange(std::string_view start, std::string_view end, Day today) {
  DayRange range;
  auto read = [&](std::string_view text, std::optional<Day>& day) -> Status {
    if (text.empty()) return Ok();
    LODE_TRY(DayArgument parsed, ParseDayArgument(text, today));
    if (!parsed.notice.empty()) log::Info("{}", parsed.notice);
    day = parsed.day;
    return Ok();
  };
  LODE_TRY(read(start, range.first));
  LODE_TRY(read(end, range.last));
  if (range.first && range.last && *range.last < *range.first) {
    return Fail(ErrorKind::kUsage, "the range ends ({}) before it starts ({})", FormatDay(*range.last),
                FormatDay(*range.first));
  }
  return range;
}

Result<PlanRange> ParsePlanRange(const RangeFlags& flags, std::optional<Day> dataset_start, Day today, Day newest) {
  if (!flags.days.empty() && !flags.start.empty()) {
    return Fail(ErrorKind::kUsage, "give --start or --days, not both");
  }
  if (!flags.backfill_years.empty() && !(flags.start.empty() && flags.days.empty())) {
    return Fail(ErrorKind::kUsage, "give --backfill-years alone, without --start and --days");
  }
  LODE_TRY(DayRange asked, ParseDayRange(flags.start, flags.end, today));
  const Day last = asked.last.value_or(newest);
  if (!flags.days.empty()) {
    const std::optional<int> count = Number(flags.days);
    if (!count || *count < 1 || *count > kMostDays) {
      return Fail(ErrorKind::kUsage, "not a number of days: {} (write --days 30)", flags.days.substr(0, 64));
    }
    asked.first = std::max(last - (*count - 1), dataset_start.value_or(last - (*count - 1)));
  } else if (!flags.backfill_years.empty()) {
    const std::optional<int> years = Number(flags.backfill_years);
    if (!years || *years < 1 || *years > kMostYears) {
      return Fail(ErrorKind::kUsage, "not a number of years: {} (write --backfill-years 10)",
                  flags.backfill_years.substr(0, 64));
    }
    const YearMonthDay now = ToYearMonthDay(today);
    asked.first = ToDay({now.year - *years, now.month, std::min(now.day, DaysInMonth(now.year - *years, now.month))});
  } else if (!asked.first) {
    asked.first = dataset_start;
  } else if (last < *asked.first) {
    return Fail(ErrorKind::kUsage, "the range starts ({}) after yesterday; give --end too", FormatDay(*asked.first));
  }
  if (!asked.first) return Fail(ErrorKind::kUsage, "no first day: give --start, or `start` in the dataset's table");
  return PlanRange{*asked.first, last};
}

}  // namespace lode::cli
