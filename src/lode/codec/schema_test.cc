#include "lode/codec/schema.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace lode::codec {
namespace {

constexpr const char* kSources[] = {"databento", "polygon", "polygon_rest", "tardis", "fred"};

std::vector<const TableSchema*> AllSchemas() {
  std::vector<const TableSchema*> all;
  for (const char* source : kSources) {
    for (const TableSchema* schema : SchemasOf(source)) all.push_back(schema);
  }
  return all;
}

TEST(Schema, VendorColumnNamesAreLegal) {
  for (const TableSchema* schema : AllSchemas()) {
    for (const Column& column : schema->columns) {
      EXPECT_EQ(column.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
          << column.name;
    }
  }
  const TableSchema& book = *FindSchema("tardis/book_snapshot_5");
  EXPECT_EQ(book.columns[static_cast<size_t>(book.Find("asks_0_price"))].vendor_name(), "asks[0].price");
  EXPECT_EQ(FindSchema("us_stocks_sip/day_aggs_v1")->layout, "month={yyyy}-{mm}/data.parquet");
  EXPECT_EQ(FindSchema("us_options_opra/day_aggs_v1")->layout, "day={day}/data.parquet");
}

TEST(Schema, EveryTableNamesItsKeyOrderAndDayColumns) {
  for (const TableSchema* schema : AllSchemas()) {
    std::set<std::string> names;
    for (const Column& column : schema->columns) {
      EXPECT_TRUE(names.insert(column.name).second) << schema->name << " repeats " << column.name;
      EXPECT_FALSE(column.description.empty()) << schema->name << "." << column.name;
    }
    for (const auto& list : {schema->key, schema->order, {schema->day_column}}) {
      for (const std::string& name : list) EXPECT_GE(schema->Find(name), 0) << schema->name << "." << name;
    }
    EXPECT_EQ(FindSchema(schema->name), schema);
    EXPECT_EQ(FindDatabentoSchema(schema->name), schema->source == "databento" ? schema : nullptr);
    EXPECT_EQ(schema->columns.back().name, "_extra");
  }
  EXPECT_EQ(FindDatabentoSchema("ohlcv-2m"), nullptr);
}

TEST(Schema, BarsHaveTheColumnsOfTheDesign) {
  std::vector<std::string> names;
  for (const Column& column : FindDatabentoSchema("ohlcv-1d")->columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"publisher_id", "instrument_id", "symbol", "root", "is_spread", "ts_event",
                                             "open", "high", "low", "close", "volume", "date", "_extra"}));
}

TEST(Schema, ParquetTimesHaveNoZoneAndPricesAreExact) {
  const auto bars = ParquetSchema(*FindDatabentoSchema("ohlcv-1m"));
  EXPECT_TRUE(bars->GetFieldByName("ts_event")->type()->Equals(arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(bars->GetFieldByName("open")->type()->Equals(arrow::decimal64(18, 9)));
  const auto trades = ParquetSchema(*FindDatabentoSchema("trades"));
  EXPECT_TRUE(trades->GetFieldByName("ts_recv")->type()->Equals(arrow::timestamp(arrow::TimeUnit::NANO)));
  EXPECT_EQ(trades->field(0)->metadata()->Get("PARQUET:field_id").ValueOrDie(), "1");
}

std::string_view TypeText(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return "boolean";
    case ColumnType::kInt32: return "int32";
    case ColumnType::kInt64: return "int64";
    case ColumnType::kUint64: return "uint64";
    case ColumnType::kFloat64: return "double";
    case ColumnType::kPrice: return "decimal(18,9)";
    case ColumnType::kTimestampUs: return "timestamp[us]";
    case ColumnType::kTimestampNs: return "timestamp[ns]";
    case ColumnType::kDate: return "date";
    case ColumnType::kText: return "text";
  }
  return "";
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name);
  return text;
}

