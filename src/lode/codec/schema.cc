#include "lode/codec/schema.h"

#include <arrow/api.h>

#include <array>
#include <iterator>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column Vendor(std::string name, ColumnType type, bool nullable, std::string description) {
  return {std::move(name), type, nullable, ColumnOrigin::kVendor, std::move(description)};
}

Column Price(std::string name, std::string description) {
  return Vendor(std::move(name), kPrice, true, std::move(description) + "; null when UNDEF_PRICE");
}

Column Time(std::string name, std::string description) {
  return Vendor(std::move(name), kTimestampNs, true, std::move(description) + "; null when UNDEF_TIMESTAMP");
}

Column Int(std::string name, std::string description) {
  return Vendor(std::move(name), kInt32, false, std::move(description));
}

Column Wide(std::string name, std::string description) {
  return Vendor(std::move(name), kInt64, false, std::move(description));
}

Column Size(std::string name, std::string description) {
  return Vendor(std::move(name), kInt64, true, std::move(description) + "; null when UNDEF_ORDER_SIZE");
}

// One character in DBN: null when NUL.
Column Char(std::string name, std::string description) {
  return Vendor(std::move(name), kText, true, std::move(description) + "; one character, null when NUL");
}

Column Text(std::string name, std::string description) {
  return Vendor(std::move(name), kText, false, std::move(description) + "; may be empty");
}

Column Symbol() {
  return Vendor("symbol", kText, true, "raw symbol of the instrument on that day, case kept; null when unresolved");
}

std::vector<Column> EventHead() {
  return {Time("ts_recv", "capture server receive time, UTC"),
          Time("ts_event", "matching engine time, UTC; may be 0 or days off"), Int("rtype", "DBN record type"),
          Int("publisher_id", "dataset and venue"),
          Wide("instrument_id", "numeric instrument, unique within dataset and day")};
}

void Append(std::vector<Column>& columns, std::vector<Column> more) {
  for (Column& column : more) columns.push_back(std::move(column));
}

void AppendLevels(std::vector<Column>& columns, int depth, bool consolidated) {
  for (int level = 0; level < depth; ++level) {
    const std::string n = fmt::format("_{:02}", level);
    Append(columns, {Price("bid_px" + n, "bid price of the level"), Price("ask_px" + n, "ask price of the level"),
                     Size("bid_sz" + n, "bid size of the level"), Size("ask_sz" + n, "ask size of the level")});
    if (consolidated) {
      Append(columns, {Int("bid_pb" + n, "publisher of the best bid"), Int("ask_pb" + n, "publisher of the best ask")});
    } else {
      Append(columns, {Wide("bid_ct" + n, "orders at the bid level"), Wide("ask_ct" + n, "orders at the ask level")});
    }
  }
}

TableSchema Events(std::string name, std::vector<Column> columns, std::string day_column = "ts_recv") {
  columns.push_back(Symbol());
  columns.push_back(Time("ts_out", "gateway send time of a live capture, UTC"));
  columns.push_back({"source_file", kText, false, ColumnOrigin::kSourceFile,
                     "raw file the row came from; api:SYMBOL when it was asked for over the wire"});
  columns.push_back({"source_row", kInt64, false, ColumnOrigin::kSourceRow,
                     "record number, from 0: in the raw file, or over the wire within symbol and day"});
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "keys this schema does not know, as JSON text"});
  return {.name = std::move(name),
          .version = 1,
          .columns = std::move(columns),
          .key = {"source_file", "source_row"},
          .order = {"source_file", "source_row"},
          .day_column = day_column,
          .fallback_day_column = day_column == "ts_event" ? "" : "ts_event",
          .merge = MergeRule::kReplaceCells,
          .layout = "day={day}/data.parquet"};
}

TableSchema Bars(std::string name, std::string layout, bool daily) {
  std::vector<Column> columns = {
      Int("publisher_id", "dataset and venue"),
      Wide("instrument_id", "numeric instrument, unique within dataset and day"),
      Symbol(),
      {"root", kText, true, ColumnOrigin::kRoot, "product root of the symbol (ZL of ZLZ4); null without a symbol"},
      {"is_spread", kBool, true, ColumnOrigin::kIsSpread, "multi-leg instrument; null without a symbol"},
      Vendor("ts_event", kTimestampUs, false, "inclusive start of the bar, UTC")};
  for (const char* price : {"open", "high", "low", "close"}) {
    columns.push_back(Price(price, std::string(price) + " price"));
  }
  columns.push_back(Vendor("volume", kInt64, false, "traded contracts or shares in the bar"));
  if (daily) columns.push_back({"date", kDate, false, ColumnOrigin::kDate, "UTC day of ts_event"});
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "keys this schema does not know, as JSON text"});
  return {.name = std::move(name),
          .version = 1,
          .columns = std::move(columns),
          .key = {"publisher_id", "instrument_id", "ts_event", "symbol"},
          .order = {"instrument_id", "ts_event", "publisher_id", "symbol"},
          .day_column = "ts_event",
          .fallback_day_column = "",
          .merge = MergeRule::kNewestByKey,
          .layout = std::move(layout)};
}

