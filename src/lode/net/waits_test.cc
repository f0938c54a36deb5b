#include "lode/net/waits.h"

#include <gtest/gtest.h>

namespace lode::net {
namespace {

using std::chrono::milliseconds;

TEST(Waits, FourNumbersTakeTheDefaultsPlace) {
  ClientOptions options;
  ASSERT_TRUE(ApplyWaits("3,5,20,1000", &options));
  EXPECT_EQ(options.retry.attempts, 3);
  EXPECT_EQ(options.retry.first_wait, milliseconds(5));
  EXPECT_EQ(options.retry.longest_wait, milliseconds(20));
  EXPECT_EQ(options.idle_timeout, milliseconds(1000));
  EXPECT_EQ(options.rate_factor, 1);
  ASSERT_TRUE(ApplyWaits("3,5,20,1000,50", &options));
  EXPECT_EQ(options.rate_factor, 50);
}

TEST(Waits, AnythingElseIsRefusedAndChangesNothing) {
  for (const char* text : {"", "3", "3,5,20", "3,5,20,", "3,5,20,0", "3,5,20,1000,", "3,5,20,1000,0", "3,5,20,1000,1,1",
                           "3;5;20;1000", "a,5,20,1000", "3, 5,20,1000", "99999999999,1,1,1", "-1,5,20,1000"}) {
    ClientOptions options;
    const Status applied = ApplyWaits(text, &options);
    ASSERT_FALSE(applied) << text;
    EXPECT_EQ(applied.error().kind, ErrorKind::kConfig);
    EXPECT_EQ(options.retry.attempts, RetryPolicy().attempts);
    EXPECT_FALSE(options.idle_timeout);
  }
}

}  // namespace
}  // namespace lode::net
