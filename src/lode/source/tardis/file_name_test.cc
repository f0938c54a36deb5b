#include "lode/source/tardis/file_name.h"

#include <gtest/gtest.h>

namespace lode::source::tardis {
namespace {

TEST(TardisFileName, DownloadPathAndClientNameSayTheSame) {
  const auto by_path = ParseFilePath("/d/binance-futures/book_snapshot_25/2020/03/01/BTCUSDT.csv.gz");
  ASSERT_TRUE(by_path);
  EXPECT_EQ(by_path->dataset, "binance-futures");
  EXPECT_EQ(by_path->schema, "tardis/book_snapshot_25");
  EXPECT_EQ(by_path->symbol, "BTCUSDT");
  EXPECT_EQ(by_path->first, ParseDay("2020-03-01").value());
  EXPECT_TRUE(by_path->compressed);
  EXPECT_EQ(KeptName(*by_path), "binance-futures_book_snapshot_25_2020-03-01_BTCUSDT.csv.gz");
  const auto by_name = ParseFilePath(KeptName(*by_path));
  ASSERT_TRUE(by_name);
  EXPECT_EQ(by_name->dataset, by_path->dataset);
  EXPECT_EQ(by_name->schema, by_path->schema);
  EXPECT_EQ(by_name->symbol, by_path->symbol);
  EXPECT_EQ(by_name->first, by_path->first);
  EXPECT_EQ(by_name->group, by_path->group);
}

TEST(TardisFileName, DataTypesThatBeginAnotherAndSymbolsWithBarsAreToldApart) {
  EXPECT_EQ(ParseFilePath("x_book_snapshot_5_2020-03-01_A.csv")->schema, "tardis/book_snapshot_5");
  EXPECT_EQ(ParseFilePath("x_incremental_book_L2_2020-03-01_A_B.csv")->symbol, "A_B");
  const auto dayless = ParseFilePath("bitmex_trades_XBTUSD.csv");
  ASSERT_TRUE(dayless);
  EXPECT_EQ(dayless->symbol, "XBTUSD");
  EXPECT_FALSE(dayless->first);
  EXPECT_EQ(KeptName(*dayless), "bitmex_trades_XBTUSD.csv");
  EXPECT_EQ(ParseFilePath("deribit_options_chain_2020-03-01_OPTIONS.csv.gz")->symbol, "OPTIONS");
}

TEST(TardisFileName, OtherNamesAreNotTaken) {
  for (const char* path : {"trades.csv", "deribit_trades.csv", "deribit_trades_.csv", "Deribit_trades_A.csv",
                           "a_b_c.csv", "deribit/trades/2020/13/01/A.csv.gz", "deribit/other/2020/03/01/A.csv.gz",
                           "glbx-mdp3-20240102.trades.csv", "2024-01-02.csv.gz"}) {
    EXPECT_FALSE(ParseFilePath(path)) << path;
  }
}

}  // namespace
}  // namespace lode::source::tardis
