#include "lode/codec/double_bounds.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace lode::codec {
namespace {

// Of any number of values, wherever among them the bounds and what is no number stand.
TEST(DoubleBounds, AreFoundAnywhereAndNanIsNone) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto bits = [](double value) { return std::bit_cast<int64_t>(value); };
  EXPECT_EQ(BoundsOfDoubles({}), std::pair(kInfinity, -kInfinity));
  for (size_t count = 1; count < 40; ++count) {
    std::vector<int64_t> values(count, bits(std::nan("")));
    EXPECT_EQ(BoundsOfDoubles(values), std::pair(kInfinity, -kInfinity)) << count;
    for (size_t i = 0; i < count; ++i) {
      values.assign(count, bits(1.5));
      values[i] = bits(std::nan(""));
      EXPECT_EQ(BoundsOfDoubles(values), count == 1 ? std::pair(kInfinity, -kInfinity) : std::pair(1.5, 1.5));
      values[i] = bits(-2.25);
      EXPECT_EQ(BoundsOfDoubles(values), std::pair(-2.25, count == 1 ? -2.25 : 1.5)) << count << " " << i;
      values[i] = bits(1e300);
      EXPECT_EQ(BoundsOfDoubles(values), std::pair(count == 1 ? 1e300 : 1.5, 1e300)) << count << " " << i;
      values[(i + 1) % count] = bits(std::nan(""));
      EXPECT_EQ(BoundsOfDoubles(values).second, count == 1 ? -kInfinity : 1e300) << count << " " << i;
    }
  }
}

}  // namespace
}  // namespace lode::codec
