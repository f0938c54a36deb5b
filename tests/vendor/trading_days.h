// The vendor's days of a data set: which it lists, in what condition, when last modified, and how often revised.
//
// Thread-safe: tests revise days while requests run.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/time.h"

namespace lode::vendor {

struct DayState {
  std::string condition;      // available | degraded | pending | missing
  std::string last_modified;  // empty: null
  int revision = 0;           // 0: as first published
  bool has_data = true;
};

class TradingDays {
 public:
  // `pending_days`: the last listed days before today are not ready.
  TradingDays(Day first, uint64_t seed, int64_t now_ns, int pending_days);

  Day first() const { return first_; }
  int64_t now_ns() const;
  Day today() const { return DayOf(now_ns()); }
  void SetNow(int64_t now_ns);

  // Listed: Sundays to Fridays, holidays included.
  static bool IsListed(Day day);
  DayState StateOf(Day day) const;
  // StateOf for every day of [from, to), under one lock; nullopt for days that are not listed.
  std::vector<std::optional<DayState>> StatesOf(Day from, Day to) const;

  // The days' data change; they are marked as modified on `modified`.
  void Revise(const std::vector<Day>& days, Day modified);
  void SetCondition(Day day, const std::string& condition);

 private:
  DayState StateLocked(Day day, Day today) const;

  const Day first_;
  const uint64_t seed_;
  const int pending_days_;
  mutable std::mutex mutex_;
  int64_t now_ns_;
  std::map<Day, std::pair<int, std::string>> revisions_;
  std::map<Day, std::string> conditions_;
};

}  // namespace lode::vendor
