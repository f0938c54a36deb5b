#include "lode/net/request_queue.h"

#include <gtest/gtest.h>

#include <random>

#include "lode/net/rate_limit.h"

namespace lode::net {
namespace {

using std::chrono::milliseconds;
using TimePoint = RequestQueue::TimePoint;

constexpr TimePoint kStart{std::chrono::hours(1000)};

std::unique_ptr<Job> JobTo(uint64_t sequence, const std::string& url) {
  auto job = std::make_unique<Job>();
  job->sequence = sequence;
  job->target = ParseUrl(url).value();
  return job;
}

// Sequences of what may start at `now`.
std::vector<uint64_t> PopAll(RequestQueue* queue, TimePoint now) {
  std::vector<uint64_t> sequences;
  while (const auto job = queue->Pop(now)) sequences.push_back(job->sequence);
  return sequences;
}

TEST(RateLimit, NeverMoreThanTheRateInAnySecond) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    RateLimit limit(20);
    std::vector<TimePoint> starts;
    TimePoint now = kStart;
    while (starts.size() < 400) {
      now = std::max(now, limit.NextStart(now));
      limit.Take(now);
      starts.push_back(now);
      if (random() % 3 == 0) now += milliseconds(random() % 150);
    }
    for (size_t i = 20; i < starts.size(); ++i) {
      EXPECT_GT(starts[i] - starts[i - 20], milliseconds(1000)) << "seed " << seed << " start " << i;
    }
    EXPECT_LT(starts.back() - starts.front(), milliseconds(60'000));
  }
}

TEST(RateLimit, SlowAndAbsentRates) {
  RateLimit slow(20.0 / 60);  // one every three seconds
  EXPECT_EQ(slow.NextStart(kStart), kStart);
  slow.Take(kStart);
  EXPECT_GE(slow.NextStart(kStart), kStart + milliseconds(3000));
  EXPECT_LT(slow.NextStart(kStart), kStart + milliseconds(3100));
  for (const double none : {0.0, -1.0, std::nan("")}) {
    RateLimit limit(none);
    for (int i = 0; i < 1000; ++i) limit.Take(kStart);
    EXPECT_EQ(limit.NextStart(kStart), kStart);
  }
}

TEST(RequestQueue, KeepsOrderAndConnectionLimitsOfEachOrigin) {
  RequestQueue queue(HostLimits{.connections = 2});
  for (const uint64_t i : {0, 1, 2}) queue.Push(JobTo(i, "http://a/x"));
  for (const uint64_t i : {3, 4, 5}) queue.Push(JobTo(i, "http://b/x"));
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{0, 1, 3, 4}));
  EXPECT_EQ(queue.NextStart(kStart), TimePoint::max());
  queue.Ended("http://b");
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{5}));
  queue.Ended("http://a");
  queue.Push(JobTo(1, "http://a/x"));  // a retry goes before what came later
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{1}));
  queue.Ended("http://a");
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{2}));
  EXPECT_TRUE(queue.empty());
}

TEST(RequestQueue, RatesOfOriginAndPathBothCount) {
  RequestQueue queue(HostLimits{.connections = 100, .requests_per_s = 5});
  queue.LimitPath("/v0/", 4);
  queue.LimitPath("/v0/metadata.", 2);
  for (uint64_t i = 0; i < 4; ++i) queue.Push(JobTo(i, "http://a/v0/metadata.x"));
  for (uint64_t i = 4; i < 8; ++i) queue.Push(JobTo(i, "http://a/v0/timeseries.x"));
  queue.Push(JobTo(8, "http://b/v0/other"));
  // Two of metadata, three more until the origin's five; b shares the path's four with a's timeseries.
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{0, 1, 4, 5, 6, 8}));
  const TimePoint next = queue.NextStart(kStart);
  EXPECT_GT(next, kStart + milliseconds(1000));
  EXPECT_TRUE(PopAll(&queue, next - milliseconds(1)).empty());
  EXPECT_EQ(PopAll(&queue, next), (std::vector<uint64_t>{2, 3, 7}));
}

TEST(RequestQueue, AWindowLongerThanASecondAllowsABurst) {
  RequestQueue queue(HostLimits{.connections = 100});
  queue.LimitPath("/fred/", 2, std::chrono::seconds(10));
  for (uint64_t i = 0; i < 45; ++i) queue.Push(JobTo(i, "http://a/fred/series"));
  EXPECT_EQ(PopAll(&queue, kStart).size(), 20u);
  const TimePoint next = queue.NextStart(kStart);
  EXPECT_GT(next, kStart + std::chrono::seconds(10));
  EXPECT_LT(next, kStart + std::chrono::seconds(11));
  EXPECT_EQ(PopAll(&queue, next).size(), 20u);
}

TEST(RequestQueue, APathLimitSetAgainReplacesTheFirst) {
  RequestQueue queue(HostLimits{.connections = 100});
  queue.LimitPath("/m", 1);
  queue.LimitPath("/m", 3);
  for (uint64_t i = 0; i < 5; ++i) queue.Push(JobTo(i, "http://a/m"));
  EXPECT_EQ(PopAll(&queue, kStart), (std::vector<uint64_t>{0, 1, 2}));
}

TEST(RequestQueue, LaterAndPausedRequestsWaitTheirTime) {
  RequestQueue queue(HostLimits{});
  queue.LimitPath("/m", 100);
  queue.PushLater(JobTo(0, "http://a/x"), kStart + milliseconds(50));
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.NextStart(kStart), kStart + milliseconds(50));
  EXPECT_TRUE(PopAll(&queue, kStart + milliseconds(49)).empty());
  queue.Pause(*JobTo(9, "http://a/x"), kStart + milliseconds(80));
  queue.Push(JobTo(1, "http://a/x"));
  queue.Push(JobTo(2, "http://a/m"));
  EXPECT_EQ(PopAll(&queue, kStart + milliseconds(60)), (std::vector<uint64_t>{2}));
  EXPECT_EQ(queue.NextStart(kStart + milliseconds(60)), kStart + milliseconds(80));
  EXPECT_EQ(PopAll(&queue, kStart + milliseconds(80)), (std::vector<uint64_t>{0, 1}));
}

TEST(RequestQueue, TakeAllEmptiesEverything) {
  RequestQueue queue(HostLimits{});
  queue.PushLater(JobTo(0, "http://a/x"), kStart + milliseconds(50));
  queue.Push(JobTo(1, "http://b/x"));
  const auto all = queue.TakeAll();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]->sequence, 0U);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(PopAll(&queue, kStart + milliseconds(100)).empty());
}

}  // namespace
}  // namespace lode::net
