// Whether and when a request that failed is tried again. Pure: what happened, the clock and the random number come in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lode/net/http.h"

namespace lode::net {

// One try that did not succeed.
struct TryFailure {
  FailureClass reason = FailureClass::kTransient;
  ErrorKind kind = ErrorKind::kPartial;
  std::string what;                // "HTTP 503: overloaded", "connection reset"
  bool again = false;              // worth another try at all
  bool surely_unreceived = false;  // the server did not act on it, so even an unrepeatable request may be sent again
  bool at_once = false;            // no need to wait: the next try asks another way
  std::optional<std::chrono::milliseconds> retry_after;
};

// What a status that is not success means. `what` holds the status only.
TryFailure JudgeStatus(int status);

// How far a request has come.
struct RetryState {
  int failures = 0;  // in a row, without progress between them
  int timeouts = 0;
};

struct RetryAdvice {
  bool again = false;
  std::chrono::milliseconds wait{0};
  // Not again: why the request ends. kTimeout of a halvable request, else the failure's own.
  FailureClass reason = FailureClass::kNone;
  std::string_view because;  // "", "tries used up", "it may have been received", …
};

// Counts `failure` in `state` and decides. `random` is uniform in [0, 1).
RetryAdvice Advise(const RetryPolicy& policy, const Request& request, const TryFailure& failure, RetryState* state,
                   double random);

// Full jitter: uniform in [0, min(longest_wait, first_wait * 2^(failures - 1))).
std::chrono::milliseconds BackOff(const RetryPolicy& policy, int failures, double random);

// "120" or an HTTP date (RFC 9110: IMF-fixdate, RFC 850 and asctime forms), as a wait from `now_s` (seconds since
// 1970), never negative. nullopt on anything else.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text, int64_t now_s);

}  // namespace lode::net
