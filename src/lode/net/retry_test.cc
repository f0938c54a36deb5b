#include "lode/net/retry.h"

#include <gtest/gtest.h>

namespace lode::net {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNow = 1'700'000'000;  // 2023-11-14 22:13:20 UTC, a Tuesday

TEST(RetryAfter, TakesSecondsAndThreeFormsOfDates) {
  EXPECT_EQ(ParseRetryAfter("0", kNow), milliseconds(0));
  EXPECT_EQ(ParseRetryAfter(" 120 ", kNow), milliseconds(120'000));
  EXPECT_EQ(ParseRetryAfter("Tue, 14 Nov 2023 22:13:30 GMT", kNow), milliseconds(10'000));
  EXPECT_EQ(ParseRetryAfter("Tuesday, 14-Nov-23 22:13:30 GMT", kNow), milliseconds(10'000));
  EXPECT_EQ(ParseRetryAfter("Tue Nov 14 22:13:30 2023", kNow), milliseconds(10'000));
  EXPECT_EQ(ParseRetryAfter("Tue, 14 Nov 2023 22:13:10 GMT", kNow), milliseconds(0));  // past
  for (const char* text : {"", "soon", "-5", "1.5", "1e3"}) EXPECT_FALSE(ParseRetryAfter(text, kNow)) << text;
  EXPECT_GT(ParseRetryAfter("99999999999999999999", kNow).value(), milliseconds(0));  // no overflow
}

TEST(BackOff, DoublesUpToTheLongestAndJittersFully) {
  const RetryPolicy policy;
  EXPECT_EQ(BackOff(policy, 1, 0), milliseconds(0));
  EXPECT_EQ(BackOff(policy, 1, 0.5), milliseconds(250));
  EXPECT_EQ(BackOff(policy, 3, 0.5), milliseconds(1000));
  EXPECT_EQ(BackOff(policy, 7, 0.5), milliseconds(15'000));
  EXPECT_EQ(BackOff(policy, 1'000'000, 0.5), milliseconds(15'000));
}

RetryAdvice AdviseOnce(const TryFailure& failure, const Request& request = {}, RetryState state = {}) {
  return Advise(RetryPolicy{}, request, failure, &state, 0.5);
}

TEST(Advise, CountsTries) {
  RetryState state;
  const TryFailure failure = JudgeStatus(500);
  for (int i = 1; i < 8; ++i) EXPECT_TRUE(Advise(RetryPolicy{}, {}, failure, &state, 0.5).again) << i;
  const RetryAdvice last = Advise(RetryPolicy{}, {}, failure, &state, 0.5);
  EXPECT_FALSE(last.again);
  EXPECT_EQ(last.reason, FailureClass::kTransient);
  EXPECT_EQ(last.because, "tries used up");
}

TEST(Advise, WaitsAtLeastWhatTheServerAsks) {
  TryFailure failure = JudgeStatus(429);
  failure.retry_after = milliseconds(7'000);
  EXPECT_EQ(AdviseOnce(failure).wait, milliseconds(7'250));  // and half the first wait of jitter
  failure.retry_after = milliseconds(0);
  EXPECT_EQ(AdviseOnce(failure).wait, milliseconds(250));
  failure.retry_after = milliseconds(300'001);
  EXPECT_FALSE(AdviseOnce(failure).again);
  failure.retry_after = milliseconds(300'000);
  EXPECT_TRUE(AdviseOnce(failure).again);
}

TEST(Advise, TwoTimeoutsEndAHalvableRequest) {
  Request request;
  request.halvable = true;
  RetryState state;
  const RetryPolicy policy;
  EXPECT_TRUE(Advise(policy, request, JudgeStatus(504), &state, 0).again);
  EXPECT_TRUE(Advise(policy, request, JudgeStatus(500), &state, 0).again);
  const RetryAdvice advice = Advise(policy, request, JudgeStatus(408), &state, 0);
  EXPECT_FALSE(advice.again);
  EXPECT_EQ(advice.reason, FailureClass::kTimeout);
  RetryState unhalvable;
  request.halvable = false;
  for (int i = 1; i < 8; ++i) EXPECT_TRUE(Advise(policy, request, JudgeStatus(504), &unhalvable, 0).again);
}

TEST(Advise, UnrepeatableNeedsASurelyUnreceivedRequest) {
  Request request;
  request.repeatable = false;
  for (const int status : {408, 500, 502, 504}) EXPECT_FALSE(AdviseOnce(JudgeStatus(status), request).again) << status;
  for (const int status : {429, 503}) EXPECT_TRUE(AdviseOnce(JudgeStatus(status), request).again) << status;
}

TEST(Advise, FinalMeansFinal) {
  for (const int status : {300, 304, 400, 401, 402, 403, 404, 409, 410, 412, 416, 422, 501, 505}) {
    EXPECT_FALSE(AdviseOnce(JudgeStatus(status)).again) << status;
  }
}

}  // namespace
}  // namespace lode::net
