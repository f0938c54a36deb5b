// Where every field of every DBN record lies, and how it becomes a column of DecodedSchema.
// Source: the vendor's published struct layouts of DBN 1, 2 and 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "lode/codec/schema.h"

namespace lode::codec {

// DBN is little-endian and so are the machines lode supports.
template <typename T>
T LoadLittleEndian(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// A character array up to its first NUL.
inline std::string_view FixedText(const std::byte* at, size_t width) {
  const auto* text = reinterpret_cast<const char*>(at);
  return {text, ::strnlen(text, width)};
}

// Record header: length in 4-byte words (whole record), rtype, publisher_id, instrument_id, ts_event.
inline constexpr size_t kDbnHeaderBytes = 16;
inline constexpr size_t kDbnMaxRecordBytes = 255 * 4;
inline constexpr size_t kDbnTsOutBytes = 8;
inline constexpr uint16_t kDbnMixedSchema = 0xFFFF;

// Record types that are not data of a schema.
inline constexpr uint8_t kRtypeOhlcvDeprecated = 0x11;  // bars of any width; the metadata says which
inline constexpr uint8_t kRtypeError = 0x15;
inline constexpr uint8_t kRtypeSymbolMapping = 0x16;
inline constexpr uint8_t kRtypeSystem = 0x17;

// What lies at a field's offset and what its column gets.
enum class FieldKind : uint8_t {
  kU8,          // -> int32
  kI8,          // -> int32
  kU16,         // -> int32
  kI16,         // -> int32
  kI32,         // -> int32
  kU32,         // -> int64
  kU32AsU64,    // -> uint64
  kU64,         // -> uint64
  kSize,        // u32 -> int64, UNDEF_ORDER_SIZE is null
  kQuantity32,  // i32 -> int64, INT32_MAX is null
  kQuantity64,  // i64 -> int64, INT64_MAX is null
  kPrice,       // i64 in 1e-9; UNDEF_PRICE is null, outside DECIMAL(18,9) is bad
  kTime,        // u64 ns -> timestamp[ns]; UNDEF_TIMESTAMP is null, beyond int64 is bad
  kChar,        // one ASCII character, NUL is null
  kText,        // character array up to its first NUL, UTF-8 without control characters
  kSymbol,      // resolved from the mappings
  kTsOut,       // u64 ns after the record's own bytes, null when the stream has none
  kSourceRow,   // record number
  kZero,        // not in this version, as the vendor's own upgrade fills it: 0
  kEmptyText,   // the same: ""
  kNoSide,      // the same: 'N'
  kNull,        // not in this version, or `_extra`
};

struct FieldPlace {
  int column;  // position in DecodedSchema
  FieldKind kind;
  uint16_t offset;  // from the record's start
  uint16_t width;   // of text
};

struct RecordLayout {
  const TableSchema* schema;
  int first_version, last_version;
  uint8_t rtype;
  uint16_t size;                   // bytes without ts_out
  bool bars;                       // read by the fixed loop of dbn_bars.h; `fields` is empty
  uint16_t day_offset;             // of the day column's u64
  uint16_t fallback_offset;        // of the fallback's, 0: none
  std::vector<FieldPlace> fields;  // one a column, in column order
};

// Layout of a schema's record; nullptr when the schema is not Databento's.
const RecordLayout* FindRecordLayout(const TableSchema& schema, int version);
// All layouts (the same record may serve several schemas and versions).
const std::vector<RecordLayout>& RecordLayouts();

// Name of a metadata schema number; empty when unknown.
std::string_view DbnSchemaName(uint16_t number);
// Schema of a record type where nothing else says; nullptr for gateway, deprecated and unknown types.
const TableSchema* SchemaOfRtype(uint8_t rtype);

}  // namespace lode::codec
