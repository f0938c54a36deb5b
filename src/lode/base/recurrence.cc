#include "lode/base/recurrence.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "lode/base/daylight.h"

namespace lode {
namespace {

using Every = Recurrence::Every;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr int kMostDayOfMonth = 28;
constexpr int64_t kNsPerMinute = 60 * kNsPerSecond;
constexpr int64_t kNsPerHour = 60 * kNsPerMinute;

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    const size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<int> Number(std::string_view text, int low, int high, size_t digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && text.size() <= digits;
  return whole && number >= low && number <= high ? std::optional(number) : std::nullopt;
}

// "03:00", or ":05" where there is no hour.
bool ReadTime(std::string_view word, bool has_hour, Recurrence* recurrence) {
  const size_t colon = word.find(':');
  if (colon == std::string_view::npos || word.size() != colon + 3) return false;
  const std::optional<int> minute = Number(word.substr(colon + 1), 0, 59, 2);
  const std::optional<int> hour = has_hour ? Number(word.substr(0, colon), 0, 23, 2) : std::optional(0);
  if (!minute || !hour || (!has_hour && colon != 0)) return false;
  recurrence->minute = *minute;
  recurrence->hour = *hour;
  return true;
}

bool ReadDay(std::string_view word, Recurrence* recurrence) {
  if (recurrence->every == Every::kWeek) {
    const auto found = std::ranges::find(kWeekdays, word);
    if (found == kWeekdays.end()) return false;
    recurrence->weekday = static_cast<int>(found - kWeekdays.begin());
    return true;
  }
  const std::optional<int> day = Number(word, 1, kMostDayOfMonth, 2);
  if (recurrence->every != Every::kMonth || !day) return false;
  recurrence->day_of_month = *day;
  return true;
}

std::optional<Recurrence> Read(std::string_view text) {
  const std::vector<std::string_view> words = Words(text);
  if (words.empty()) return std::nullopt;
  Recurrence recurrence;
  if (words[0] == "hourly") {
    recurrence.every = Every::kHour;
  } else if (words[0] == "daily") {
    recurrence.every = Every::kDay;
  } else if (words[0] == "weekly") {
    recurrence.every = Every::kWeek;
  } else if (words[0] == "monthly") {
    recurrence.every = Every::kMonth;
  } else {
    return std::nullopt;
  }
  const bool has_hour = recurrence.every != Every::kHour;
  size_t next = 1;
  if (next < words.size() && !words[next].contains(':')) {
    if (!ReadDay(words[next++], &recurrence)) return std::nullopt;
  }
  if (next < words.size()) {
    if (!ReadTime(words[next++], has_hour, &recurrence)) return std::nullopt;
  }
  return next == words.size() ? std::optional(recurrence) : std::nullopt;
}

// The day's turn, whatever the instant.
bool IsTurn(const Recurrence& recurrence, Day day) {
  if (recurrence.every == Every::kWeek) return Weekday(day) == recurrence.weekday;
  if (recurrence.every == Every::kMonth) return ToYearMonthDay(day).day == recurrence.day_of_month;
  return true;
}

}  // namespace

Result<Recurrence> ParseRecurrence(std::string_view text) {
  const std::optional<Recurrence> recurrence = Read(text);
  if (recurrence) return *recurrence;
  return Fail(ErrorKind::kConfig,
              "expected a time in UTC such as \"hourly :05\", \"daily 01:00\", \"weekly Sun 03:00\" or \"monthly 1 "
              "04:00\" (days of the month: 1 to 28)");
}

std::string Format(const Recurrence& recurrence) {
  const std::string time = fmt::format("{:02}:{:02}", recurrence.hour, recurrence.minute);
  switch (recurrence.every) {
    case Every::kHour: return fmt::format("hourly :{:02}", recurrence.minute);
    case Every::kDay: return "daily " + time;
    case Every::kWeek: return fmt::format("weekly {} {}", kWeekdays[static_cast<size_t>(recurrence.weekday)], time);
    case Every::kMonth: return fmt::format("monthly {} {}", recurrence.day_of_month, time);
  }
  return {};
}

int64_t NextAfter(const Recurrence& recurrence, int64_t ns) {
  Day day = DayOf(ns);
  if (recurrence.every == Every::kHour) {
    const int64_t hour = (ns - day.start_ns()) / kNsPerHour;
    const int64_t turn = day.start_ns() + hour * kNsPerHour + recurrence.minute * kNsPerMinute;
    return turn > ns ? turn : turn + kNsPerHour;
  }
  for (;; day = day + 1) {
    const int64_t turn = day.start_ns() + recurrence.hour * kNsPerHour + recurrence.minute * kNsPerMinute;
    if (IsTurn(recurrence, day) && turn > ns) return turn;
  }
}

std::string SystemdCalendar(const Recurrence& recurrence) {
  const std::string time = fmt::format("{:02}:{:02}:00 UTC", recurrence.hour, recurrence.minute);
  switch (recurrence.every) {
    case Every::kHour: return fmt::format("*-*-* *:{:02}:00 UTC", recurrence.minute);
    case Every::kDay: return "*-*-* " + time;
    case Every::kWeek: return fmt::format("{} *-*-* {}", kWeekdays[static_cast<size_t>(recurrence.weekday)], time);
    case Every::kMonth: return fmt::format("*-*-{:02} {}", recurrence.day_of_month, time);
  }
  return {};
}

std::string CronFields(const Recurrence& recurrence) {
  switch (recurrence.every) {
    case Every::kHour: return fmt::format("{} * * * *", recurrence.minute);
    case Every::kDay: return fmt::format("{} {} * * *", recurrence.minute, recurrence.hour);
    case Every::kWeek: return fmt::format("{} {} * * {}", recurrence.minute, recurrence.hour, recurrence.weekday);
    case Every::kMonth: return fmt::format("{} {} {} * *", recurrence.minute, recurrence.hour, recurrence.day_of_month);
  }
  return {};
}

}  // namespace lode
