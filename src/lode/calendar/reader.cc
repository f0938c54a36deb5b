#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lode/base/toml_depth.h"
#include "lode/calendar/calendar.h"

namespace lode::calendar {
namespace {

constexpr size_t kMostDots = 4;
constexpr std::array<std::string_view, 7> kWeek = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 13> kKeys = {"title",    "version",      "names",   "roots", "base",
                                                    "zone",     "first",        "last",    "week",  "hours",
                                                    "holidays", "early_closes", "sessions"};
constexpr std::array<std::string_view, 3> kKeysOfBase = {"zone", "week", "hours"};

// The parser was told the file's name: a place is FILE:LINE.
template <typename... Args>
std::unexpected<Error> Refuse(const toml::source_region& place, fmt::format_string<Args...> format, Args&&... args) {
  return Fail(ErrorKind::kConfig, "{}:{}: {}", *place.path, place.begin.line,
              fmt::format(format, std::forward<Args>(args)...));
}

std::optional<int> TwoDigits(std::string_view text) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.size() != 2 || text[0] == '-' || problem != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// "09:30", "24:00", "-1 17:00" (the day before) as minutes of the day.
Result<int> ParseClock(std::string_view text, const toml::source_region& place) {
  const bool day_before = text.starts_with("-1 ");
  const std::string_view clock = day_before ? text.substr(3) : text;
  if (clock.size() == 5 && clock[2] == ':') {
    const std::optional<int> hour = TwoDigits(clock.substr(0, 2)), minute = TwoDigits(clock.substr(3));
    if (hour && minute && *hour <= 24 && *minute < (*hour == 24 ? 1 : 60)) {
      return *hour * 60 + *minute - (day_before ? 1440 : 0);
    }
  }
  return Refuse(place, "not a time of day: \"{}\" (write 09:30, 24:00 or -1 17:00)", text.substr(0, 32));
}

Result<Day> ReadDay(const toml::node& node) {
  const std::optional<toml::date> date = node.value<toml::date>();
  if (!date) return Refuse(node.source(), "not a date (write 2024-01-31, without quotes)");
  return ToDay({date->year, date->month, date->day});
}

std::string TextOf(const toml::node& node) { return node.value_or(std::string()); }

}  // namespace

// Builds a Calendar key by key.
class CalendarReader {
 public:
  CalendarReader(const toml::table& table, std::span<const Calendar> shipped) : table_(table), shipped_(shipped) {}

  Result<Calendar> Read(std::string_view name) && {
    LODE_TRY(CheckKeys());
    LODE_TRY(Calendar calendar, Begin());
    calendar_ = &calendar;
    // What replaces a shipped calendar goes on under its other names; what is only made from one has none of them.
    const auto replaced = std::ranges::find(shipped_, name, &Calendar::name);
    const bool replaces = replaced != shipped_.end();
    calendar.name_ = name;
    calendar.origin_ = *table_.source().path;
    calendar.aliases_ = replaces ? replaced->aliases_ : std::vector<std::string>();
    calendar.roots_ = replaces ? replaced->roots_ : std::vector<std::string>();
    LODE_TRY(ReadText("title", calendar.title_));
    LODE_TRY(ReadText("version", calendar.version_));
    LODE_TRY(ReadTexts("names", calendar.aliases_));
    LODE_TRY(ReadTexts("roots", calendar.roots_));
    LODE_TRY(ReadEnd("first", calendar.first_));
    LODE_TRY(ReadEnd("last", calendar.last_));
    if (!table_.contains("base")) {
      LODE_TRY(ReadWeek());
      LODE_TRY(ReadHours());
    }
    LODE_TRY(ReadSessions());
    LODE_TRY(ReadHolidays());
    LODE_TRY(ReadEarlyCloses());
    return calendar;
  }

