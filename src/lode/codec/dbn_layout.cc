#include "lode/codec/dbn_layout.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <initializer_list>
#include <span>
#include <string>

namespace lode::codec {

static_assert(std::endian::native == std::endian::little, "DBN is read as it lies in memory");

namespace {

using enum FieldKind;

struct Field {
  std::string_view name;
  FieldKind kind;
  uint16_t offset;
  uint16_t width = 0;
};

// Header of events. Bars have their own loop.
constexpr Field kHeader[] = {
    {"rtype", kU8, 1}, {"publisher_id", kU16, 2}, {"instrument_id", kU32, 4}, {"ts_event", kTime, 8}};

// 48 bytes.
constexpr Field kTrade[] = {
    {"price", kPrice, 16}, {"size", kSize, 24}, {"action", kChar, 28}, {"side", kChar, 29}, {"flags", kU8, 30},
    {"depth", kU8, 31}, {"ts_recv", kTime, 32}, {"ts_in_delta", kI32, 40}, {"sequence", kU32, 44}};

// 56 bytes.
constexpr Field kMbo[] = {
    {"order_id", kU64, 16}, {"price", kPrice, 24}, {"size", kSize, 32}, {"flags", kU8, 36}, {"channel_id", kU8, 37},
    {"action", kChar, 38}, {"side", kChar, 39}, {"ts_recv", kTime, 40}, {"ts_in_delta", kI32, 48},
    {"sequence", kU32, 52}};

// 80 bytes.
constexpr Field kBbo[] = {
    {"price", kPrice, 16}, {"size", kSize, 24}, {"side", kChar, 29}, {"flags", kU8, 30}, {"ts_recv", kTime, 32},
    {"sequence", kU32, 44}};

// 80 bytes.
constexpr Field kCmbp[] = {
    {"price", kPrice, 16}, {"size", kSize, 24}, {"action", kChar, 28}, {"side", kChar, 29}, {"flags", kU8, 30},
    {"ts_recv", kTime, 32}, {"ts_in_delta", kI32, 40}};

// 80 bytes.
constexpr Field kCbbo[] = {
    {"price", kPrice, 16}, {"size", kSize, 24}, {"side", kChar, 29}, {"flags", kU8, 30}, {"ts_recv", kTime, 32}};

// 64 bytes.
constexpr Field kStatisticsV1[] = {
    {"ts_recv", kTime, 16}, {"ts_ref", kTime, 24}, {"price", kPrice, 32}, {"quantity", kQuantity32, 40},
    {"sequence", kU32, 44}, {"ts_in_delta", kI32, 48}, {"stat_type", kU16, 52}, {"channel_id", kU16, 54},
    {"update_action", kU8, 56}, {"stat_flags", kU8, 57}};

// 80 bytes.
constexpr Field kStatisticsV3[] = {
    {"ts_recv", kTime, 16}, {"ts_ref", kTime, 24}, {"price", kPrice, 32}, {"quantity", kQuantity64, 40},
    {"sequence", kU32, 48}, {"ts_in_delta", kI32, 52}, {"stat_type", kU16, 56}, {"channel_id", kU16, 58},
    {"update_action", kU8, 60}, {"stat_flags", kU8, 61}};

// 40 bytes.
constexpr Field kStatus[] = {
    {"ts_recv", kTime, 16}, {"action", kU16, 24}, {"reason", kU16, 26}, {"trading_event", kU16, 28},
    {"is_trading", kChar, 30}, {"is_quoting", kChar, 31}, {"is_short_sell_restricted", kChar, 32}};

// 112 bytes.
constexpr Field kImbalance[] = {
    {"ts_recv", kTime, 16}, {"ref_price", kPrice, 24}, {"auction_time", kTime, 32},
    {"cont_book_clr_price", kPrice, 40}, {"auct_interest_clr_price", kPrice, 48}, {"ssr_filling_price", kPrice, 56},
    {"ind_match_price", kPrice, 64}, {"upper_collar", kPrice, 72}, {"lower_collar", kPrice, 80},
    {"paired_qty", kSize, 88}, {"total_imbalance_qty", kSize, 92}, {"market_imbalance_qty", kSize, 96},
    {"unpaired_qty", kSize, 100}, {"auction_type", kChar, 104}, {"side", kChar, 105}, {"auction_status", kU8, 106},
    {"freeze_status", kU8, 107}, {"num_extensions", kU8, 108}, {"unpaired_side", kChar, 109},
    {"significant_imbalance", kChar, 110}};

// 360 bytes.
constexpr Field kDefinitionV1[] = {
    {"ts_recv", kTime, 16}, {"min_price_increment", kPrice, 24}, {"display_factor", kPrice, 32},
    {"expiration", kTime, 40}, {"activation", kTime, 48}, {"high_limit_price", kPrice, 56},
    {"low_limit_price", kPrice, 64}, {"max_price_variation", kPrice, 72}, {"trading_reference_price", kPrice, 80},
    {"unit_of_measure_qty", kPrice, 88}, {"min_price_increment_amount", kPrice, 96}, {"price_ratio", kPrice, 104},
    {"inst_attrib_value", kI32, 112}, {"underlying_id", kU32, 116}, {"raw_instrument_id", kU32AsU64, 120},
    {"market_depth_implied", kI32, 124}, {"market_depth", kI32, 128}, {"market_segment_id", kU32, 132},
    {"max_trade_vol", kU32, 136}, {"min_lot_size", kI32, 140}, {"min_lot_size_block", kI32, 144},
    {"min_lot_size_round_lot", kI32, 148}, {"min_trade_vol", kU32, 152}, {"contract_multiplier", kI32, 160},
    {"decay_quantity", kI32, 164}, {"original_contract_size", kI32, 168}, {"trading_reference_date", kU16, 176},
    {"appl_id", kI16, 178}, {"maturity_year", kU16, 180}, {"decay_start_date", kU16, 182}, {"channel_id", kU16, 184},
    {"currency", kText, 186, 4}, {"settl_currency", kText, 190, 4}, {"secsubtype", kText, 194, 6},
    {"raw_symbol", kText, 200, 22}, {"group", kText, 222, 21}, {"exchange", kText, 243, 5},
    {"asset", kText, 248, 7}, {"cfi", kText, 255, 7}, {"security_type", kText, 262, 7},
    {"unit_of_measure", kText, 269, 31}, {"underlying", kText, 300, 21}, {"strike_price_currency", kText, 321, 4},
    {"instrument_class", kChar, 325}, {"strike_price", kPrice, 328}, {"match_algorithm", kChar, 342},
    {"md_security_trading_status", kU8, 343}, {"main_fraction", kU8, 344}, {"price_display_format", kU8, 345},
    {"settl_price_type", kU8, 346}, {"sub_fraction", kU8, 347}, {"underlying_product", kU8, 348},
    {"security_update_action", kChar, 349}, {"maturity_month", kU8, 350}, {"maturity_day", kU8, 351},
    {"maturity_week", kU8, 352}, {"user_defined_instrument", kChar, 353}, {"contract_multiplier_unit", kI8, 354},
    {"flow_schedule_type", kI8, 355}, {"tick_rule", kU8, 356}};

// 400 bytes.
constexpr Field kDefinitionV2[] = {
    {"ts_recv", kTime, 16}, {"min_price_increment", kPrice, 24}, {"display_factor", kPrice, 32},
    {"expiration", kTime, 40}, {"activation", kTime, 48}, {"high_limit_price", kPrice, 56},
    {"low_limit_price", kPrice, 64}, {"max_price_variation", kPrice, 72}, {"trading_reference_price", kPrice, 80},
    {"unit_of_measure_qty", kPrice, 88}, {"min_price_increment_amount", kPrice, 96}, {"price_ratio", kPrice, 104},
    {"strike_price", kPrice, 112}, {"inst_attrib_value", kI32, 120}, {"underlying_id", kU32, 124},
    {"raw_instrument_id", kU32AsU64, 128}, {"market_depth_implied", kI32, 132}, {"market_depth", kI32, 136},
    {"market_segment_id", kU32, 140}, {"max_trade_vol", kU32, 144}, {"min_lot_size", kI32, 148},
    {"min_lot_size_block", kI32, 152}, {"min_lot_size_round_lot", kI32, 156}, {"min_trade_vol", kU32, 160},
    {"contract_multiplier", kI32, 164}, {"decay_quantity", kI32, 168}, {"original_contract_size", kI32, 172},
    {"trading_reference_date", kU16, 176}, {"appl_id", kI16, 178}, {"maturity_year", kU16, 180},
    {"decay_start_date", kU16, 182}, {"channel_id", kU16, 184}, {"currency", kText, 186, 4},
    {"settl_currency", kText, 190, 4}, {"secsubtype", kText, 194, 6}, {"raw_symbol", kText, 200, 71},
    {"group", kText, 271, 21}, {"exchange", kText, 292, 5}, {"asset", kText, 297, 7}, {"cfi", kText, 304, 7},
    {"security_type", kText, 311, 7}, {"unit_of_measure", kText, 318, 31}, {"underlying", kText, 349, 21},
    {"strike_price_currency", kText, 370, 4}, {"instrument_class", kChar, 374}, {"match_algorithm", kChar, 375},
    {"md_security_trading_status", kU8, 376}, {"main_fraction", kU8, 377}, {"price_display_format", kU8, 378},
    {"settl_price_type", kU8, 379}, {"sub_fraction", kU8, 380}, {"underlying_product", kU8, 381},
    {"security_update_action", kChar, 382}, {"maturity_month", kU8, 383}, {"maturity_day", kU8, 384},
    {"maturity_week", kU8, 385}, {"user_defined_instrument", kChar, 386}, {"contract_multiplier_unit", kI8, 387},
    {"flow_schedule_type", kI8, 388}, {"tick_rule", kU8, 389}};

// 520 bytes.
constexpr Field kDefinitionV3[] = {
    {"ts_recv", kTime, 16}, {"min_price_increment", kPrice, 24}, {"display_factor", kPrice, 32},
    {"expiration", kTime, 40}, {"activation", kTime, 48}, {"high_limit_price", kPrice, 56},
    {"low_limit_price", kPrice, 64}, {"max_price_variation", kPrice, 72}, {"unit_of_measure_qty", kPrice, 80},
    {"min_price_increment_amount", kPrice, 88}, {"price_ratio", kPrice, 96}, {"strike_price", kPrice, 104},
    {"raw_instrument_id", kU64, 112}, {"leg_price", kPrice, 120}, {"leg_delta", kPrice, 128},
    {"inst_attrib_value", kI32, 136}, {"underlying_id", kU32, 140}, {"market_depth_implied", kI32, 144},
    {"market_depth", kI32, 148}, {"market_segment_id", kU32, 152}, {"max_trade_vol", kU32, 156},
    {"min_lot_size", kI32, 160}, {"min_lot_size_block", kI32, 164}, {"min_lot_size_round_lot", kI32, 168},
    {"min_trade_vol", kU32, 172}, {"contract_multiplier", kI32, 176}, {"decay_quantity", kI32, 180},
    {"original_contract_size", kI32, 184}, {"leg_instrument_id", kU32, 188}, {"leg_ratio_price_numerator", kI32, 192},
    {"leg_ratio_price_denominator", kI32, 196}, {"leg_ratio_qty_numerator", kI32, 200},
    {"leg_ratio_qty_denominator", kI32, 204}, {"leg_underlying_id", kU32, 208}, {"appl_id", kI16, 212},
    {"maturity_year", kU16, 214}, {"decay_start_date", kU16, 216}, {"channel_id", kU16, 218},
    {"leg_count", kU16, 220}, {"leg_index", kU16, 222}, {"currency", kText, 224, 4},
    {"settl_currency", kText, 228, 4}, {"secsubtype", kText, 232, 6}, {"raw_symbol", kText, 238, 71},
    {"group", kText, 309, 21}, {"exchange", kText, 330, 5}, {"asset", kText, 335, 11}, {"cfi", kText, 346, 7},
    {"security_type", kText, 353, 7}, {"unit_of_measure", kText, 360, 31}, {"underlying", kText, 391, 21},
    {"strike_price_currency", kText, 412, 4}, {"leg_raw_symbol", kText, 416, 71},
    {"instrument_class", kChar, 487}, {"match_algorithm", kChar, 488}, {"main_fraction", kU8, 489},
    {"price_display_format", kU8, 490}, {"sub_fraction", kU8, 491}, {"underlying_product", kU8, 492},
    {"security_update_action", kChar, 493}, {"maturity_month", kU8, 494}, {"maturity_day", kU8, 495},
    {"maturity_week", kU8, 496}, {"user_defined_instrument", kChar, 497}, {"contract_multiplier_unit", kI8, 498},
    {"flow_schedule_type", kI8, 499}, {"tick_rule", kU8, 500}, {"leg_instrument_class", kChar, 501},
    {"leg_side", kChar, 502}};

// Book levels follow at byte 48: bid and ask price, bid and ask size, then order counts, or publishers where the
// level is consolidated.
constexpr uint16_t kLevelOffset = 48;
constexpr uint16_t kLevelBytes = 32;

enum class Levels { kNone, kOne, kTen, kConsolidated };

struct Record {
  std::initializer_list<std::string_view> schemas;
  int first_version, last_version;
  uint16_t size;
  std::span<const Field> fields;
  Levels levels = Levels::kNone;
};

uint8_t RtypeOf(std::string_view schema) {
  static constexpr struct { std::string_view schema; uint8_t rtype; } kTypes[] = {
      {"trades", 0x00},   {"mbp-1", 0x01},    {"tbbo", 0x01},     {"mbp-10", 0x0A},     {"status", 0x12},
      {"definition", 0x13}, {"imbalance", 0x14}, {"statistics", 0x18}, {"ohlcv-1s", 0x20},  {"ohlcv-1m", 0x21},
      {"ohlcv-1h", 0x22}, {"ohlcv-1d", 0x23}, {"ohlcv-eod", 0x24}, {"mbo", 0xA0},       {"cmbp-1", 0xB1},
      {"cbbo-1s", 0xC0},  {"cbbo-1m", 0xC1},  {"tcbbo", 0xC2},    {"bbo-1s", 0xC3},     {"bbo-1m", 0xC4}};
  for (const auto& type : kTypes) {
    if (type.schema == schema) return type.rtype;
  }
  return 0xFF;
}

struct NamedField {
  std::string name;
  Field field;
};

std::vector<NamedField> AllFields(const Record& record) {
  std::vector<NamedField> all;
  for (const Field& field : kHeader) all.push_back({std::string(field.name), field});
  for (const Field& field : record.fields) all.push_back({std::string(field.name), field});
  const int depth = record.levels == Levels::kNone ? 0 : record.levels == Levels::kTen ? 10 : 1;
  const bool consolidated = record.levels == Levels::kConsolidated;
  for (int level = 0; level < depth; ++level) {
    const auto base = static_cast<uint16_t>(kLevelOffset + level * kLevelBytes);
    const auto add = [&](std::string_view name, FieldKind kind, int offset) {
      all.push_back({fmt::format("{}_{:02}", name, level), {"", kind, static_cast<uint16_t>(base + offset)}});
    };
    add("bid_px", kPrice, 0);
    add("ask_px", kPrice, 8);
    add("bid_sz", kSize, 16);
    add("ask_sz", kSize, 20);
    add(consolidated ? "bid_pb" : "bid_ct", consolidated ? kU16 : kU32, 24);
    add(consolidated ? "ask_pb" : "ask_ct", consolidated ? kU16 : kU32, 28);
  }
  return all;
}

// A column that this version's record lacks.
FieldKind KindOfAbsent(const Column& column) {
  if (column.name == "leg_side") return kNoSide;
  if (column.nullable) return kNull;
  return column.type == ColumnType::kText ? kEmptyText : kZero;
}

std::vector<FieldPlace> PlaceFields(const TableSchema& schema, const std::vector<NamedField>& fields) {
  std::vector<FieldPlace> places;
  int position = 0;
  for (const Column& column : schema.columns) {
    if (column.origin != ColumnOrigin::kVendor && column.origin != ColumnOrigin::kExtra) continue;
    FieldPlace place{position++, KindOfAbsent(column), 0, 0};
    if (column.name == "symbol") place.kind = kSymbol;
    if (column.name == "ts_out") place.kind = kTsOut;
    for (const NamedField& known : fields) {
      if (known.name == column.name) place = {place.column, known.field.kind, known.field.offset, known.field.width};
    }
    places.push_back(place);
  }
  places.push_back({position, kSourceRow, 0, 0});
  return places;
}

uint16_t OffsetOf(const std::vector<NamedField>& fields, std::string_view name) {
  for (const NamedField& known : fields) {
    if (known.name == name) return known.field.offset;
  }
  return 0;
}

void AddLayouts(std::vector<RecordLayout>& layouts, const Record& record) {
  const std::vector<NamedField> fields = AllFields(record);
  for (const std::string_view name : record.schemas) {
    const TableSchema* schema = FindDatabentoSchema(name);
    const bool bars = record.fields.empty();
    layouts.push_back({.schema = schema,
                       .first_version = record.first_version,
                       .last_version = record.last_version,
                       .rtype = RtypeOf(name),
                       .size = record.size,
                       .bars = bars,
                       .day_offset = OffsetOf(fields, schema->day_column),
                       .fallback_offset = OffsetOf(fields, schema->fallback_day_column),
                       .fields = bars ? std::vector<FieldPlace>{} : PlaceFields(*schema, fields)});
  }
}

}  // namespace

const std::vector<RecordLayout>& RecordLayouts() {
  static const std::vector<RecordLayout> layouts = [] {
    const Record records[] = {
        {{"ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d", "ohlcv-eod"}, 1, 3, 56, {}},
        {{"trades"}, 1, 3, 48, kTrade},
        {{"tbbo", "mbp-1"}, 1, 3, 80, kTrade, Levels::kOne},
        {{"mbp-10"}, 1, 3, 368, kTrade, Levels::kTen},
        {{"mbo"}, 1, 3, 56, kMbo},
        {{"bbo-1s", "bbo-1m"}, 1, 3, 80, kBbo, Levels::kOne},
        {{"cmbp-1", "tcbbo"}, 1, 3, 80, kCmbp, Levels::kConsolidated},
        {{"cbbo-1s", "cbbo-1m"}, 1, 3, 80, kCbbo, Levels::kConsolidated},
        {{"definition"}, 1, 1, 360, kDefinitionV1},
        {{"definition"}, 2, 2, 400, kDefinitionV2},
        {{"definition"}, 3, 3, 520, kDefinitionV3},
        {{"statistics"}, 1, 2, 64, kStatisticsV1},
        {{"statistics"}, 3, 3, 80, kStatisticsV3},
        {{"status"}, 1, 3, 40, kStatus},
        {{"imbalance"}, 1, 3, 112, kImbalance},
    };
    std::vector<RecordLayout> all;
    for (const Record& record : records) AddLayouts(all, record);
    return all;
  }();
  return layouts;
}

const RecordLayout* FindRecordLayout(const TableSchema& schema, int version) {
  for (const RecordLayout& layout : RecordLayouts()) {
    if (layout.schema == &schema && layout.first_version <= version && version <= layout.last_version) return &layout;
  }
  return nullptr;
}

std::string_view DbnSchemaName(uint16_t number) {
  static constexpr std::string_view kNames[] = {
      "mbo",        "mbp-1",  "mbp-10",    "tbbo",      "trades", "ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d", "definition",
      "statistics", "status", "imbalance", "ohlcv-eod", "cmbp-1", "cbbo-1s",  "cbbo-1m",  "tcbbo",    "bbo-1s",   "bbo-1m"};
  return number < std::size(kNames) ? kNames[number] : std::string_view();
}

const TableSchema* SchemaOfRtype(uint8_t rtype) {
  const RecordLayout* found = nullptr;
  for (const RecordLayout& layout : RecordLayouts()) {
    // mbp-1 comes after tbbo, which shares its type and is what a stream must say it is.
    if (layout.rtype == rtype) found = &layout;
  }
  return found == nullptr ? nullptr : found->schema;
}

}  // namespace lode::codec
