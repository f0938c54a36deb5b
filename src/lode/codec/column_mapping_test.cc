#include <gtest/gtest.h>

#include "lode/codec/parquet_file.h"

namespace lode::codec {
namespace {

TEST(ColumnMapping, ReadsNamesAndLiterals) {
  const auto mapping = ParseColumnMapping(R"(
schema = "ohlcv-1d"   # bars
[columns]
ts_event = "date"
publisher_id = { value = 1 }
symbol = { value = "ZLZ4" }
open = { value = 1.5 }
)");
  ASSERT_TRUE(mapping) << mapping.error().ToString();
  EXPECT_EQ(mapping->schema, "ohlcv-1d");
  EXPECT_EQ(mapping->columns,
            (std::map<std::string, std::string>{
                {"ts_event", "date"}, {"publisher_id", "=1"}, {"symbol", "=ZLZ4"}, {"open", "=1.5"}}));
}

TEST(ColumnMapping, EmptyTextMapsNothing) {
  const auto mapping = ParseColumnMapping("");
  ASSERT_TRUE(mapping);
  EXPECT_TRUE(mapping->schema.empty());
  EXPECT_TRUE(mapping->columns.empty());
}

TEST(ColumnMapping, NamesTheBadLine) {
  const auto expect_line = [](std::string_view toml, std::string_view line) {
    const auto mapping = ParseColumnMapping(toml);
    ASSERT_FALSE(mapping) << toml;
    EXPECT_EQ(mapping.error().kind, ErrorKind::kConfig);
    EXPECT_NE(mapping.error().message.find(line), std::string::npos) << mapping.error().message;
  };
  expect_line("[columns\n", "line 1");
  expect_line("[columns]\n\nopen = 5\n", "line 3: open");
  expect_line("[columns]\nopen = { values = 5 }\n", "line 2: open");
  expect_line("[columns]\nopen = { value = 5, unit = 1 }\n", "line 2: open");
  expect_line("[columns]\nopen = { value = [1] }\n", "line 2");
  expect_line("[columns]\nopen = \"\"\n", "line 2: open");
  expect_line("\ncolumn = 1\n", "line 2: `column`");
  expect_line("schema = 1\n", "line 1: `schema`");
  expect_line("[columns]\nopen = \"a\"\nopen = \"b\"\n", "line 3");
}

}  // namespace
}  // namespace lode::codec
