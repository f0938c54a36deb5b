#include "lode/lake/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "lode/lake/testing/rows_fixture.h"

namespace lode::lake {
namespace {

using testing::BarRow;
using testing::Bars;
using testing::MakeBars;

constexpr int64_t kDayUs = kNsPerDay / 1000;

TEST(RowDays, EndOfDayAgreesWithEachRowsOwnDay) {
  codec::StringPool strings;
  std::mt19937 random(3);
  std::vector<BarRow> bars;
  for (int64_t ts :
       {-2 * kDayUs, -kDayUs - 1, -kDayUs, int64_t{-1}, int64_t{0}, kDayUs - 1, kDayUs, kDayUs, 5 * kDayUs}) {
    for (auto i = random() % 3; i <= 2; ++i) bars.push_back({.ts_us = ts});
  }
  const Batch batch = MakeBars(bars, strings);
  const RowDays days(Bars(), *batch);
  const auto end = static_cast<uint32_t>(bars.size());
  for (uint32_t row = 0; row < end; ++row) {
    uint32_t expected = row + 1;
    while (expected < end && days.At(expected) == days.At(row)) ++expected;
    EXPECT_EQ(days.EndOfDay(row, end), expected) << row;
    EXPECT_EQ(days.EndOfDay(row, row + 1), row + 1);
  }
}

TEST(RowOrder, SameKeyIsCompareEqual) {
  codec::StringPool strings;
  std::mt19937 random(4);
  std::vector<BarRow> bars;
  for (int i = 0; i < 60; ++i) {
    bars.push_back({.instrument_id = static_cast<int64_t>(random() % 2), .ts_us = static_cast<int64_t>(random() % 3)});
  }
  const Batch batch = MakeBars(bars, strings);
  const RowOrder order(Bars(), strings);
  const RowOrder::Keys keys = order.Bind(*batch);
  int same = 0;
  for (uint32_t a = 0; a < bars.size(); ++a) {
    for (uint32_t b = 0; b < bars.size(); ++b) {
      EXPECT_EQ(order.SameKey(keys, a, keys, b), order.Compare(keys, a, keys, b) == 0);
      same += order.SameKey(keys, a, keys, b);
    }
  }
  EXPECT_GT(same, 60);
}

TEST(RowOrder, SortIsStableAndSortedHoweverRowsAreCutIntoBatches) {
  codec::StringPool strings;
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    std::vector<Batch> batches;
    for (uint32_t i = 0; i < 1 + random() % 4; ++i) {
      std::vector<BarRow> bars;
      for (uint32_t row = 0; row < 1 + random() % 30; ++row) {
        bars.push_back(
            {.instrument_id = static_cast<int64_t>(random() % 3), .ts_us = static_cast<int64_t>(random() % 6)});
      }
      batches.push_back(MakeBars(bars, strings));
    }
    const RowOrder order(Bars(), strings);
    std::vector<RowOrder::Keys> keys;
    std::vector<RowRef> expected;
    for (uint32_t batch = 0; batch < batches.size(); ++batch) {
      keys.push_back(order.Bind(*batches[batch]));
      for (uint32_t row = 0; row < batches[batch]->num_rows(); ++row) expected.push_back({batch, row});
    }
    std::ranges::stable_sort(
        expected, [&](RowRef a, RowRef b) { return order.Compare(keys[a.batch], a.row, keys[b.batch], b.row) < 0; });
    const std::vector<RowRef> sorted = order.Sort(batches);
    ASSERT_EQ(sorted.size(), expected.size());
    for (size_t i = 0; i < sorted.size(); ++i) {
      EXPECT_EQ(sorted[i].batch, expected[i].batch);
      EXPECT_EQ(sorted[i].row, expected[i].row);
    }
  }
}

}  // namespace
}  // namespace lode::lake
