#include "lode/net/request_queue.h"

#include <algorithm>

namespace lode::net {

void RequestQueue::LimitPath(std::string path_prefix, double requests_per_s, std::chrono::seconds window) {
  const auto known = std::ranges::find(path_limits_, path_prefix, &PathLimit::prefix);
  if (known != path_limits_.end()) {
    known->limit = RateLimit(requests_per_s, window);
    return;
  }
  path_limits_.push_back({std::move(path_prefix), RateLimit(requests_per_s, window)});
}

RequestQueue::Lane& RequestQueue::LaneOf(const Job& job) {
  size_t path_limit = kNoPathLimit;
  for (size_t i = 0; i < path_limits_.size(); ++i) {
    const std::string& prefix = path_limits_[i].prefix;
    if (!job.target.path.starts_with(prefix)) continue;
    if (path_limit == kNoPathLimit || prefix.size() > path_limits_[path_limit].prefix.size()) path_limit = i;
  }
  const auto [lane, is_new] = lanes_.try_emplace({job.target.origin, path_limit});
  if (is_new) {
    lane->second.origin = &origins_.try_emplace(job.target.origin, limits_.requests_per_s).first->second;
    lane->second.path_limit = path_limit;
  }
  return lane->second;
}

void RequestQueue::Push(std::unique_ptr<Job> job) {
  auto& ready = LaneOf(*job).ready;
  ++ready_;
  if (ready.empty() || ready.back()->sequence < job->sequence) {
    ready.push_back(std::move(job));
    return;
  }
  // A retry: older than nearly everything that waits.
  const auto behind = std::ranges::find_if(ready, [&](const auto& other) { return other->sequence > job->sequence; });
  ready.insert(behind, std::move(job));
}

void RequestQueue::PushLater(std::unique_ptr<Job> job, TimePoint when) { waiting_.emplace(when, std::move(job)); }

void RequestQueue::Pause(const Job& job, TimePoint until) {
  Lane& lane = LaneOf(job);
  lane.paused_until = std::max(lane.paused_until, until);
}

RequestQueue::TimePoint RequestQueue::LaneStart(const Lane& lane, TimePoint now) const {
  TimePoint start = std::max(lane.origin->limit.NextStart(now), lane.paused_until);
  if (lane.path_limit != kNoPathLimit) start = std::max(start, path_limits_[lane.path_limit].limit.NextStart(now));
  return start;
}

void RequestQueue::TakeDue(TimePoint now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Push(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
  }
}

std::unique_ptr<Job> RequestQueue::Pop(TimePoint now) {
  TakeDue(now);
  Lane* first = nullptr;
  for (auto& [key, lane] : lanes_) {
    if (lane.ready.empty() || lane.origin->running >= limits_.connections || LaneStart(lane, now) > now) continue;
    if (first == nullptr || lane.ready.front()->sequence < first->ready.front()->sequence) first = &lane;
  }
  if (first == nullptr) return nullptr;
  first->origin->limit.Take(now);
  if (first->path_limit != kNoPathLimit) path_limits_[first->path_limit].limit.Take(now);
  ++first->origin->running;
  std::unique_ptr<Job> job = std::move(first->ready.front());
  first->ready.pop_front();
  --ready_;
  return job;
}

void RequestQueue::Ended(const std::string& origin) {
  if (const auto found = origins_.find(origin); found != origins_.end()) --found->second.running;
}

RequestQueue::TimePoint RequestQueue::NextStart(TimePoint now) const {
  TimePoint next = waiting_.empty() ? TimePoint::max() : waiting_.begin()->first;
  for (const auto& [key, lane] : lanes_) {
    if (lane.ready.empty() || lane.origin->running >= limits_.connections) continue;
    next = std::min(next, LaneStart(lane, now));
  }
  return next;
}

std::vector<std::unique_ptr<Job>> RequestQueue::TakeAll() {
  std::vector<std::unique_ptr<Job>> all;
  for (auto& [when, job] : waiting_) all.push_back(std::move(job));
  waiting_.clear();
  for (auto& [key, lane] : lanes_) {
    std::ranges::move(lane.ready, std::back_inserter(all));
    lane.ready.clear();
  }
  ready_ = 0;
  std::ranges::sort(all, {}, &Job::sequence);
  return all;
}

}  // namespace lode::net