// Rules that hold for all tables of a source.
std::string_view SourceRules(std::string_view source) {
  if (source == "polygon") {
    return "\n# Polygon flat files\n"
           "- Columns are found by the header's names. Every column below that is not computed must be there; others "
           "go to\n"
           "  `_extra`.\n"
           "- **Decimals**, volumes and sizes among them, are DOUBLE: the nearest to the text. NaN, infinities and "
           "what no\n"
           "  double holds are bad records.\n"
           "- **Times** are the vendor's nanoseconds since 1970 UTC (19 digits): `timestamp[us]` for bars, "
           "`timestamp[ns]` for\n"
           "  trades and quotes. An empty cell is null where null is allowed, and so is a time of 0.\n"
           "- **Computed** columns are lode's: `session_date` is the day in New York; `underlying`, `expiry`, "
           "`option_type` and\n"
           "  `strike` are the parts of an option ticker (O:SPX1230120C04000000: SPX1, 2023-01-20, C, 4000).\n"
           "- Bars are as the vendor sells them, not adjusted for splits.\n"
           "- A file of bars is the whole market's day: published again, it replaces the day, bars that it lacks "
           "included. One that\n"
           "  may be cut short (plain text without its last line end) is refused, one without bars takes none away, "
           "and "
           "a file\n"
           "  without the vendor's name is merged by key.\n";
  }
  if (source == "polygon_rest") {
    return "\n# Polygon REST\n"
           "- Columns are the members of the vendor's rows; those of inner objects have both names (`publisher_name`). "
           "Lists are\n"
           "  JSON text: `unnest(from_json(tickers, '[\"VARCHAR\"]'))`.\n"
           "- **Decimals** are DOUBLE. A number as text is taken too.\n"
           "- A day that is asked for again replaces all rows it had: the whole market's, or its ticker's where the "
           "table is asked\n"
           "  for ticker by ticker.\n"
           "- **Bars** have their times in milliseconds since 1970 UTC; `session_date` is the day in New York.\n"
           "- A **snapshot** tells how things are on the day it was asked for, `as_of`: the latest is `WHERE as_of = "
           "(SELECT\n"
           "  max(as_of) FROM tickers)`.\n"
           "- The views `<dataset>_by_ticker` have a row for each ticker of the list `tickers`.\n";
  }
  if (source == "fred") {
    return "\n# FRED\n"
           "- A row is one value of one period, and for how long it stood: point in time on day D is `realtime_start "
           "<= "
           "D AND\n"
           "  (realtime_end IS NULL OR realtime_end >= D)`; today's values are `realtime_end IS NULL`.\n"
           "- **Values** are DOUBLE: the nearest to the vendor's text; its `.` is null. NaN and infinities are bad "
           "records.\n"
           "- **Days** are the vendor's own (St. Louis).\n";
  }
  if (source == "tardis") {
    return "\n# Tardis csv files\n"
           "- Columns are found by the header's names, made legal: `asks[0].price` is `asks_0_price`. Every vendor "
           "column below\n"
           "  must be there; others go to `_extra`.\n"
           "- **Decimals** are DOUBLE: the nearest to the text. NaN, infinities and what no double holds are bad "
           "records.\n"
           "- **Times** are the vendor's microseconds since 1970 UTC (16 digits), `timestamp[us]`.\n"
           "- An empty cell is null; rows keep the file's order, and `symbol` tells the instruments of a grouped file "
           "apart.\n";
  }
  return "";
}

// The generated part of docs/schemas.md.
std::string SchemaDocs() {
  std::string text, source = "databento";
  for (const TableSchema* schema : AllSchemas()) {
    if (schema->source != source) text += SourceRules(source = schema->source);
    const bool by_key = schema->merge != MergeRule::kReplaceCells;
    const bool by_day = schema->merge == MergeRule::kReplaceDays;
    const bool by_symbol_day = schema->merge == MergeRule::kReplaceSymbol;
    text += fmt::format("\n## {} (version {})\n", schema->name, schema->version);
    text += fmt::format(
        "Partition `{}`; {}; rows in order of {}; the day is that of `{}`{}.\n\n", schema->layout,
        fmt::format("{} {}{}", by_key ? "one row a key" : "every row kept, identified by", Joined(schema->key),
                    by_day          ? "; a new file of a day replaces the whole day"
                    : by_symbol_day ? "; a new answer for a symbol's day replaces what it had"
                                    : ""),
        Joined(schema->order), schema->day_column,
        schema->cell_span == CellSpan::kYear  ? ", and a cell is its year"
        : schema->fallback_day_column.empty() ? ""
                                              : fmt::format(", else `{}`", schema->fallback_day_column));
    text += "| # | column | type | null | meaning |\n|---|---|---|---|---|\n";
    int id = 0;
    for (const Column& column : schema->columns) {
      const std::string vendor = column.header.empty() ? "" : fmt::format("; vendor's `{}`", column.header);
      text +=
          fmt::format("| {} | `{}` | {} | {} | {}{}{} |\n", ++id, column.name, TypeText(column.type),
                      column.nullable ? "yes" : "no", column.computed ? "computed: " : "", column.description, vendor);
    }
  }
  return text;
}

// LODE_WRITE_DOCS=1 writes the page instead of checking it.
TEST(Schema, TheDocsSayWhatTheRegistrySays) {
  const char* path = LODE_SOURCE_DIR "/docs/schemas.md";
  std::ifstream in(path);
  std::stringstream stream;
  stream << in.rdbuf();
  const std::string page = stream.str();
  constexpr std::string_view kMarker =
      "<!-- generated from src/lode/codec/schema.cc: LODE_WRITE_DOCS=1 codec_test -->\n";
  const size_t at = page.find(kMarker);
  ASSERT_NE(at, std::string::npos) << path;
  const std::string_view head = std::string_view(page).substr(0, at + kMarker.size());
  if (std::getenv("LODE_WRITE_DOCS") != nullptr)
    std::ofstream(path) << head << SchemaDocs();
  else
    EXPECT_EQ(std::string_view(page).substr(head.size()), SchemaDocs());
}

}  // namespace
}  // namespace lode::codec
