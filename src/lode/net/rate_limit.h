// A vendor's "N requests per second", kept to in every second, whichever one looks at. A token bucket with a burst of
// N would let 2N through in its first second, and a vendor that counts exactly would answer 429.
// Vendors that say "N a minute" take a burst: their window is longer.
//
// Pure: the caller says what time it is. Not thread-safe.
#pragma once

#include <chrono>
#include <deque>

namespace lode::net {

class RateLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Rates below 1 allow one request every 1 / rate seconds; 0 or less: no limit.
  // Higher ones are kept to in every second, or in every `window` when that is longer.
  explicit RateLimit(double requests_per_s = 0, std::chrono::seconds window = std::chrono::seconds(1));

  // When the next request may start; not after `now`: at once.
  TimePoint NextStart(TimePoint now) const;
  // Records a start.
  void Take(TimePoint now);

 private:
  size_t burst_ = 0;  // requests a window; 0: no limit
  std::chrono::nanoseconds window_{0};
  std::deque<TimePoint> starts_;  // of the last `burst_` requests, oldest first
};

}  // namespace lode::net
