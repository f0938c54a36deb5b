// Calendar days of America/New_York, by the rules of US daylight saving time since 1967, without a time zone database:
// a day must not depend on which one a machine has installed.
#pragma once

#include <cstdint>

#include "lode/base/time.h"

namespace lode::codec {

// Midnight in New York at the beginning of `day`, in ns since 1970-01-01 UTC. The change of clocks comes at two in the
// morning, so a day of change begins by the old clock. Energy time of 1974 and 1975 is left out.
int64_t NewYorkMidnightNs(Day day);

// Instants come in runs of equal days, so the last day is remembered. Not thread-safe.
class NewYorkDays {
 public:
  // The day of an instant given in ns since 1970-01-01 UTC.
  Day Of(int64_t ns) {
    if (ns < start_ns_ || ns >= end_ns_) Find(ns);
    return day_;
  }

 private:
  void Find(int64_t ns);

  Day day_;
  int64_t start_ns_ = 0, end_ns_ = 0;  // of day_, end exclusive; empty before the first call
};

}  // namespace lode::codec
