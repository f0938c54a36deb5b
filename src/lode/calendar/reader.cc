#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lode/base/toml_depth.h"
#include "lode/calendar/calendar.h"

namespace lode::calendar {
namespace {

constexpr size_t kLongestFile = 4 << 20;
constexpr size_t kMostDots = 4;
constexpr std::array<std::string_view, 7> kWeek = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 10> kKeys = {"title", "version", "names", "zone",     "first",
                                                    "last",  "week",    "hours", "holidays", "early_closes"};

std::unexpected<Error> Refuse(std::string_view what) { return Fail(ErrorKind::kConfig, "{}", what); }

std::optional<int> TwoDigits(std::string_view text) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.size() != 2 || text[0] == '-' || problem != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// "09:30", "24:00", "-1 17:00" (the day before) as minutes of the day.
Result<int> ParseClock(std::string_view text) {
  const bool day_before = text.starts_with("-1 ");
  const std::string_view clock = day_before ? text.substr(3) : text;
  if (clock.size() == 5 && clock[2] == ':') {
    const std::optional<int> hour = TwoDigits(clock.substr(0, 2)), minute = TwoDigits(clock.substr(3));
    if (hour && minute && *hour <= 24 && *minute < (*hour == 24 ? 1 : 60)) {
      return *hour * 60 + *minute - (day_before ? 1440 : 0);
    }
  }
  return Fail(ErrorKind::kConfig, "not a time of day: \"{}\" (write 09:30, 24:00 or -1 17:00)", text.substr(0, 32));
}

Result<Day> ReadDay(const toml::date& date) {
  return ParseDay(fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day));
}

std::string TextOf(const toml::node& node) { return node.value_or(std::string()); }

}  // namespace

// Builds a Calendar key by key.
class CalendarReader {
 public:
  CalendarReader(const toml::table& table, Zone zone, std::string_view name) : table_(table), calendar_(zone) {
    calendar_.name_ = name;
  }

