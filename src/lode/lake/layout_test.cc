#include "lode/lake/layout.h"

#include <gtest/gtest.h>

#include <set>

namespace lode::lake {
namespace {

TEST(Layout, ExpandsDays) {
  const Day day = ParseDay("2024-01-31").value();
  EXPECT_EQ(Layout::Parse("year={yyyy}/data.parquet")->PathOf(day, "NQ.FUT"), "year=2024/data.parquet");
  EXPECT_EQ(Layout::Parse("month={yyyy}-{mm}/data.parquet")->PathOf(day, "NQ.FUT"), "month=2024-01/data.parquet");
  EXPECT_EQ(Layout::Parse("day={day}/data.parquet")->PathOf(day, "NQ.FUT"), "day=2024-01-31/data.parquet");
}

TEST(Layout, SymbolsAreOneEncodedComponentEach) {
  const auto layout = Layout::Parse("day={day}/{symbol}.parquet");
  ASSERT_TRUE(layout);
  EXPECT_TRUE(layout->has_symbol());
  EXPECT_FALSE(Layout::Parse("day={day}/data.parquet")->has_symbol());
  const Day day = ParseDay("2020-03-01").value();
  EXPECT_EQ(layout->PathOf(day, "BTC-PERPETUAL"), "day=2020-03-01/BTC-PERPETUAL.parquet");
  EXPECT_EQ(layout->PathOf(day, "../BTC"), "day=2020-03-01/" + EncodePathComponent("../BTC") + ".parquet");
  EXPECT_EQ(layout->PathOf(day, "../BTC").find("/", 15), std::string::npos);
  EXPECT_NE(layout->PathOf(day, "btc"), layout->PathOf(day, "BTC"));
}

TEST(Layout, ASymbolMayHaveOneFile) {
  const auto layout = Layout::Parse("series={symbol}/data.parquet");
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->PathOf(ParseDay("2020-03-01").value(), "DGS10"), "series=DGS10/data.parquet");
}

TEST(Layout, RefusesPathsThatLeaveTheFolderOrHoldNeitherTimeNorSymbol) {
  for (const char* text :
       {"", "/x/{day}.parquet", "../{day}.parquet", "{day}/../x.parquet", "{day}/data.csv", "{mm}/data.parquet",
        "data.parquet", "{venue}/{day}.parquet", "{symbol}{mm}.parquet", "{day/data.parquet"}) {
    EXPECT_FALSE(Layout::Parse(text).has_value()) << text;
  }
}

TEST(Layout, PathComponentsNeverEscapeNorCollide) {
  std::set<std::string> seen;
  const std::string long_value(5000, 'A');
  for (const std::string& value : {std::string(".."), std::string("../x"), std::string("ES"), std::string("es"),
                                   std::string("a/b"), std::string("a%2fb"), std::string("\0", 1), std::string(""),
                                   std::string("%"), long_value, long_value + "B", std::string("CON:")}) {
    const std::string encoded = EncodePathComponent(value);
    EXPECT_EQ(encoded.find('/'), std::string::npos);
    EXPECT_NE(encoded, "..");
    EXPECT_LE(encoded.size(), 120u);
    for (const char c : encoded) EXPECT_FALSE(c >= 'a' && c <= 'z');
    EXPECT_TRUE(seen.insert(encoded).second) << encoded;
  }
}

}  // namespace
}  // namespace lode::lake
