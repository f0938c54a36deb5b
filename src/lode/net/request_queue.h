// Which request may start when: order, connections and rates of each origin, rates of path prefixes, waits before
// retries. Pure: the caller says what time it is, and starts what comes out. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lode/net/http.h"
#include "lode/net/rate_limit.h"
#include "lode/net/transfer.h"

namespace lode::net {

class RequestQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit RequestQueue(HostLimits limits) : limits_(limits) {}

  // Holds for requests pushed from now on.
  void LimitPath(std::string path_prefix, double requests_per_s, std::chrono::seconds window = std::chrono::seconds(1));

  // Queues by Job::target; of two in one lane (origin and path limit) the lower sequence starts first.
  void Push(std::unique_ptr<Job> job);
  // Queues it when that time has come.
  void PushLater(std::unique_ptr<Job> job, TimePoint when);
  // The server asked for silence: nothing of the job's lane starts before then.
  void Pause(const Job& job, TimePoint until);

  // The next request that may start now, counted as running at its origin; nullptr when none may.
  std::unique_ptr<Job> Pop(TimePoint now);
  // A request that Pop gave out no longer runs.
  void Ended(const std::string& origin);
  // When Pop should be asked again if nothing ends or is pushed before; TimePoint::max(): never.
  TimePoint NextStart(TimePoint now) const;

  bool empty() const { return waiting_.empty() && ready_ == 0; }
  // Everything queued, in order of sequence.
  std::vector<std::unique_ptr<Job>> TakeAll();

 private:
  struct Origin {
    explicit Origin(double rate) : limit(rate) {}
    int running = 0;
    RateLimit limit;
  };
  struct PathLimit {
    std::string prefix;
    RateLimit limit;
  };
  static constexpr size_t kNoPathLimit = SIZE_MAX;
  struct Lane {
    Origin* origin = nullptr;
    size_t path_limit = kNoPathLimit;
    TimePoint paused_until;
    std::deque<std::unique_ptr<Job>> ready;  // sorted by sequence
  };

  Lane& LaneOf(const Job& job);
  // When the lane's first request may start as far as rates and pauses go.
  TimePoint LaneStart(const Lane& lane, TimePoint now) const;
  void TakeDue(TimePoint now);

  HostLimits limits_;
  std::map<std::string, Origin> origins_;  // nodes: lanes point into it
  std::vector<PathLimit> path_limits_;
  std::map<std::pair<std::string, size_t>, Lane> lanes_;
  std::multimap<TimePoint, std::unique_ptr<Job>> waiting_;
  size_t ready_ = 0;
};

}  // namespace lode::net
