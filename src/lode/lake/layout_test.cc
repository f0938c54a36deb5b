#include "lode/lake/layout.h"

#include <gtest/gtest.h>

#include <set>

namespace lode::lake {
namespace {

TEST(Layout, ExpandsDays) {
  const Day day = ParseDay("2024-01-31").value();
  EXPECT_EQ(Layout::Parse("year={yyyy}/data.parquet")->PathOf(day, "ES"), "year=2024/data.parquet");
  EXPECT_EQ(Layout::Parse("month={yyyy}-{mm}/data.parquet")->PathOf(day, "ES"), "month=2024-01/data.parquet");
  EXPECT_EQ(Layout::Parse("day={day}/data.parquet")->PathOf(day, "ES"), "day=2024-01-31/data.parquet");
  EXPECT_EQ(Layout::Parse("day={day}/{symbol}.parquet")->PathOf(day, "es/x"), "day=2024-01-31/es%2fx.parquet");
}

TEST(Layout, RefusesPathsThatLeaveTheFolderOrHoldNoTime) {
  for (const char* text : {"", "/x/{day}.parquet", "../{day}.parquet", "{day}/../x.parquet", "{day}/data.csv",
                           "{mm}/data.parquet", "data.parquet", "{venue}/{day}.parquet", "{day/data.parquet"}) {
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
    for (const char c : encoded) EXPECT_FALSE(c >= 'A' && c <= 'Z');
    EXPECT_TRUE(seen.insert(encoded).second) << encoded;
  }
}

}  // namespace
}  // namespace lode::lake
