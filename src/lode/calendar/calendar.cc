#include "lode/calendar/calendar.h"

#include <algorithm>

#include "lode/base/daylight.h"

namespace lode::calendar {

bool Calendar::IsSession(Day day) const {
  return Covers(day) &&
         (extra_sessions_.contains(day) || ((week_ >> Weekday(day) & 1) != 0 && !holidays_.contains(day)));
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

std::string Calendar::NameOf(Day day) const {
  if (const auto holiday = holidays_.find(day); holiday != holidays_.end()) return holiday->second;
  if (const auto early = early_closes_.find(day); early != early_closes_.end()) return early->second.name;
  if (const auto extra = extra_sessions_.find(day); extra != extra_sessions_.end()) return extra->second;
  return "";
}

}  // namespace lode::calendar