TableSchema Trades(std::string name, int depth) {
  std::vector<Column> columns = EventHead();
  Append(
      columns,
      {Char("action", "A add, C cancel, M modify, R clear, T trade, F fill, N none"),
       Char("side", "A ask, B bid, N none"), Int("depth", "book level the action applies to"),
       Price("price", "order or trade price"), Size("size", "order or trade size"),
       Int("flags", "bit field: 128 last, 64 top of book, 32 snapshot, 16 mbp, 8 bad ts_recv, 4 maybe bad book"),
       Int("ts_in_delta", "ns between matching engine and capture server"), Wide("sequence", "venue sequence number")});
  AppendLevels(columns, depth, false);
  return Events(std::move(name), std::move(columns));
}

TableSchema Mbo() {
  std::vector<Column> columns = EventHead();
  Append(columns,
         {Char("action", "A add, C cancel, M modify, R clear, T trade, F fill, N none"),
          Char("side", "A ask, B bid, N none"), Price("price", "order price"), Size("size", "order size"),
          Int("channel_id", "venue channel"), Vendor("order_id", kUint64, false, "venue order id"),
          Int("flags", "bit field as in trades"), Int("ts_in_delta", "ns between matching engine and capture server"),
          Wide("sequence", "venue sequence number")});
  return Events("mbo", std::move(columns));
}

TableSchema Bbo(std::string name) {
  std::vector<Column> columns = EventHead();
  Append(columns,
         {Char("side", "side of the last trade"), Price("price", "last trade price"), Size("size", "last trade size"),
          Int("flags", "bit field as in trades"), Wide("sequence", "venue sequence number")});
  AppendLevels(columns, 1, false);
  return Events(std::move(name), std::move(columns));
}

TableSchema Cmbp(std::string name, bool sampled) {
  std::vector<Column> columns = EventHead();
  if (!sampled) columns.push_back(Char("action", "as in trades"));
  Append(columns, {Char("side", "A ask, B bid, N none"), Price("price", "order or trade price"),
                   Size("size", "order or trade size"), Int("flags", "bit field as in trades")});
  if (!sampled) columns.push_back(Int("ts_in_delta", "ns between matching engine and capture server"));
  AppendLevels(columns, 1, true);
  return Events(std::move(name), std::move(columns));
}

TableSchema Statistics() {
  std::vector<Column> columns = EventHead();
  Append(columns, {Time("ts_ref", "time the statistic refers to, UTC"), Price("price", "value of a price statistic"),
                   Vendor("quantity", kInt64, true, "value of a quantity statistic; null when undefined"),
                   Wide("sequence", "venue sequence number"),
                   Int("ts_in_delta", "ns between matching engine and capture server"),
                   Int("stat_type", "1 open, 3 settlement, 4 low, 5 high, 6 cleared volume, 9 open interest, …"),
                   Int("channel_id", "venue channel"), Int("update_action", "1 new, 2 delete"),
                   Int("stat_flags", "bit field, venue specific")});
  return Events("statistics", std::move(columns));
}

TableSchema TradingStatus() {
  std::vector<Column> columns = EventHead();
  Append(columns, {Int("action", "kind of status change"), Int("reason", "cause of the change"),
                   Int("trading_event", "further effect"), Char("is_trading", "Y, N or ~"),
                   Char("is_quoting", "Y, N or ~"), Char("is_short_sell_restricted", "Y, N or ~")});
  return Events("status", std::move(columns));
}

TableSchema Imbalance() {
  std::vector<Column> columns = EventHead();
  Append(columns,
         {Price("ref_price", "reference price"), Time("auction_time", "auction time, UTC"),
          Price("cont_book_clr_price", "continuous book clearing price"),
          Price("auct_interest_clr_price", "auction interest clearing price"),
          Price("ssr_filling_price", "short sale restriction filling price"),
          Price("ind_match_price", "indicative match price"), Price("upper_collar", "upper collar price"),
          Price("lower_collar", "lower collar price"), Size("paired_qty", "paired quantity"),
          Size("total_imbalance_qty", "total imbalance"), Size("market_imbalance_qty", "market order imbalance"),
          Size("unpaired_qty", "unpaired quantity"), Char("auction_type", "venue code"),
          Char("side", "side of the imbalance"), Int("auction_status", "venue code"),
          Int("freeze_status", "venue code"), Int("num_extensions", "auction extensions"),
          Char("unpaired_side", "side of the unpaired quantity"), Char("significant_imbalance", "venue code")});
  return Events("imbalance", std::move(columns));
}

