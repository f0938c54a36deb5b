#include "lode/lake/rows.h"

#include <arrow/util/byte_size.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <tuple>

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

TEST(MemoryOf, IsWhatArrowCountsOfASlice) {
  codec::StringPool strings;
  std::vector<BarRow> bars(1000);
  bars[3].symbol = "";
  const Batch whole = MakeBars(bars, strings);
  for (const auto& [offset, rows] : {std::pair(0, 1000), std::pair(7, 500), std::pair(999, 1), std::pair(5, 0)}) {
    const Batch slice = whole->Slice(offset, rows);
    const auto counted = static_cast<double>(arrow::util::ReferencedBufferSize(*slice).ValueOrDie());
    // Arrow counts a bitmap's bytes whole.
    EXPECT_NEAR(static_cast<double>(MemoryOf(*slice)), counted, 2.0 * slice->num_columns()) << offset << " " << rows;
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

// A random batch of bars whose keys repeat and are sometimes null, cut out of a longer one so that it has an offset.
Batch RandomKeys(std::mt19937& random, codec::StringPool& strings, bool sorted) {
  std::vector<BarRow> bars;
  for (uint32_t i = 0; i < 3 + random() % 8; ++i) {
    bars.push_back({.instrument_id = static_cast<int64_t>(random() % 2),
                    .ts_us = static_cast<int64_t>(random() % 4),
                    .symbol = std::array{"", "A", "B"}[random() % 3]});
  }
  if (sorted) {
    std::ranges::sort(bars, {}, [](const BarRow& row) { return std::tuple(row.instrument_id, row.ts_us, row.symbol); });
  }
  return MakeBars(bars, strings)->Slice(static_cast<int64_t>(random() % 3));
}

TEST(RowOrder, AscendsIsEveryRowBeforeTheNext) {
  codec::StringPool strings;
  ASSERT_TRUE(strings.Intern("B"));  // ids do not sort like their texts
  std::mt19937 random(6);
  int ascending = 0;
  for (int round = 0; round < 3000; ++round) {
    const Batch batch = RandomKeys(random, strings, round % 4 != 0);
    const RowOrder order(Bars(), strings);
    const RowOrder::Keys keys = order.Bind(*batch);
    const auto rows = static_cast<uint32_t>(batch->num_rows());
    bool expected = true;
    for (uint32_t row = 1; row < rows; ++row) expected &= order.Compare(keys, row - 1, keys, row) < 0;
    ASSERT_EQ(order.Ascends(keys, rows), expected) << round;
    ascending += expected;
    if (rows > 2) {
      ASSERT_TRUE(order.Ascends(keys, 1));
      ASSERT_TRUE(order.Ascends(keys, 0));
    }
  }
  EXPECT_GT(ascending, 300);
  EXPECT_LT(ascending, 2700);
}

TEST(RowOrder, AscendsByOneColumnOfTimes) {
  const auto numbers = [](std::vector<int64_t> values) {
    arrow::Int64Builder builder;
    (void)builder.AppendValues(values);
    return builder.Finish().ValueOrDie();
  };
  codec::StringPool strings;
  codec::TableSchema schema = *codec::FindDatabentoSchema("trades");
  schema.order = {"source_row"};
  const RowOrder order(schema, strings);
  const auto ascends = [&](std::vector<int64_t> values) {
    arrow::ArrayVector columns;
    const auto stored = codec::StoredSchema(schema);
    for (const auto& field : stored->fields()) {
      columns.push_back(field->name() == "source_row"
                            ? numbers(values)
                            : arrow::MakeArrayOfNull(field->type(), static_cast<int64_t>(values.size())).ValueOrDie());
    }
    const Batch batch = arrow::RecordBatch::Make(stored, static_cast<int64_t>(values.size()), columns);
    return order.Ascends(order.Bind(*batch), static_cast<uint32_t>(values.size()));
  };
  EXPECT_TRUE(ascends({1, 2, 3, 4}));
  EXPECT_FALSE(ascends({1, 2, 2, 4}));
  EXPECT_FALSE(ascends({2, 1, 3, 4}));
  EXPECT_FALSE(ascends({1, 2, 4, 3}));
}

TEST(RowOrder, NextTieIsTheFirstRowWhoseKeyTheNextOneHas) {
  codec::StringPool strings;
  std::mt19937 random(7);
  int ties = 0;
  for (int round = 0; round < 1000; ++round) {
    const Batch batch = RandomKeys(random, strings, true);
    const RowOrder order(Bars(), strings);
    const RowOrder::Keys keys = order.Bind(*batch);
    const auto last = static_cast<uint32_t>(batch->num_rows() - 1);
    for (uint32_t row = 0; row <= last; ++row) {
      uint32_t expected = row;
      while (expected < last && order.Compare(keys, expected, keys, expected + 1) != 0) ++expected;
      ASSERT_EQ(order.NextTie(keys, row, last), expected);
      ties += expected < last;
    }
  }
  EXPECT_GT(ties, 100);
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