  Result<Calendar> Read() && {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(kKeys, key.str()) == kKeys.end()) {
        return Fail(ErrorKind::kConfig, "unknown key {} (known: {})", key.str().substr(0, 64), fmt::join(kKeys, ", "));
      }
    }
    calendar_.title_ = table_["title"].value_or(std::string());
    calendar_.version_ = table_["version"].value_or(std::string());
    if (calendar_.version_.empty()) return Refuse("`version` is missing");
    if (const toml::array* names = table_["names"].as_array()) {
      for (const toml::node& alias : *names) calendar_.aliases_.push_back(TextOf(alias));
    }
    LODE_TRY(ReadEnd("first", calendar_.first_));
    LODE_TRY(ReadEnd("last", calendar_.last_));
    LODE_TRY(ReadWeek());
    LODE_TRY(ReadHours());
    LODE_TRY(ReadHolidays());
    LODE_TRY(ReadEarlyCloses());
    return std::move(calendar_);
  }

 private:
  Status ReadEnd(std::string_view key, std::optional<Day>& day) {
    if (!table_.contains(key)) return Ok();
    const std::optional<toml::date> date = table_[key].value<toml::date>();
    if (!date) return Fail(ErrorKind::kConfig, "`{}` is not a date", key);
    LODE_TRY(day, ReadDay(*date));
    return Ok();
  }

  Status ReadWeek() {
    const toml::array* week = table_["week"].as_array();
    if (week == nullptr || week->empty()) return Refuse("`week` is missing: the weekdays that trade");
    for (const toml::node& node : *week) {
      const auto weekday = std::ranges::find(kWeek, TextOf(node));
      if (weekday == kWeek.end()) return Fail(ErrorKind::kConfig, "`week` is of {}", fmt::join(kWeek, ", "));
      calendar_.week_ = static_cast<uint8_t>(calendar_.week_ | 1 << (weekday - kWeek.begin()));
    }
    return Ok();
  }

  Status ReadHours() {
    const toml::array* periods = table_["hours"].as_array();
    if (periods == nullptr || periods->empty()) return Refuse("[[hours]] is missing");
    for (const toml::node& node : *periods) {
      const toml::table* period = node.as_table();
      if (period == nullptr) return Refuse("[[hours]] is not a table");
      LODE_TRY(Calendar::Hours hours, ReadPeriod(*period));
      calendar_.hours_.push_back(hours);
    }
    if (!std::ranges::is_sorted(calendar_.hours_, {}, &Calendar::Hours::from)) {
      return Refuse("[[hours]] are not in the order of `from`");
    }
    return Ok();
  }

  static Result<Calendar::Hours> ReadPeriod(const toml::table& period) {
    Calendar::Hours hours;
    if (const std::optional<toml::date> from = period["from"].value<toml::date>()) {
      LODE_TRY(hours.from, ReadDay(*from));
    } else {
      hours.from = ToDay({1, 1, 1});
    }
    LODE_TRY(hours.open, ParseClock(period["open"].value_or(std::string_view())));
    LODE_TRY(hours.close, ParseClock(period["close"].value_or(std::string_view())));
    if (period.contains("break_start") != period.contains("break_end")) return Refuse("a break needs start and end");
    bool ordered = hours.open < hours.close;
    if (period.contains("break_start")) {
      LODE_TRY(hours.break_start, ParseClock(period["break_start"].value_or(std::string_view())));
      LODE_TRY(hours.break_end, ParseClock(period["break_end"].value_or(std::string_view())));
      ordered =
          hours.open < *hours.break_start && *hours.break_start < *hours.break_end && *hours.break_end < hours.close;
    }
    if (!ordered) return Refuse("[[hours]] run backwards");
    return hours;
  }

  // Both tables name days of the week that the calendar covers: anything else is a slip.
  Result<Day> ReadException(std::string_view key) {
    LODE_TRY(Day day, ParseDay(key));
    if (!calendar_.IsSession(day)) {
      return Fail(ErrorKind::kConfig, "{} is an exception to nothing: it has no session", key);
    }
    return day;
  }

  Status ReadHolidays() {
    const toml::table* days = table_["holidays"].as_table();
    if (days == nullptr) return Ok();
    for (const auto& [key, node] : *days) {
      LODE_TRY(Day day, ReadException(key.str()));
      std::string name = TextOf(node);
      if (name.empty()) return Fail(ErrorKind::kConfig, "holiday {} has no name", key.str());
      calendar_.holidays_.emplace(day, std::move(name));
    }
    return Ok();
  }

  // 2024-07-03 = "13:00 Before Independence Day"
  Status ReadEarlyCloses() {
    const toml::table* days = table_["early_closes"].as_table();
    if (days == nullptr) return Ok();
    for (const auto& [key, node] : *days) {
      LODE_TRY(Day day, ReadException(key.str()));
      const std::string text = TextOf(node);
      LODE_TRY(int close, ParseClock(std::string_view(text).substr(0, 5)));
      if (close <= calendar_.HoursOf(day).open || close >= calendar_.HoursOf(day).close) {
        return Fail(ErrorKind::kConfig, "{} does not close early at {}", key.str(), text.substr(0, 5));
      }
      calendar_.early_closes_.emplace(day, Calendar::EarlyClose{close, text.size() > 6 ? text.substr(6) : ""});
    }
    return Ok();
  }

  const toml::table& table_;
  Calendar calendar_;
};

Result<Calendar> Calendar::Parse(std::string_view toml, std::string_view name, std::string_view origin_name) {
  const auto parse = [&]() -> Result<Calendar> {
    if (toml.size() > kLongestFile) return Fail(ErrorKind::kConfig, "larger than {} MiB", kLongestFile >> 20);
    if (config::LongestDottedKey(toml) > kMostDots) return Refuse("a key of too many parts");
    try {
      const toml::table table = toml::parse(toml);
      const std::string zone_name = table["zone"].value_or(std::string());
      const std::optional<Zone> zone = Zone::Find(zone_name);
      if (!zone) return Fail(ErrorKind::kConfig, "no time zone \"{}\"", zone_name.substr(0, 64));
      return CalendarReader(table, *zone, name).Read();
    } catch (const toml::parse_error& problem) {
      return Fail(ErrorKind::kConfig, "line {}: {}", problem.source().begin.line, problem.description());
    } catch (const std::exception& problem) {
      return Fail(ErrorKind::kConfig, "{}", problem.what());
    }
  };
  Result<Calendar> calendar = parse();
  if (!calendar) return Fail(ErrorKind::kConfig, "calendar {}: {}", origin_name, calendar.error().message);
  return calendar;
}

}  // namespace lode::calendar
