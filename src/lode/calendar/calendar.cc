#include "lode/calendar/calendar.h"

#include <algorithm>

#include "lode/base/daylight.h"
#include "lode/base/embedded.h"
#include "lode/base/nearest.h"

namespace lode::calendar {
namespace {

constexpr std::string_view kFolder = "calendars/";

// Shipped files are ours: one that does not parse is left out, and a test says so.
std::vector<Calendar> ReadShipped() {
  std::vector<Calendar> calendars;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (!file.path.starts_with(kFolder) || !file.path.ends_with(".toml")) continue;
    const std::string_view name = file.path.substr(kFolder.size(), file.path.size() - kFolder.size() - 5);
    if (Result<Calendar> calendar = Calendar::Parse(file.text, name, file.path)) {
      calendars.push_back(*std::move(calendar));
    }
  }
  return calendars;
}

const std::vector<Calendar>& Shipped() {
  static const std::vector<Calendar> calendars = ReadShipped();
  return calendars;
}

}  // namespace

bool Calendar::IsSession(Day day) const {
  return Covers(day) && (week_ >> Weekday(day) & 1) != 0 && !holidays_.contains(day);
}

const Calendar::Hours& Calendar::HoursOf(Day day) const {
  const auto after = std::ranges::upper_bound(hours_, day, {}, &Hours::from);
  return after == hours_.begin() ? *after : *std::prev(after);
}

std::optional<Session> Calendar::SessionOf(Day day) const {
  if (!IsSession(day)) return std::nullopt;
  const Hours& hours = HoursOf(day);
  Session session{day, zone_.ToUtcNs(day, hours.open), zone_.ToUtcNs(day, hours.close), {}, {}, false};
  if (hours.break_start) session.break_start_ns = zone_.ToUtcNs(day, *hours.break_start);
  if (hours.break_end) session.break_end_ns = zone_.ToUtcNs(day, *hours.break_end);
  if (const auto early = early_closes_.find(day); early != early_closes_.end()) {
    session.close_ns = zone_.ToUtcNs(day, early->second.close);
    session.early_close = true;
    // A break that the early close cuts off does not happen.
    if (session.break_start_ns && *session.break_start_ns >= session.close_ns) {
      session.break_start_ns.reset();
      session.break_end_ns.reset();
    }
  }
  return session;
}

std::vector<Session> Calendar::Sessions(Day first, Day last) const {
  if (first_) first = std::max(first, *first_);
  if (last_) last = std::min(last, *last_);
  std::vector<Session> sessions;
  for (Day day = first; day <= last; day = day + 1) {
    if (std::optional<Session> session = SessionOf(day)) sessions.push_back(*session);
  }
  return sessions;
}

std::vector<SpecialDay> Calendar::Holidays(Day first, Day last) const {
  std::vector<SpecialDay> days;
  for (auto at = holidays_.lower_bound(first); at != holidays_.end() && at->first <= last; ++at) {
    days.push_back({at->first, at->second});
  }
  return days;
}

std::vector<SpecialDay> Calendar::EarlyCloses(Day first, Day last) const {
  std::vector<SpecialDay> days;
  for (auto at = early_closes_.lower_bound(first); at != early_closes_.end() && at->first <= last; ++at) {
    days.push_back({at->first, at->second.name});
  }
  return days;
}

std::string Calendar::WhyClosed(Day day) const {
  if (!Covers(day)) return "not covered by " + name_;
  if (const auto holiday = holidays_.find(day); holiday != holidays_.end()) return holiday->second;
  return IsSession(day) ? "" : "weekend";
}

const Calendar* Find(std::string_view name) {
  for (const Calendar& calendar : Shipped()) {
    if (calendar.name() == name || std::ranges::find(calendar.aliases(), name) != calendar.aliases().end())
      return &calendar;
  }
  return nullptr;
}

Result<const Calendar*> Get(std::string_view name) {
  if (const Calendar* calendar = Find(name)) return calendar;
  std::vector<std::string> names;
  for (const Calendar& calendar : Shipped()) {
    names.push_back(calendar.name());
    std::ranges::copy(calendar.aliases(), std::back_inserter(names));
  }
  return Fail(ErrorKind::kConfig, "no calendar \"{}\"{} (known: {})", name.substr(0, 64), DidYouMean(name, names),
              fmt::join(names, ", "));
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Calendar& calendar : Shipped()) names.push_back(calendar.name());
  return names;
}

}  // namespace lode::calendar