 private:
  Status CheckKeys() const {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(kKeys, key.str()) == kKeys.end()) {
        return Refuse(key.source(), "unknown key {} (known: {})", key.str().substr(0, 64), fmt::join(kKeys, ", "));
      }
      if (table_.contains("base") && std::ranges::find(kKeysOfBase, key.str()) != kKeysOfBase.end()) {
        return Refuse(key.source(), "{} is that of the base; leave out `base` for your own", key.str());
      }
    }
    return Ok();
  }

  // The base, or a calendar without days in a zone.
  Result<Calendar> Begin() const {
    if (const toml::node* node = table_.get("base")) {
      const auto base = std::ranges::find(shipped_, TextOf(*node), &Calendar::name);
      if (base != shipped_.end()) return *base;
      std::vector<std::string_view> names;
      for (const Calendar& calendar : shipped_) names.push_back(calendar.name());
      return Refuse(node->source(), "no shipped calendar \"{}\" to begin with (known: {})", TextOf(*node).substr(0, 64),
                    fmt::join(names, ", "));
    }
    const toml::node* node = table_.get("zone");
    if (node == nullptr) return Refuse(table_.source(), "neither `zone` nor `base`");
    const std::optional<Zone> zone = Zone::Find(TextOf(*node));
    if (!zone) return Refuse(node->source(), "no time zone \"{}\"", TextOf(*node).substr(0, 64));
    return Calendar(*zone);
  }

  Status ReadText(std::string_view key, std::string& text) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Ok();
    if (!node->is_string()) return Refuse(node->source(), "`{}` is not a text", key);
    text = TextOf(*node);
    return Ok();
  }

  Status ReadTexts(std::string_view key, std::vector<std::string>& texts) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Ok();
    const toml::array* array = node->as_array();
    texts.clear();
    if (array == nullptr) return Refuse(node->source(), "`{}` is not a list of texts", key);
    for (const toml::node& text : *array) {
      if (!text.is_string()) return Refuse(text.source(), "`{}` is not a list of texts", key);
      texts.push_back(TextOf(text));
    }
    return Ok();
  }

  Status ReadEnd(std::string_view key, std::optional<Day>& day) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Ok();
    LODE_TRY(day, ReadDay(*node));
    return Ok();
  }

  Status ReadWeek() {
    const toml::array* week = table_["week"].as_array();
    if (week == nullptr || week->empty()) return Refuse(table_.source(), "`week` is missing: the weekdays that trade");
    for (const toml::node& node : *week) {
      const auto weekday = std::ranges::find(kWeek, TextOf(node));
      if (weekday == kWeek.end()) return Refuse(node.source(), "`week` is of {}", fmt::join(kWeek, ", "));
      calendar_->week_ = static_cast<uint8_t>(calendar_->week_ | 1 << (weekday - kWeek.begin()));
    }
    return Ok();
  }

  Status ReadHours() {
    const toml::array* periods = table_["hours"].as_array();
    if (periods == nullptr || periods->empty()) return Refuse(table_.source(), "[[hours]] is missing");
    for (const toml::node& node : *periods) {
      const toml::table* period = node.as_table();
      if (period == nullptr) return Refuse(node.source(), "[[hours]] is not a table");
      LODE_TRY(const Calendar::Hours hours, ReadPeriod(*period));
      if (!calendar_->hours_.empty() && hours.from < calendar_->hours_.back().from) {
        return Refuse(node.source(), "[[hours]] are not in the order of `from`");
      }
      calendar_->hours_.push_back(hours);
    }
    return Ok();
  }

  static Result<Calendar::Hours> ReadPeriod(const toml::table& period) {
    const auto clock = [&](std::string_view key) {
      const toml::node* node = period.get(key);
      return node == nullptr ? ParseClock("", period.source()) : ParseClock(TextOf(*node), node->source());
    };
    Calendar::Hours hours{.from = ToDay({1, 1, 1})};
    if (const toml::node* from = period.get("from")) {
      LODE_TRY(hours.from, ReadDay(*from));
    }
    LODE_TRY(hours.open, clock("open"));
    LODE_TRY(hours.close, clock("close"));
    if (period.contains("break_start") != period.contains("break_end")) {
      return Refuse(period.source(), "a break needs start and end");
    }
    bool ordered = hours.open < hours.close;
    if (period.contains("break_start")) {
      LODE_TRY(hours.break_start, clock("break_start"));
      LODE_TRY(hours.break_end, clock("break_end"));
      ordered =
          hours.open < *hours.break_start && *hours.break_start < *hours.break_end && *hours.break_end < hours.close;
    }
    if (!ordered) return Refuse(period.source(), "[[hours]] run backwards");
    return hours;
  }

  // The lines `DAY = "text"` of a table, by `read(day, text, place)`.
  template <typename Read>
  Status ReadDays(std::string_view key, const Read& read) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Ok();
    const toml::table* days = node->as_table();
    if (days == nullptr) return Refuse(node->source(), "`{}` is not a table of days", key);
    for (const auto& [day_text, text] : *days) {
      const Result<Day> day = ParseDay(day_text.str());
      if (!day) return Refuse(day_text.source(), "{}", day.error().message);
      if (TextOf(text).empty()) return Refuse(day_text.source(), "{} has no name", day_text.str());
      LODE_TRY(read(*day, TextOf(text), day_text.source()));
    }
    return Ok();
  }

  // Sessions on days that would be closed, or as usual where one would close early.
  Status ReadSessions() {
    return ReadDays("sessions", [&](Day day, const std::string& name, const toml::source_region& place) -> Status {
      if (!calendar_->Covers(day)) return Refuse(place, "{} is before `first` or after `last`", FormatDay(day));
      if (calendar_->IsSession(day) && !calendar_->early_closes_.contains(day)) {
        return Refuse(place, "{} is a usual session anyway", FormatDay(day));
      }
      calendar_->holidays_.erase(day);
      calendar_->early_closes_.erase(day);
      calendar_->extra_sessions_.insert_or_assign(day, name);
      return Ok();
    });
  }

  // Holidays and early closes are of days with a session: anything else is a slip.
  Status CheckException(Day day, const toml::source_region& place) const {
    if (calendar_->IsSession(day)) return Ok();
    return Refuse(place, "{} is an exception to nothing: it has no session", FormatDay(day));
  }

  Status ReadHolidays() {
    return ReadDays("holidays", [&](Day day, const std::string& name, const toml::source_region& place) -> Status {
      LODE_TRY(CheckException(day, place));
      if (calendar_->extra_sessions_.contains(day)) {
        return Refuse(place, "{} is both a holiday and in [sessions]", FormatDay(day));
      }
      calendar_->early_closes_.erase(day);
      calendar_->holidays_.emplace(day, name);
      return Ok();
    });
  }

  // 2024-07-03 = "13:00 Before Independence Day"
  Status ReadEarlyCloses() {
    return ReadDays("early_closes", [&](Day day, const std::string& text, const toml::source_region& place) -> Status {
      LODE_TRY(CheckException(day, place));
      const size_t end = text.starts_with("-1 ") ? 8 : 5;
      LODE_TRY(const int close, ParseClock(std::string_view(text).substr(0, end), place));
      const Calendar::Hours& hours = calendar_->HoursOf(day);
      if (close <= hours.open || close >= hours.close) {
        return Refuse(place, "{} does not close early at {}", FormatDay(day), text.substr(0, end));
      }
      calendar_->early_closes_.insert_or_assign(
          day, Calendar::EarlyClose{close, text.size() > end ? text.substr(end + 1) : ""});
      return Ok();
    });
  }

  const toml::table& table_;
  std::span<const Calendar> shipped_;
  Calendar* calendar_ = nullptr;
};

Result<Calendar> Calendar::Parse(std::string_view toml, std::string_view name, const std::string& origin_name,
                                 std::span<const Calendar> shipped) {
  if (config::LongestDottedKey(toml) > kMostDots) {
    return Fail(ErrorKind::kConfig, "{}: a key of too many parts", origin_name);
  }
  try {
    const toml::table table = toml::parse(toml, origin_name);
    return CalendarReader(table, shipped).Read(name);
  } catch (const toml::parse_error& problem) {
    return Fail(ErrorKind::kConfig, "{}:{}: {}", origin_name, problem.source().begin.line, problem.description());
  } catch (const std::exception& problem) {
    return Fail(ErrorKind::kConfig, "{}: {}", origin_name, problem.what());
  }
}

}  // namespace lode::calendar
