#include "lode/codec/grid_dictionary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "lode/codec/digits.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace lode::codec {
namespace {

// Walking through this many points a value costs less than looking the value up.
constexpr int64_t kPointsPerValue = 16;
constexpr std::array<double, 10> kScales = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// To the nearest, of two to the even one; beyond the range INT32_MIN, which no check gives back.
int32_t Nearest(double value) {
#if defined(__x86_64__)
  return _mm_cvtsd_si32(_mm_set_sd(value));
#else
  if (!(value >= INT32_MIN && value <= INT32_MAX)) return INT32_MIN;
  return static_cast<int32_t>(std::nearbyint(value));
#endif
}

int32_t PointOf(int64_t bits, double scale) { return Nearest(std::bit_cast<double>(bits) * scale); }
bool IsOnGrid(int64_t bits, double scale) { return std::bit_cast<int64_t>(PointOf(bits, scale) / scale) == bits; }

// The next 64 marks as bits; they are 0 after.
uint64_t TakeMarks(uint8_t* marks) {
  uint64_t bits = 0;
  for (unsigned part = 0; part < 64; part += 8) {
    // Byte i of eight goes to bit 56 + i.
    bits |= (Load8(reinterpret_cast<const char*>(marks + part)) * 0x0102040810204080U) >> 56 << part;
  }
  if (bits != 0) std::memset(marks, 0, 64);
  return bits;
}

[[gnu::always_inline]] inline void RankBy(const auto& words, std::span<uint32_t> points, uint32_t least) {
  for (uint32_t& point : points) {
    const uint32_t offset = point - least;
    const auto& word = words[offset / 64];
    point = word.before + static_cast<uint32_t>(std::popcount(word.bits & ((uint64_t{1} << offset % 64) - 1)));
  }
}
#if defined(__x86_64__)
[[gnu::target("popcnt")]] void RankPopcnt(const auto& words, std::span<uint32_t> points, uint32_t least) {
  RankBy(words, points, least);
}
#endif
// Puts how many marks stand before it in the place of each point.
void Rank(const auto& words, std::span<uint32_t> points, uint32_t least) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt")) return RankPopcnt(words, points, least);
#endif
  RankBy(words, points, least);
}

}  // namespace

template <typename T>
bool GridDictionary<T>::Fit(std::span<const T> sample, GridValues kind) {
  kind_ = kind;
  least_ = INT32_MAX;
  greatest_ = INT32_MIN;
  if (sample.empty()) return false;
  if (kind == GridValues::kDoubles) {
    const auto* scale = kScales.begin();
    for (const T value : sample) {
      while (!IsOnGrid(value, *scale)) {
        if (++scale == kScales.end()) return false;
      }
    }
    scale_ = *scale;
    return true;
  }
  using U = std::make_unsigned_t<T>;
  base_ = sample[0];
  step_ = 0;
  for (const T value : sample) {
    const U apart =
        value < base_ ? static_cast<U>(base_) - static_cast<U>(value) : static_cast<U>(value) - static_cast<U>(base_);
    if (step_ == 0 || apart % step_ != 0) step_ = std::gcd(step_, uint64_t{apart});
    if (step_ == 1) break;
  }
  if (step_ == 0) step_ = 1;
  return true;
}

template <typename T>
bool GridDictionary<T>::Append(std::span<const T> values, uint32_t* points) {
  if (kind_ == GridValues::kDoubles) return AppendDoubles(values, points);
  const double scale = 1 / static_cast<double>(step_);
  int32_t least = least_, greatest = greatest_;
  for (const T value : values) {
    // A difference may wrap, or lose digits as a double: what counts is that the point gives the value back.
    const auto apart = static_cast<int64_t>(static_cast<uint64_t>(value) - static_cast<uint64_t>(base_));
    const int32_t point = Nearest(static_cast<double>(apart) * scale);
    if (static_cast<uint64_t>(int64_t{point}) * step_ != static_cast<uint64_t>(apart)) return false;
    least = std::min(least, point);
    greatest = std::max(greatest, point);
    *points++ = static_cast<uint32_t>(point);
  }
  least_ = least;
  greatest_ = greatest;
  return true;
}

template <typename T>
bool GridDictionary<T>::AppendDoubles(std::span<const T> values, uint32_t* points) {
  size_t i = 0;
  if constexpr (sizeof(T) == sizeof(double)) {
#if defined(__x86_64__)
    // Two at a time: a division takes as long for two as for one.
    const __m128d scale = _mm_set1_pd(scale_);
    __m128i differ = _mm_setzero_si128();
    __m128d least = _mm_set1_pd(least_), greatest = _mm_set1_pd(greatest_);
    for (; i + 2 <= values.size(); i += 2) {
      const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values.data() + i));
      const __m128i pair = _mm_cvtpd_epi32(_mm_mul_pd(_mm_castsi128_pd(bits), scale));
      const __m128d whole = _mm_cvtepi32_pd(pair);
      differ = _mm_or_si128(differ, _mm_xor_si128(bits, _mm_castpd_si128(_mm_div_pd(whole, scale))));
      least = _mm_min_pd(least, whole);
      greatest = _mm_max_pd(greatest, whole);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(points + i), pair);
    }
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(differ, _mm_setzero_si128())) != 0xFFFF) return false;
    least_ = static_cast<int32_t>(std::min(_mm_cvtsd_f64(least), _mm_cvtsd_f64(_mm_unpackhi_pd(least, least))));
    greatest_ =
        static_cast<int32_t>(std::max(_mm_cvtsd_f64(greatest), _mm_cvtsd_f64(_mm_unpackhi_pd(greatest, greatest))));
#endif
  }
  for (; i < values.size(); ++i) {
    if (!IsOnGrid(values[i], scale_)) return false;
    const int32_t point = PointOf(values[i], scale_);
    least_ = std::min(least_, point);
    greatest_ = std::max(greatest_, point);
    points[i] = static_cast<uint32_t>(point);
  }
  return true;
}

template <typename T>
bool GridDictionary<T>::Finish(std::span<uint32_t> points, size_t limit) {
  const int64_t range = int64_t{greatest_} - least_ + 1;
  if (range > kPointsPerValue * static_cast<int64_t>(points.size() + 64)) return false;
  const auto least = static_cast<uint32_t>(least_);
  const size_t words = static_cast<size_t>(range + 63) / 64;
  if (marks_.size() < words * 64) marks_.resize(words * 64);
  for (const uint32_t point : points) marks_[point - least] = 1;
  words_.resize(words);
  values_.clear();
  for (size_t i = 0; i < words; ++i) {
    const uint64_t bits = TakeMarks(marks_.data() + 64 * i);
    words_[i] = {bits, static_cast<uint32_t>(values_.size())};
    for (uint64_t rest = bits; rest != 0; rest &= rest - 1) {
      values_.push_back(ValueAt(static_cast<int32_t>(least + 64 * i + static_cast<size_t>(std::countr_zero(rest)))));
    }
  }
  if (values_.size() > limit) return true;
  Rank(words_, points, least);
  return true;
}

template <typename T>
T GridDictionary<T>::ValueAt(int32_t point) const {
  if constexpr (sizeof(T) == sizeof(double)) {
    if (kind_ == GridValues::kDoubles) return std::bit_cast<T>(point / scale_);
  }
  return static_cast<T>(static_cast<uint64_t>(base_) + static_cast<uint64_t>(int64_t{point}) * step_);
}

template class GridDictionary<int32_t>;
template class GridDictionary<int64_t>;

}  // namespace lode::codec
