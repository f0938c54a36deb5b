// Tardis.dev csv.gz data types. Columns as the vendor's header names and orders them, names made legal.
#include <fmt/format.h>

#include <utility>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column Number(std::string name, std::string description) {
  return Maybe(std::move(name), kFloat64, std::move(description));
}

TableSchema Table(std::string_view type, std::vector<Column> own) {
  std::vector<Column> columns = {
      Needed("exchange", kText, "vendor exchange id"), Needed("symbol", kText, "instrument, as the exchange spells it"),
      Needed("timestamp", kTimestampUs, "time at the exchange, else as local_timestamp, UTC"),
      Needed("local_timestamp", kTimestampUs, "arrival time at the vendor, UTC")};
  for (Column& column : own) columns.push_back(std::move(column));
  AppendSource(columns);
  return {.name = fmt::format("tardis/{}", type),
          .source = "tardis",
          .version = 1,
          .columns = std::move(columns),
          .key = {"source_file", "source_row"},
          .order = {"source_file", "source_row"},
          .day_column = "local_timestamp",
          .fallback_day_column = "",
          .merge = MergeRule::kReplaceCells,
          .layout = "day={day}/{symbol}.parquet"};
}

TableSchema Trades(std::string_view type, std::string id_meaning, std::string side_meaning) {
  Column id = Maybe("id", kText, std::move(id_meaning));
  id.distinct = true;
  return Table(type, {std::move(id), Maybe("side", kText, std::move(side_meaning)), Number("price", "price"),
                      Number("amount", "amount, in the exchange's unit")});
}

TableSchema IncrementalBook() {
  return Table(
      "incremental_book_L2",
      {Needed("is_snapshot", kBool, "whether the row belongs to an initial snapshot; one after false clears the book"),
       Maybe("side", kText, "bid or ask"), Number("price", "price of the level"),
       Number("amount", "new amount at the level, 0: the level is gone")});
}

TableSchema BookSnapshot(int depth) {
  std::vector<Column> columns;
  for (int level = 0; level < depth; ++level) {
    for (const char* side : {"ask", "bid"}) {
      for (const char* value : {"price", "amount"}) {
        Column column = Number(fmt::format("{}s_{}_{}", side, level, value),
                               fmt::format("{} {} at level {}, 0 the best", side, value, level));
        column.header = fmt::format("{}s[{}].{}", side, level, value);
        columns.push_back(std::move(column));
      }
    }
  }
  return Table(fmt::format("book_snapshot_{}", depth), std::move(columns));
}

TableSchema Quotes(std::string_view type) {
  return Table(type, {Number("ask_amount", "best ask amount"), Number("ask_price", "best ask price"),
                      Number("bid_price", "best bid price"), Number("bid_amount", "best bid amount")});
}

TableSchema DerivativeTicker() {
  return Table("derivative_ticker", {Maybe("funding_timestamp", kTimestampUs, "next funding time, UTC"),
                                     Number("funding_rate", "funding rate of the running period"),
                                     Number("predicted_funding_rate", "estimate for the next period"),
                                     Number("open_interest", "open interest, in the exchange's unit"),
                                     Number("last_price", "last trade price"), Number("index_price", "index price"),
                                     Number("mark_price", "mark price")});
}

TableSchema OptionsChain() {
  return Table("options_chain", {Maybe("type", kText, "call or put"),
                                 Number("strike_price", "strike"),
                                 Maybe("expiration", kTimestampUs, "expiry, UTC"),
                                 Number("open_interest", "open interest"),
                                 Number("last_price", "last trade price"),
                                 Number("bid_price", "best bid price"),
                                 Number("bid_amount", "best bid amount"),
                                 Number("bid_iv", "implied volatility of the bid, percent"),
                                 Number("ask_price", "best ask price"),
                                 Number("ask_amount", "best ask amount"),
                                 Number("ask_iv", "implied volatility of the ask, percent"),
                                 Number("mark_price", "mark price"),
                                 Number("mark_iv", "implied volatility of the mark price, percent"),
                                 Maybe("underlying_index", kText, "underlying index or future"),
                                 Number("underlying_price", "price of the underlying"),
                                 Number("delta", "delta"),
                                 Number("gamma", "gamma"),
                                 Number("vega", "vega"),
                                 Number("theta", "theta"),
                                 Number("rho", "rho")});
}

}  // namespace

std::vector<TableSchema> TardisTables() {
  return {Trades("trades", "trade id", "side of the aggressor: buy, sell or unknown"),
          IncrementalBook(),
          BookSnapshot(5),
          BookSnapshot(25),
          Quotes("quotes"),
          Quotes("book_ticker"),
          DerivativeTicker(),
          Trades("liquidations", "liquidation id", "buy: a short was liquidated, sell: a long"),
          OptionsChain()};
}

}  // namespace lode::codec
