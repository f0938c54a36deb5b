// Which days of a dataset should exist, and of which symbols. Pure functions: what the vendor or a calendar says comes
// in as values; nothing here reads a disk, a network or a clock.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lode/base/time.h"

namespace lode::plan {

// One expected day, with what the vendor says of it. A day that the vendor's list leaves out is not expected.
struct VendorDay {
  enum class State {
    kAvailable,
    kDegraded,  // there, with known faults
    kPending,   // not ready yet: not requested
    kMissing,   // the vendor has none: not requested
    kNoKey,     // given only with a key, and none is configured: not requested
  };
  Day day;
  State state = State::kAvailable;
  std::optional<Day> modified;  // last_modified_date
  std::string version = {};     // the vendor's name of what it has now, such as an object's ETag; empty: it names none
  bool operator==(const VendorDay&) const = default;
};

// The days of a vendor's condition list (sorted by day, none twice) from `first` to `last`, inclusive. The list rules:
// days before its beginning, after its end or between its entries are not expected.
std::vector<VendorDay> DaysOfCondition(std::span<const VendorDay> condition, Day first, Day last);

// The same where there is no such list: sessions of a calendar. Days after `ready` are pending.
std::vector<VendorDay> DaysOfCalendar(const std::function<bool(Day)>& is_session, Day first, Day last, Day ready);

}  // namespace lode::plan
