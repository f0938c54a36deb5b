#include "trading_days.h"

#include "market.h"

namespace lode::vendor {

TradingDays::TradingDays(Day first, uint64_t seed, int64_t now_ns, int pending_days)
    : first_(first), seed_(seed), pending_days_(pending_days), now_ns_(now_ns) {}

int64_t TradingDays::now_ns() const {
  const std::lock_guard lock(mutex_);
  return now_ns_;
}

void TradingDays::SetNow(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  now_ns_ = now_ns;
}

bool TradingDays::IsListed(Day day) { return fixtures::WeekDay(day) != 6; }

DayState TradingDays::StateOf(Day day) const {
  const std::lock_guard lock(mutex_);
  return StateLocked(day, DayOf(now_ns_));
}

std::vector<std::optional<DayState>> TradingDays::StatesOf(Day from, Day to) const {
  std::vector<std::optional<DayState>> states;
  const std::lock_guard lock(mutex_);
  const Day today = DayOf(now_ns_);
  for (Day day = from; day < to; day = day + 1) {
    states.push_back(IsListed(day) ? std::optional(StateLocked(day, today)) : std::nullopt);
  }
  return states;
}

DayState TradingDays::StateLocked(Day day, Day today) const {
  DayState state;
  const bool degraded = fixtures::Mix(seed_ + 17, static_cast<uint64_t>(day.since_epoch)) % 211 == 0;
  state.condition = degraded ? "degraded" : "available";
  state.last_modified = FormatDay(day + 1);
  state.has_data = !fixtures::IsHoliday(day) && IsListed(day) && day >= first_ && day <= today;
  int listed_after = 0;
  for (Day next = day + 1; next < today && listed_after <= pending_days_; next = next + 1)
    listed_after += IsListed(next);
  if (day >= today) {
    state.condition = "pending";  // of today there are records up to now
  } else if (listed_after < pending_days_) {
    state.condition = "pending";
    state.has_data = false;
  }
  if (const auto set = conditions_.find(day); set != conditions_.end()) {
    state.condition = set->second;
    state.has_data = set->second == "available" || set->second == "degraded";
    if (set->second == "missing") state.last_modified.clear();
  }
  if (const auto revised = revisions_.find(day); revised != revisions_.end()) {
    state.revision = revised->second.first;
    state.last_modified = revised->second.second;
  }
  return state;
}

void TradingDays::Revise(const std::vector<Day>& days, Day modified) {
  const std::lock_guard lock(mutex_);
  for (const Day day : days) {
    auto& [revision, date] = revisions_[day];
    ++revision;
    date = FormatDay(modified);
  }
}

void TradingDays::SetCondition(Day day, const std::string& condition) {
  const std::lock_guard lock(mutex_);
  conditions_[day] = condition;
}

}  // namespace lode::vendor
