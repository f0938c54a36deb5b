#include "lode/codec/dbn_layout.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <initializer_list>
#include <span>
#include <string>

#include "lode/codec/dbn_fields.h"

namespace lode::codec {

static_assert(std::endian::native == std::endian::little, "DBN is read as it lies in memory");

namespace {

using enum FieldKind;
using dbn::Field;

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
  static constexpr struct {
    std::string_view schema;
    uint8_t rtype;
  } kTypes[] = {{"trades", 0x00},     {"mbp-1", 0x01},     {"tbbo", 0x01},       {"mbp-10", 0x0A},   {"status", 0x12},
                {"definition", 0x13}, {"imbalance", 0x14}, {"statistics", 0x18}, {"ohlcv-1s", 0x20}, {"ohlcv-1m", 0x21},
                {"ohlcv-1h", 0x22},   {"ohlcv-1d", 0x23},  {"ohlcv-eod", 0x24},  {"mbo", 0xA0},      {"cmbp-1", 0xB1},
                {"cbbo-1s", 0xC0},    {"cbbo-1m", 0xC1},   {"tcbbo", 0xC2},      {"bbo-1s", 0xC3},   {"bbo-1m", 0xC4}};
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
  for (const Field& field : dbn::kHeader) all.push_back({std::string(field.name), field});
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
        {{"trades"}, 1, 3, 48, dbn::kTrade},
        {{"tbbo", "mbp-1"}, 1, 3, 80, dbn::kTrade, Levels::kOne},
        {{"mbp-10"}, 1, 3, 368, dbn::kTrade, Levels::kTen},
        {{"mbo"}, 1, 3, 56, dbn::kMbo},
        {{"bbo-1s", "bbo-1m"}, 1, 3, 80, dbn::kBbo, Levels::kOne},
        {{"cmbp-1", "tcbbo"}, 1, 3, 80, dbn::kCmbp, Levels::kConsolidated},
        {{"cbbo-1s", "cbbo-1m"}, 1, 3, 80, dbn::kCbbo, Levels::kConsolidated},
        {{"definition"}, 1, 1, 360, dbn::kDefinitionV1},
        {{"definition"}, 2, 2, 400, dbn::kDefinitionV2},
        {{"definition"}, 3, 3, 520, dbn::kDefinitionV3},
        {{"statistics"}, 1, 2, 64, dbn::kStatisticsV1},
        {{"statistics"}, 3, 3, 80, dbn::kStatisticsV3},
        {{"status"}, 1, 3, 40, dbn::kStatus},
        {{"imbalance"}, 1, 3, 112, dbn::kImbalance},
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
  static constexpr std::string_view kNames[] = {"mbo",        "mbp-1",    "mbp-10",    "tbbo",      "trades",
                                                "ohlcv-1s",   "ohlcv-1m", "ohlcv-1h",  "ohlcv-1d",  "definition",
                                                "statistics", "status",   "imbalance", "ohlcv-eod", "cmbp-1",
                                                "cbbo-1s",    "cbbo-1m",  "tcbbo",     "bbo-1s",    "bbo-1m"};
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
