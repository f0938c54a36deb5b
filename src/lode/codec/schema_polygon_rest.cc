// Polygon's (Massive's) REST tables. Columns as the vendor names them; what lies within another object has its path as
// the header.
#include <fmt/format.h>

#include <utility>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column Is(std::string name, ColumnType type, std::string description) {
  return {std::move(name), type, false, ColumnOrigin::kVendor, std::move(description)};
}

Column May(std::string name, ColumnType type, std::string description) {
  return {std::move(name), type, true, ColumnOrigin::kVendor, fmt::format("{}; null when absent", description)};
}

Column Called(std::string header, Column column) {
  column.header = std::move(header);
  return column;
}

// Free text, whose rows nearly all differ.
Column Prose(std::string name, std::string description) {
  Column column = May(std::move(name), kText, std::move(description));
  column.distinct = true;
  return column;
}

// Of the whole market: a day that comes again replaces what the day had.
TableSchema Table(std::string_view name, std::vector<Column> columns, std::vector<std::string> key, std::string day,
                  std::string layout) {
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "keys this schema does not know, as JSON text"});
  std::vector<std::string> order = {day};
  for (const std::string& column : key) {
    if (column != day) order.push_back(column);
  }
  return {.name = fmt::format("polygon/{}", name),
          .source = "polygon_rest",
          .version = 1,
          .columns = std::move(columns),
          .key = order,
          .order = order,
          .day_column = std::move(day),
          .fallback_day_column = "",
          .merge = MergeRule::kReplaceDays,
          .layout = std::move(layout)};
}

constexpr const char* kYear = "year={yyyy}/data.parquet";
constexpr const char* kMonth = "month={yyyy}-{mm}/data.parquet";

Column Ticker() { return Is("ticker", kText, "vendor ticker, case kept"); }

}  // namespace

std::vector<TableSchema> PolygonRestTables() {
  std::vector<TableSchema> all;
  all.push_back(
      Table("dividends",
            {Is("id", kText, "vendor id"), Ticker(), Is("ex_dividend_date", kDate, "ex date"),
             May("cash_amount", kFloat64, "cash a share, in `currency`"), May("currency", kText, "currency"),
             May("declaration_date", kDate, "day of the announcement"),
             May("record_date", kDate, "day on which holders are noted"), May("pay_date", kDate, "day of payment"),
             May("frequency", kInt32, "payments a year: 0 once, 1, 2, 4, 12, 24, 52"),
             May("dividend_type", kText, "CD, SC, LT, ST")},
            {"ticker", "id"}, "ex_dividend_date", kYear));
  all.push_back(
      Table("splits",
            {Is("id", kText, "vendor id"), Ticker(), Is("execution_date", kDate, "first day at the new count"),
             May("split_from", kFloat64, "shares before"), May("split_to", kFloat64, "shares after")},
            {"ticker", "id"}, "execution_date", kYear));
  all.push_back(Table("short_interest",
                      {Ticker(), Is("settlement_date", kDate, "settlement day, twice a month"),
                       May("short_interest", kInt64, "shares sold short and open"),
                       May("avg_daily_volume", kInt64, "average volume a day"),
                       May("days_to_cover", kFloat64, "short interest in days of that volume")},
                      {"ticker"}, "settlement_date", kYear));
  std::vector<Column> volume = {Ticker(),
                                Is("date", kDate, "session"),
                                May("short_volume", kFloat64, "shares sold short"),
                                May("short_volume_ratio", kFloat64, "percent of total_volume"),
                                May("total_volume", kFloat64, "shares reported"),
                                May("exempt_volume", kFloat64, "short volume exempt from rule 201"),
                                May("non_exempt_volume", kFloat64, "the rest of the short volume")};
  for (const char* venue : {"adf", "nasdaq_carteret", "nasdaq_chicago", "nyse"}) {
    volume.push_back(May(fmt::format("{}_short_volume", venue), kInt64, "shares sold short there"));
    volume.push_back(May(fmt::format("{}_short_volume_exempt", venue), kInt64, "of those, exempt"));
  }
  all.push_back(Table("short_volume", std::move(volume), {"ticker"}, "date", kMonth));
  all.push_back(Table(
      "news",
      {Is("id", kText, "vendor id of the article"), Is("published_utc", kTimestampUs, "when it was published, UTC"),
       Prose("title", "headline"), Prose("author", "author"),
       Called("publisher.name", May("publisher_name", kText, "publisher")),
       Called("publisher.homepage_url", May("publisher_homepage_url", kText, "of the publisher")),
       Called("publisher.logo_url", May("publisher_logo_url", kText, "of the publisher")),
       Called("publisher.favicon_url", May("publisher_favicon_url", kText, "of the publisher")),
       Prose("article_url", "the article"), Prose("amp_url", "its page for phones"), Prose("image_url", "its picture"),
       Prose("description", "first lines"), Prose("tickers", "tickers it names, a JSON list"),
       Prose("keywords", "a JSON list"), Prose("insights", "sentiment by ticker, a JSON list of objects")},
      {"id"}, "published_utc", kMonth));
  return all;
}

}  // namespace lode::codec