TableSchema Definition() {
  std::vector<Column> columns = EventHead();
  Append(
      columns,
      {Text("raw_symbol", "venue symbol"),
       Char("security_update_action", "A add, M modify, D delete"),
       Char("instrument_class",
            "B bond, C call, F future, K stock, M mixed spread, P put, S future spread, T option spread, X fx, Y "
            "commodity"),
       Price("min_price_increment", "tick size"),
       Price("display_factor", "display multiplier"),
       Time("expiration", "last eligible trade time, UTC"),
       Time("activation", "activation time, UTC"),
       Price("high_limit_price", "high limit"),
       Price("low_limit_price", "low limit"),
       Price("max_price_variation", "price banding"),
       Price("unit_of_measure_qty", "contract size"),
       Price("min_price_increment_amount", "value of a tick"),
       Price("price_ratio", "spread price ratio"),
       Int("inst_attrib_value", "venue bit field"),
       Wide("underlying_id", "instrument id of the underlying"),
       Vendor("raw_instrument_id", kUint64, false, "venue instrument id"),
       Int("market_depth_implied", "implied book depth"),
       Int("market_depth", "book depth"),
       Wide("market_segment_id", "venue segment"),
       Wide("max_trade_vol", "maximum order size"),
       Int("min_lot_size", "minimum lot"),
       Int("min_lot_size_block", "minimum block lot"),
       Int("min_lot_size_round_lot", "round lot"),
       Wide("min_trade_vol", "minimum order size"),
       Int("contract_multiplier", "deliverables per instrument"),
       Int("decay_quantity", "daily decay"),
       Int("original_contract_size", "size before decay"),
       Int("appl_id", "venue channel"),
       Int("maturity_year", "contract year, 65535 when undefined"),
       Int("decay_start_date", "day of month"),
       Int("channel_id", "venue channel"),
       Text("currency", "price currency"),
       Text("settl_currency", "settlement currency"),
       Text("secsubtype", "strategy type"),
       Text("group", "product group"),
       Text("exchange", "MIC"),
       Text("asset", "product code"),
       Text("cfi", "ISO 10962 code"),
       Text("security_type", "FUT, OPT, …"),
       Text("unit_of_measure", "contract unit"),
       Text("underlying", "underlying symbol"),
       Text("strike_price_currency", "strike currency"),
       Price("strike_price", "option strike"),
       Char("match_algorithm", "venue code"),
       Int("main_fraction", "fractional price denominator"),
       Int("price_display_format", "venue code"),
       Int("sub_fraction", "sub fraction denominator"),
       Int("underlying_product", "venue code"),
       Int("maturity_month", "contract month, 255 when undefined"),
       Int("maturity_day", "contract day"),
       Int("maturity_week", "contract week"),
       Char("user_defined_instrument", "Y or N"),
       Int("contract_multiplier_unit", "venue code"),
       Int("flow_schedule_type", "venue code"),
       Int("tick_rule", "venue code"),
       Int("leg_count", "legs of a strategy, one record a leg"),
       Int("leg_index", "this record's leg, from 0"),
       Wide("leg_instrument_id", "leg instrument"),
       Text("leg_raw_symbol", "leg symbol"),
       Char("leg_instrument_class", "as instrument_class"),
       Char("leg_side", "side of the leg"),
       Price("leg_price", "tied price of the leg"),
       Price("leg_delta", "delta of the leg"),
       Int("leg_ratio_price_numerator", "price ratio"),
       Int("leg_ratio_price_denominator", "price ratio"),
       Int("leg_ratio_qty_numerator", "quantity ratio"),
       Int("leg_ratio_qty_denominator", "quantity ratio"),
       Wide("leg_underlying_id", "underlying of the leg"),
       Vendor("trading_reference_price", kPrice, true, "only in DBN 1 and 2; null when UNDEF_PRICE or absent"),
       Vendor("trading_reference_date", kInt32, true, "only in DBN 1 and 2; days since 1970-01-01, null when absent"),
       Vendor("md_security_trading_status", kInt32, true, "only in DBN 1 and 2; null when absent"),
       Vendor("settl_price_type", kInt32, true, "only in DBN 1 and 2; null when absent")});
  return Events("definition", std::move(columns));
}

