#include "lode/net/retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lode/net/curl.h"

namespace lode::net {
namespace {

using std::chrono::milliseconds;

// Waits past a year are all the same to us, and must not overflow.
constexpr int64_t kLongestSeconds = 366 * 86'400;

bool IsTransientStatus(int status) {
  // 425 and the 52x of gateways in front of a vendor are momentary like 502; 501 and 505 are not.
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

}  // namespace

TryFailure JudgeStatus(int status) {
  TryFailure failure;
  failure.what = fmt::format("HTTP {}", status);
  failure.again = IsTransientStatus(status);
  failure.surely_unreceived = status == 429 || status == 503;
  if (failure.again) {
    failure.reason = status == 408 || status == 504 ? FailureClass::kTimeout : FailureClass::kTransient;
    return failure;
  }
  switch (status) {
    case 401: failure.reason = FailureClass::kUnauthorized, failure.kind = ErrorKind::kRefused; break;
    case 402: failure.reason = FailureClass::kPayment, failure.kind = ErrorKind::kRefused; break;
    case 403: failure.reason = FailureClass::kForbidden, failure.kind = ErrorKind::kRefused; break;
    case 404:
    case 410: failure.reason = FailureClass::kNotFound, failure.kind = ErrorKind::kNotFound; break;
    default: failure.reason = FailureClass::kBadRequest, failure.kind = ErrorKind::kBadInput; break;
  }
  return failure;
}

milliseconds BackOff(const RetryPolicy& policy, int failures, double random) {
  const double longest = static_cast<double>(policy.longest_wait.count());
  const double doubled = static_cast<double>(policy.first_wait.count()) * std::exp2(std::clamp(failures - 1, 0, 60));
  return milliseconds(static_cast<int64_t>(std::min(longest, doubled) * random));
}

RetryAdvice Advise(const RetryPolicy& policy, const Request& request, const TryFailure& failure, RetryState* state,
                   double random) {
  ++state->failures;
  if (failure.reason == FailureClass::kTimeout) ++state->timeouts;
  RetryAdvice advice{.again = false, .wait = milliseconds(0), .reason = failure.reason, .because = ""};
  if (!failure.again) return advice;
  if (!request.repeatable && !failure.surely_unreceived) {
    advice.because = "not sent again: the server may have acted on it";
    return advice;
  }
  if (request.halvable && state->timeouts >= 2 && failure.reason == FailureClass::kTimeout) {
    advice.because = "timed out twice";
    return advice;
  }
  if (state->failures >= policy.attempts) {
    advice.because = "tries used up";
    return advice;
  }
  if (failure.retry_after && *failure.retry_after > policy.longest_retry_after) {
    advice.because = "the server asks for a longer wait than allowed";
    return advice;
  }
  advice.again = true;
  advice.reason = FailureClass::kNone;
  if (failure.at_once) return advice;
  advice.wait = BackOff(policy, state->failures, random);
  if (failure.retry_after) {
    // At least what was asked; the jitter keeps many waiters from coming back in one instant.
    const double jitter = static_cast<double>(policy.first_wait.count()) * random;
    advice.wait = std::max(advice.wait, *failure.retry_after + milliseconds(static_cast<int64_t>(jitter)));
  }
  return advice;
}

std::optional<milliseconds> ParseRetryAfter(std::string_view text, int64_t now_s) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty() || text.size() > 64) return std::nullopt;
  int64_t seconds = 0;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc()) seconds = kLongestSeconds;
  } else {
    const time_t date = Curl().getdate(std::string(text).c_str(), nullptr);
    if (date < 0) return std::nullopt;
    seconds = static_cast<int64_t>(date) - now_s;
  }
  return milliseconds(1000 * std::clamp<int64_t>(seconds, 0, kLongestSeconds));
}

}  // namespace lode::net
