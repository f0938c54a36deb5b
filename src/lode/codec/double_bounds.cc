#include "lode/codec/double_bounds.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace lode::codec {

// Several chains of comparisons, because each waits for the one before.
std::pair<double, double> BoundsOfDoubles(std::span<const int64_t> values) {
  constexpr size_t kLanes = 8;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::array<double, kLanes> least, greatest;
  least.fill(kInfinity);
  greatest.fill(-kInfinity);
  size_t i = 0;
#if defined(__x86_64__)
  __m128d low[kLanes / 2], high[kLanes / 2];
  std::ranges::fill(low, _mm_set1_pd(kInfinity));
  std::ranges::fill(high, _mm_set1_pd(-kInfinity));
  for (; i + kLanes <= values.size(); i += kLanes) {
#pragma GCC unroll 4
    for (size_t lane = 0; lane < kLanes / 2; ++lane) {
      const __m128d pair = _mm_loadu_pd(reinterpret_cast<const double*>(values.data() + i + 2 * lane));
      low[lane] = _mm_min_pd(pair, low[lane]);  // the second of the two when the first is NaN
      high[lane] = _mm_max_pd(pair, high[lane]);
    }
  }
  for (size_t lane = 0; lane < kLanes / 2; ++lane) {
    _mm_storeu_pd(least.data() + 2 * lane, low[lane]);
    _mm_storeu_pd(greatest.data() + 2 * lane, high[lane]);
  }
#endif
  for (; i < values.size(); ++i) {
    const auto number = std::bit_cast<double>(values[i]);
    least[0] = number < least[0] ? number : least[0];  // NaN is neither below nor above
    greatest[0] = number > greatest[0] ? number : greatest[0];
  }
  return {std::ranges::min(least), std::ranges::max(greatest)};
}

}  // namespace lode::codec
