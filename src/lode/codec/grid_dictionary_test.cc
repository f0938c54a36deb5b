#include "lode/codec/grid_dictionary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace lode::codec {
namespace {

int64_t Bits(double value) { return std::bit_cast<int64_t>(value); }

// Whether the values got indices; what they point at is compared.
template <typename T>
bool Indexes(const std::vector<T>& values, GridValues kind, size_t limit = 1 << 17) {
  static GridDictionary<T> grid;  // used again, as a file's columns do
  if (!grid.Fit(std::span(values).first(std::min<size_t>(values.size(), 100)), kind)) return false;
  std::vector<uint32_t> indices(values.size());
  const size_t half = values.size() / 2;  // pieces of odd lengths too
  if (!grid.Append(std::span(values).first(half), indices.data())) return false;
  if (!grid.Append(std::span(values).subspan(half), indices.data() + half)) return false;
  if (!grid.Finish(indices, limit) || grid.values().size() > limit) return false;
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(grid.values()[indices[i]], values[i]);
  EXPECT_EQ(std::ranges::adjacent_find(grid.values()), grid.values().end());
  return true;
}

TEST(GridDictionary, HoldsPricesOfEveryTick) {
  std::mt19937_64 random(5);
  for (const double scale : {1.0, 10.0, 100.0, 1e4, 1e8, 1e9}) {
    SCOPED_TRACE(scale);
    std::vector<int64_t> values(20'001);
    for (int64_t& value : values) value = Bits((static_cast<double>(random() % 20'000) - 5000.5) / scale);
    EXPECT_EQ(Indexes(values, GridValues::kDoubles), scale < 1e9);  // the halves need one digit more
    for (int64_t& value : values) value = Bits((static_cast<double>(random() % 20'000) + 30'000) / scale);
    EXPECT_TRUE(Indexes(values, GridValues::kDoubles));
  }
}

TEST(GridDictionary, HoldsIntegersOfEveryStep) {
  std::mt19937_64 random(6);
  for (const int64_t step : {1, 7, 250'000'000}) {
    for (const int64_t base : {int64_t{0}, int64_t{-4'000'000'000'000}, INT64_MIN, INT64_MAX - 20'000 * step}) {
      std::vector<int64_t> values(20'001);
      for (int64_t& value : values) value = base + static_cast<int64_t>(random() % 20'000) * step;
      EXPECT_TRUE(Indexes(values, GridValues::kIntegers)) << step << " from " << base;
    }
  }
  std::vector<int32_t> narrow(3001);
  for (int32_t& value : narrow) value = INT32_MIN + static_cast<int32_t>(random() % 20'000);
  EXPECT_TRUE(Indexes(narrow, GridValues::kIntegers));
}

TEST(GridDictionary, RefusesWhatItCannotGiveBack) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double odd :
       {-0.0, std::nan(""), kInfinity, -kInfinity, 1.0 / 3, 3e12, -3e12, 1e-300, std::nextafter(1.5, 2)}) {
    std::vector<int64_t> values(1000, Bits(1.5));
    values[900] = Bits(odd);  // after the sample
    EXPECT_FALSE(Indexes(values, GridValues::kDoubles)) << odd;
    values[10] = Bits(odd);
    EXPECT_FALSE(Indexes(values, GridValues::kDoubles)) << odd;
    values[901] = values[900];
    values[999] = Bits(odd);  // the odd one of a piece
    EXPECT_FALSE(Indexes(values, GridValues::kDoubles)) << odd;
  }
  for (const int64_t odd : {INT64_MAX, INT64_MIN, int64_t{25}, int64_t{1} << 62}) {
    std::vector<int64_t> values(1000, 0);
    values[1] = 10;
    values[900] = odd;
    EXPECT_FALSE(Indexes(values, GridValues::kIntegers)) << odd;
  }
}

TEST(GridDictionary, RefusesWideAndMany) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 1000; ++i) values.push_back(i);
  EXPECT_TRUE(Indexes(values, GridValues::kIntegers, 1000));
  EXPECT_FALSE(Indexes(values, GridValues::kIntegers, 999));
  values.back() = 10'000'000;
  EXPECT_FALSE(Indexes(values, GridValues::kIntegers));
  static GridDictionary<int64_t> grid;
  EXPECT_FALSE(grid.Fit({}, GridValues::kIntegers));
}

}  // namespace
}  // namespace lode::codec