const std::vector<TableSchema>& Registry() {
  static const std::vector<TableSchema> schemas = [] {
    std::vector<TableSchema> all;
    all.push_back(Bars("ohlcv-1s", "month={yyyy}-{mm}/data.parquet", false));
    all.push_back(Bars("ohlcv-1m", "month={yyyy}-{mm}/data.parquet", false));
    all.push_back(Bars("ohlcv-1h", "year={yyyy}/data.parquet", false));
    all.push_back(Bars("ohlcv-1d", "year={yyyy}/data.parquet", true));
    all.push_back(Bars("ohlcv-eod", "year={yyyy}/data.parquet", true));
    all.push_back(Trades("trades", 0));
    all.push_back(Trades("tbbo", 1));
    all.push_back(Trades("mbp-1", 1));
    all.push_back(Trades("mbp-10", 10));
    all.push_back(Mbo());
    all.push_back(Bbo("bbo-1s"));
    all.push_back(Bbo("bbo-1m"));
    all.push_back(Cmbp("cmbp-1", false));
    all.push_back(Cmbp("tcbbo", false));
    all.push_back(Cmbp("cbbo-1s", true));
    all.push_back(Cmbp("cbbo-1m", true));
    all.push_back(Definition());
    all.push_back(Statistics());
    all.push_back(TradingStatus());
    all.push_back(Imbalance());
    for (std::vector<TableSchema> tables : {PolygonTables(), PolygonRestTables(), TardisTables(), FredTables()}) {
      std::move(tables.begin(), tables.end(), std::back_inserter(all));
    }
    return all;
  }();
  return schemas;
}

// Rows in memory: text as ids, prices as plain int64.
std::shared_ptr<arrow::DataType> TravellingType(ColumnType type) {
  switch (type) {
    case kBool: return arrow::boolean();
    case kInt32: return arrow::int32();
    case kInt64: return arrow::int64();
    case kUint64: return arrow::uint64();
    case kFloat64: return arrow::float64();
    case kPrice: return arrow::int64();
    case kTimestampUs: return arrow::timestamp(arrow::TimeUnit::MICRO);
    case kTimestampNs: return arrow::timestamp(arrow::TimeUnit::NANO);
    case kDate: return arrow::date32();
    case kText: return arrow::int32();
  }
  return arrow::null();
}

std::shared_ptr<arrow::DataType> FileType(ColumnType type) {
  if (type == kPrice) return arrow::decimal64(18, 9);
  if (type == kText) return arrow::utf8();
  return TravellingType(type);
}

}  // namespace

Column Needed(std::string name, ColumnType type, std::string description) {
  return Vendor(std::move(name), type, false, std::move(description));
}

Column Maybe(std::string name, ColumnType type, std::string description) {
  return Vendor(std::move(name), type, true, std::move(description) + "; null when empty");
}

void AppendSource(std::vector<Column>& columns) {
  columns.push_back({"source_file", kText, false, ColumnOrigin::kSourceFile,
                     "raw file the row came from; api:SYMBOL when it was asked for over the wire"});
  columns.push_back(
      {"source_row", kInt64, false, ColumnOrigin::kSourceRow, "line in the raw file, from 0, the header not counted"});
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "columns this schema does not know, as JSON text"});
}

Day TableSchema::CellDay(Day day) const {
  return cell_span == CellSpan::kYear ? ToDay({ToYearMonthDay(day).year, 1, 1}) : day;
}

int TableSchema::Find(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
  }
  return -1;
}

const TableSchema* FindSchema(std::string_view name) {
  for (const TableSchema& schema : Registry()) {
    if (schema.name == name) return &schema;
  }
  return nullptr;
}

const TableSchema* FindDatabentoSchema(std::string_view name) {
  const TableSchema* schema = FindSchema(name);
  return schema != nullptr && schema->source == "databento" ? schema : nullptr;
}

std::vector<const TableSchema*> SchemasOf(std::string_view source) {
  std::vector<const TableSchema*> all;
  for (const TableSchema& schema : Registry()) {
    if (schema.source == source) all.push_back(&schema);
  }
  return all;
}

std::vector<const TableSchema*> DatabentoSchemas() { return SchemasOf("databento"); }

std::shared_ptr<arrow::Schema> DecodedSchema(const TableSchema& schema) {
  arrow::FieldVector fields;
  for (const Column& column : schema.columns) {
    if (column.origin != ColumnOrigin::kVendor && column.origin != ColumnOrigin::kExtra) continue;
    fields.push_back(arrow::field(column.name, TravellingType(column.type), column.nullable));
  }
  fields.push_back(arrow::field("source_row", arrow::int64(), false));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> StoredSchema(const TableSchema& schema) {
  arrow::FieldVector fields = DecodedSchema(schema)->fields();
  fields.push_back(arrow::field("source_file", arrow::int32(), true));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> PhysicalSchema(const TableSchema& schema) {
  arrow::FieldVector fields;
  for (const Column& column : schema.columns) {
    fields.push_back(arrow::field(column.name, TravellingType(column.type), column.nullable));
  }
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> ParquetSchema(const TableSchema& schema) {
  arrow::FieldVector fields;
  int field_id = 0;
  for (const Column& column : schema.columns) {
    auto metadata = arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(++field_id)});
    fields.push_back(arrow::field(column.name, FileType(column.type), column.nullable, std::move(metadata)));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace lode::codec
