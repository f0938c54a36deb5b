#include "lode/lake/merge.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "lode/lake/testing/rows_fixture.h"

namespace lode::lake {
namespace {

using testing::BarRow;
using testing::Bars;
using testing::FixedStream;
using testing::MakeBars;

class MergeTest : public ::testing::Test {
 protected:
  // Cuts rows into batches of `batch_rows`.
  std::unique_ptr<RowStream> Stream(const std::vector<BarRow>& rows, size_t batch_rows = 2) {
    std::vector<Batch> batches;
    for (size_t i = 0; i < rows.size(); i += batch_rows) {
      const size_t end = std::min(rows.size(), i + batch_rows);
      batches.push_back(MakeBars(
          {rows.begin() + static_cast<std::ptrdiff_t>(i), rows.begin() + static_cast<std::ptrdiff_t>(end)}, strings_));
    }
    return std::make_unique<FixedStream>(std::move(batches));
  }

  std::vector<BarRow> Run(std::unique_ptr<RowStream> existing, std::vector<std::unique_ptr<RowStream>> incoming) {
    const MergeRules rules{.precedence = [&](int32_t file, Day) { return precedence_[file]; },
                           .replaced = [](const arrow::RecordBatch&, uint32_t, int32_t, Day) { return false; },
                           .conflict = [&](int32_t, int64_t row, const std::string&) { conflicts_.push_back(row); }};
    std::vector<BarRow> rows;
    auto counts =
        MergeStreams(Bars(), strings_, std::move(existing), std::move(incoming), rules, [&](const Batch& batch) {
          testing::ReadBars(*batch, strings_, rows);
          return Ok();
        });
    EXPECT_TRUE(counts.has_value());
    counts_ = *counts;
    return rows;
  }

  codec::StringPool strings_;
  std::map<int32_t, Precedence> precedence_;  // by source file id; -1: present rows
  std::vector<int64_t> conflicts_;
  MergeCounts counts_;
};

TEST_F(MergeTest, TheHigherVendorDateWinsThenTheLaterReceipt) {
  precedence_ = {{-1, {Day{100}, 0}}, {7, {Day{100}, 2}}, {8, {Day{99}, 3}}};
  std::vector<std::unique_ptr<RowStream>> incoming;
  incoming.push_back(
      Stream({{.ts_us = 1, .close = 11, .source_file = 7}, {.ts_us = 2, .close = 12, .source_file = 8}}));
  const auto rows =
      Run(Stream({{.ts_us = 1, .close = 1}, {.ts_us = 2, .close = 2}, {.ts_us = 3, .close = 3}}), std::move(incoming));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].close, 11);  // same vendor date, later receipt
  EXPECT_EQ(rows[1].close, 2);   // older vendor date loses to what is there
  EXPECT_EQ(rows[2].close, 3);
}

TEST_F(MergeTest, EqualRowsOfOneImportCollapseAndContradictionsAreRefused) {
  precedence_ = {{7, {std::nullopt, 9}}, {-1, {}}};
  std::vector<std::unique_ptr<RowStream>> incoming;
  incoming.push_back(Stream({{.ts_us = 1, .close = 5, .source_file = 7, .source_row = 0},
                             {.ts_us = 1, .close = 5, .source_file = 7, .source_row = 1},
                             {.ts_us = 2, .close = 6, .source_file = 7, .source_row = 2},
                             {.ts_us = 2, .close = 7, .source_file = 7, .source_row = 3}}));
  const auto rows = Run(Stream({{.ts_us = 2, .close = 2}}), std::move(incoming));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].close, 5);
  EXPECT_EQ(rows[1].close, 2);  // neither of the contradicting rows is believed
  EXPECT_EQ(counts_.duplicates, 1);
  EXPECT_EQ(conflicts_, (std::vector<int64_t>{2, 3}));
}

