#include "lode/source/polygon/flat_file.h"

#include <gtest/gtest.h>

namespace lode::source::polygon {
namespace {

TEST(FlatFile, FoldersOfTheBucketAndTheKeptNameSayTheSame) {
  const auto facts = ParseFlatFilePath("/x/us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->schema, "us_stocks_sip/day_aggs_v1");
  EXPECT_EQ(facts->dataset, "us_stocks_sip");
  EXPECT_EQ(facts->first, ParseDay("2024-01-02").value());
  EXPECT_EQ(facts->last, facts->first);
  EXPECT_EQ(facts->symbol, kAllSymbols);
  EXPECT_TRUE(facts->compressed);
  const std::string kept = KeptName(*facts);
  EXPECT_EQ(kept, "us_stocks_sip-day_aggs_v1-2024-01-02.csv.gz");
  const auto again = ParseFlatFilePath(kept);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->schema, facts->schema);
  EXPECT_EQ(again->first, facts->first);
  EXPECT_EQ(again->group, facts->group);
}

TEST(FlatFile, ADayAloneLeavesTheSchemaOpen) {
  const auto facts = ParseFlatFilePath("downloads/2024-01-02.csv");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->schema, "");
  EXPECT_FALSE(facts->compressed);
  EXPECT_EQ(facts->first, ParseDay("2024-01-02").value());
}

TEST(FlatFile, OtherNamesAreNotTaken) {
  for (const char* path : {"glbx-mdp3-20240102.ohlcv-1m.csv", "2024-13-02.csv.gz", "2024-01-02.json", "x2024-01-02.csv",
                           "deribit_trades_2020-03-01_BTC-PERPETUAL.csv.gz", "notes.csv", ".csv.gz",
                           "../etc-day_aggs_v1-2024-01-02.parquet", "US-x_v1-2024-01-02.csv"}) {
    EXPECT_FALSE(ParseFlatFilePath(path)) << path;
  }
}

}  // namespace
}  // namespace lode::source::polygon
