// The time zones of exchanges, from rules and not from a time zone database (base/daylight.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "lode/base/time.h"

namespace lode::calendar {

class Zone {
 public:
  // "UTC", "America/New_York", "America/Chicago", "Europe/London"; nullopt for any other.
  static std::optional<Zone> Find(std::string_view name);

  std::string_view name() const { return name_; }

  // The instant at which local clocks show `minute` of `day`; minutes below 0 and from 1440 on are of the days around
  // it. Of an hour that comes twice the first is meant; an hour that is left out is taken as after the change.
  // US zones are right from 1967 on (not 1974 and 1975), London from 1996 on.
  int64_t ToUtcNs(Day day, int minute) const;

 private:
  enum class Rule { kNone, kUs, kEurope };
  constexpr Zone(std::string_view name, Rule rule, int offset_minutes, int forward_minute)
      : name_(name), rule_(rule), offset_minutes_(offset_minutes), forward_minute_(forward_minute) {}
  bool IsDaylightTime(Day day, int minute) const;

  std::string_view name_;  // static storage
  Rule rule_;
  int offset_minutes_;  // from UTC, in winter
  int forward_minute_;  // of the day, local time in winter, at which summer begins
};

}  // namespace lode::calendar
