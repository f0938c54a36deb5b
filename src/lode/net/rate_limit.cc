#include "lode/net/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace lode::net {
namespace {

constexpr double kHighestRate = 100'000;  // bounds the memory of one limit
// The server sees starts with the network's jitter: a window a little longer than a second keeps a full burst legal.
constexpr double kMargin = 1.02;

}  // namespace

RateLimit::RateLimit(double requests_per_s, std::chrono::seconds window) {
  const double seconds = static_cast<double>(window.count());
  if (!(requests_per_s > 0) || requests_per_s * seconds > kHighestRate) return;
  const double burst = std::max(1.0, std::floor(requests_per_s * seconds));
  burst_ = static_cast<size_t>(burst);
  window_ = std::chrono::nanoseconds(static_cast<int64_t>(std::min(burst / requests_per_s, 86'400.0) * kMargin * 1e9));
}

RateLimit::TimePoint RateLimit::NextStart(TimePoint now) const {
  if (burst_ == 0 || starts_.size() < burst_) return now;
  return std::max(now, starts_.front() + window_);
}

void RateLimit::Take(TimePoint now) {
  if (burst_ == 0) return;
  if (starts_.size() == burst_) starts_.pop_front();
  starts_.push_back(now);
}

}  // namespace lode::net
