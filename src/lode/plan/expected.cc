#include "lode/plan/expected.h"

#include <algorithm>

namespace lode::plan {

std::vector<VendorDay> DaysOfCondition(std::span<const VendorDay> condition, Day first, Day last) {
  if (last < first) return {};
  const auto begin = std::ranges::lower_bound(condition, first, {}, &VendorDay::day);
  const auto end = std::ranges::upper_bound(condition, last, {}, &VendorDay::day);
  return {begin, end};
}

std::vector<VendorDay> DaysOfCalendar(const std::function<bool(Day)>& is_session, Day first, Day last, Day ready) {
  std::vector<VendorDay> days;
  for (Day day = first; day <= last; day = day + 1) {
    if (!is_session(day)) continue;
    days.push_back({day, day > ready ? VendorDay::State::kPending : VendorDay::State::kAvailable, {}});
  }
  return days;
}

}  // namespace lode::plan