TEST_F(MergeTest, DaysOfAMarketGiveWayAsAWhole) {
  codec::TableSchema schema = Bars();
  schema.merge = codec::MergeRule::kReplaceDays;
  constexpr int64_t kDayUs = kNsPerDay / 1000;
  precedence_ = {{-1, {}}, {7, {std::nullopt, 9}}};
  const std::vector<BarRow> present = {{.ts_us = 1, .close = 1},
                                       {.ts_us = 2, .close = 2},
                                       {.ts_us = 3, .close = 3},
                                       {.ts_us = kDayUs, .close = 4},
                                       {.ts_us = kDayUs + 1, .close = 5}};
  const std::vector<BarRow> delivered = {{.ts_us = 2, .close = 20, .source_file = 7},
                                         {.ts_us = 4, .close = 40, .source_file = 7}};
  for (const bool with_rows : {true, false}) {
    for (const size_t batch_rows : {1, 2, 10}) {
      std::vector<std::unique_ptr<RowStream>> incoming;
      if (with_rows) incoming.push_back(Stream(delivered, batch_rows));
      const MergeRules rules{
          .precedence = [&](int32_t file, Day) { return precedence_[file]; },
          .replaced = [](const arrow::RecordBatch&, uint32_t, int32_t, Day day) { return day == Day{0}; },
          .conflict = [](int32_t, int64_t, const std::string&) { FAIL(); }};
      std::vector<BarRow> rows;
      ASSERT_TRUE(MergeStreams(schema, strings_, Stream(present, batch_rows), std::move(incoming), rules,
                               [&](const Batch& batch) {
                                 testing::ReadBars(*batch, strings_, rows);
                                 return Ok();
                               }));
      std::vector<int64_t> closes;
      for (const BarRow& row : rows) closes.push_back(row.close);
      EXPECT_EQ(closes, with_rows ? (std::vector<int64_t>{20, 40, 4, 5}) : (std::vector<int64_t>{4, 5})) << batch_rows;
    }
  }
}

TEST_F(MergeTest, SpilledAndMergedRowsEqualAReferenceMap) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto folder = std::filesystem::temp_directory_path() / ("lode-merge-test-" + std::to_string(seed));
  std::filesystem::create_directories(folder);
  for (int round = 0; round < 20; ++round) {
    precedence_ = {{-1, {}}, {3, {std::nullopt, 2}}, {4, {std::nullopt, 3}}};
    std::map<std::pair<int64_t, int64_t>, int64_t> expected;  // (instrument, ts) -> close
    std::vector<BarRow> present;
    for (int i = 0; i < 300; ++i)
      present.push_back({.instrument_id = static_cast<int64_t>(random() % 5), .ts_us = i, .close = 1});
    std::ranges::stable_sort(present, {}, [](const BarRow& row) { return std::pair(row.instrument_id, row.ts_us); });
    for (const BarRow& row : present) expected[{row.instrument_id, row.ts_us}] = row.close;
    PartitionSorter sorter(Bars(), strings_, folder, round % 2 == 0 ? 20'000 : uint64_t{1} << 30);
    for (const int32_t file : {3, 4}) {
      std::map<std::pair<int64_t, int64_t>, int64_t> rows;
      for (int i = 0; i < 400; ++i)
        rows[{static_cast<int64_t>(random() % 5), static_cast<int64_t>(random() % 400)}] =
            static_cast<int64_t>(random() % 1000);
      std::vector<BarRow> shuffled;
      for (const auto& [key, close] : rows) {
        shuffled.push_back({.instrument_id = key.first, .ts_us = key.second, .close = close, .source_file = file});
        expected[key] = close;
      }
      std::ranges::shuffle(shuffled, random);
      for (size_t i = 0; i < shuffled.size(); i += 50) {
        const size_t end = std::min(shuffled.size(), i + 50);
        const std::vector<BarRow> part(shuffled.begin() + static_cast<std::ptrdiff_t>(i),
                                       shuffled.begin() + static_cast<std::ptrdiff_t>(end));
        ASSERT_TRUE(sorter.Add("p", MakeBars(part, strings_)).has_value());
      }
    }
    auto streams = sorter.TakeStreams("p");
    ASSERT_TRUE(streams.has_value());
    EXPECT_EQ(streams->size() > 1, round % 2 == 0) << "the small limit must spill";
    const auto rows = Run(Stream(present, 64), std::move(*streams));
    ASSERT_EQ(rows.size(), expected.size()) << "seed " << seed << " round " << round;
    auto want = expected.begin();
    for (const BarRow& row : rows) {
      ASSERT_EQ(std::pair(row.instrument_id, row.ts_us), want->first) << "seed " << seed;
      ASSERT_EQ(row.close, want->second) << "seed " << seed;
      ++want;
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "spilled runs must be removed";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lode::lake
