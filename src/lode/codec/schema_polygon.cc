// Polygon (Massive) flat files. Columns as the vendor's header names and orders them, then what lode derives.
#include <fmt/format.h>

#include <utility>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column MaybeTime(std::string name, std::string description) {
  return {std::move(name), kTimestampNs, true, ColumnOrigin::kVendor,
          fmt::format("{}; null when empty or 0", description)};
}

Column Computed(std::string name, ColumnType type, bool nullable, std::string description) {
  Column column{std::move(name), type, nullable, ColumnOrigin::kVendor, std::move(description)};
  column.computed = true;
  return column;
}

void Append(std::vector<Column>& columns, std::vector<Column> more) {
  for (Column& column : more) columns.push_back(std::move(column));
}

void AppendComputed(std::vector<Column>& columns, const std::string& clock, bool options) {
  columns.push_back(Computed("session_date", kDate, false, fmt::format("day of {} in New York", clock)));
  if (!options) return;
  Append(columns,
         {Computed("underlying", kText, true,
                   "root of the ticker, its adjustment digit kept; null when the ticker is no option ticker"),
          Computed("expiry", kDate, true, "expiry in the ticker; null when the ticker is no option ticker"),
          Computed("option_type", kText, true, "C or P; null when the ticker is no option ticker"),
          Computed("strike", kFloat64, true, "strike in the ticker, USD; null when the ticker is no option ticker")});
}

enum class Market { kStocks, kOptions, kIndices };

std::string_view Prefix(Market market) {
  switch (market) {
    case Market::kStocks: return "us_stocks_sip";
    case Market::kOptions: return "us_options_opra";
    case Market::kIndices: return "us_indices";
  }
  return "";
}

std::string TableName(Market market, std::string_view type) { return fmt::format("{}/{}", Prefix(market), type); }

Column Ticker() { return Needed("ticker", kText, "vendor ticker, case kept; O: for options, I: for indices"); }

TableSchema Aggregates(Market market, std::string_view type) {
  const bool index = market == Market::kIndices;
  const bool daily = type == "day_aggs_v1";
  std::vector<Column> columns = {Ticker()};
  if (!index) columns.push_back(Maybe("volume", kFloat64, "shares or contracts, may be fractional"));
  for (const char* price : {"open", "close", "high", "low"}) {
    columns.push_back(
        Maybe(price, kFloat64, fmt::format("{} {}", price, index ? "value" : "price, USD, not adjusted for splits")));
  }
  columns.push_back(Needed("window_start", kTimestampUs,
                           daily ? "start of the bar, UTC: as a rule midnight in New York" : "start of the bar, UTC"));
  if (!index) columns.push_back(Maybe("transactions", kInt64, "trades in the bar"));
  AppendComputed(columns, "window_start", market == Market::kOptions);
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "columns this schema does not know, as JSON text"});
  return {.name = TableName(market, type),
          .source = "polygon",
          .version = 1,
          .columns = std::move(columns),
          .key = {"ticker", "window_start"},
          .order = {"ticker", "window_start"},
          .day_column = "session_date",
          .fallback_day_column = "",
          .merge = MergeRule::kReplaceDays,
          .layout = daily && market != Market::kOptions ? "month={yyyy}-{mm}/data.parquet" : "day={day}/data.parquet"};
}

TableSchema Events(Market market, std::string_view type, std::vector<Column> columns) {
  AppendComputed(columns, "sip_timestamp", market == Market::kOptions);
  AppendSource(columns);
  return {.name = TableName(market, type),
          .source = "polygon",
          .version = 1,
          .columns = std::move(columns),
          .key = {"source_file", "source_row"},
          .order = {"source_file", "source_row"},
          .day_column = "session_date",
          .fallback_day_column = "",
          .merge = MergeRule::kReplaceCells,
          .layout = "day={day}/data.parquet"};
}

Column SipTimestamp() { return Needed("sip_timestamp", kTimestampNs, "time at the SIP, UTC"); }
Column Conditions() { return Maybe("conditions", kText, "condition codes as they stand: 12,37"); }

TableSchema StockTrades() {
  Column id = Maybe("id", kText, "trade id, unique within ticker, exchange and day");
  id.distinct = true;
  return Events(
      Market::kStocks, "trades_v1",
      {Ticker(), Conditions(), Maybe("correction", kInt32, "correction indicator"),
       Maybe("exchange", kInt32, "vendor exchange id"), std::move(id),
       MaybeTime("participant_timestamp", "time at the exchange, UTC"), Maybe("price", kFloat64, "price, USD"),
       Maybe("sequence_number", kInt64, "order within ticker and day"), SipTimestamp(),
       Maybe("size", kFloat64, "shares, may be fractional"), Maybe("tape", kInt32, "1 A, 2 B, 3 C"),
       Maybe("trf_id", kInt32, "trade reporting facility, 0: none"),
       MaybeTime("trf_timestamp", "time at the trade reporting facility, UTC")});
}

std::vector<Column> BidAndAsk() {
  return {Ticker(),
          Maybe("ask_exchange", kInt32, "vendor exchange id"),
          Maybe("ask_price", kFloat64, "ask price, USD"),
          Maybe("ask_size", kFloat64, "ask size"),
          Maybe("bid_exchange", kInt32, "vendor exchange id"),
          Maybe("bid_price", kFloat64, "bid price, USD"),
          Maybe("bid_size", kFloat64, "bid size")};
}

TableSchema StockQuotes() {
  std::vector<Column> columns = BidAndAsk();
  Append(columns, {Conditions(), Maybe("indicators", kText, "indicator codes as they stand"),
                   MaybeTime("participant_timestamp", "time at the exchange, UTC"),
                   Maybe("sequence_number", kInt64, "order within ticker and day"), SipTimestamp(),
                   Maybe("tape", kInt32, "1 A, 2 B, 3 C"),
                   MaybeTime("trf_timestamp", "time at the trade reporting facility, UTC")});
  return Events(Market::kStocks, "quotes_v1", std::move(columns));
}

TableSchema OptionTrades() {
  return Events(Market::kOptions, "trades_v1",
                {Ticker(), Conditions(), Maybe("correction", kInt32, "correction indicator"),
                 Maybe("exchange", kInt32, "vendor exchange id"), Maybe("price", kFloat64, "premium, USD a share"),
                 SipTimestamp(), Maybe("size", kFloat64, "contracts")});
}

TableSchema OptionQuotes() {
  std::vector<Column> columns = BidAndAsk();
  Append(columns, {Maybe("sequence_number", kInt64, "order within ticker and day"), SipTimestamp()});
  return Events(Market::kOptions, "quotes_v1", std::move(columns));
}

}  // namespace

std::vector<TableSchema> PolygonTables() {
  std::vector<TableSchema> all;
  for (const Market market : {Market::kStocks, Market::kOptions, Market::kIndices}) {
    all.push_back(Aggregates(market, "day_aggs_v1"));
    all.push_back(Aggregates(market, "minute_aggs_v1"));
  }
  all.push_back(StockTrades());
  all.push_back(StockQuotes());
  all.push_back(OptionTrades());
  all.push_back(OptionQuotes());
  return all;
}

}  // namespace lode::codec
