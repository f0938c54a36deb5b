// Builds batches of a Databento table from named text values: what the CSV and the NDJSON decoder have in common.
// Knows the vendor's sentinels, ranges and null rules, resolves symbols, keeps malformed records apart.
#pragma once

#include <arrow/type_fwd.h>

#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/databento_text.h"
#include "lode/codec/decoder.h"
#include "lode/codec/extra_keys.h"
#include "lode/codec/row_column.h"
#include "lode/codec/text_interner.h"
#include "lode/codec/text_values.h"

namespace lode::codec {

// Where a malformed record stands in its file.
struct RecordPlace {
  int64_t row = 0;   // record number from 0
  int64_t line = 0;  // from 1
  int64_t offset = 0;
  std::string_view raw;
};

// Not thread-safe. One record: BeginRow, Put… for its values, EndRow. A Put that returns false has made the record
// malformed; EndRow then hands it to BadRecords.
class TextRows {
 public:
  static constexpr size_t kMaxFields = 128;
  using FieldSet = std::bitset<kMaxFields>;

  // `options.symbology` and the context's pointers outlive this.
  TextRows(const TextOptions& options, const DecodeContext& context);
  TextRows(const TextRows&) = delete;
  TextRows& operator=(const TextRows&) = delete;

  // Number of a field by its vendor name (the schema's vendor columns, and rtype); -1 when the schema has none.
  int FindField(std::string_view name) const;
  std::string_view FieldName(int field) const { return fields_[static_cast<size_t>(field)].name; }
  // Whether the field's values are text, so that a JSON number is none.
  bool TakesText(int field) const {
    const Kind kind = fields_[static_cast<size_t>(field)].kind;
    return kind == Kind::kChar || kind == Kind::kText || kind == Kind::kSymbol;
  }
  // The first field that a record must have and `present` lacks, nullptr when all are there.
  const std::string* FindMissing(const FieldSet& present) const;

  Status BeginRow();
  // Which fields the record has. Fields a file may lack get their default in EndRow: null, 0, "" for text
  // arrays, N for a side.
  void SetPresent(const FieldSet& present) { present_ = present; }
  const FieldSet& present() const { return present_; }
  // Adds one; false and malformed when the record had the field before.
  bool MarkPresent(int field);
  // "" is the vendor's empty value: null, or "" for text arrays.
  bool Put(int field, std::string_view text);
  bool PutNull(int field);
  // The record's keys that the schema does not know; they become `_extra`.
  ExtraKeys& extra() { return extra_; }
  // Makes the record malformed and returns false. `field` and `text` may be empty. The first reason stays.
  bool Reject(std::string_view field, std::string_view text, std::string_view fault);
  bool rejected() const { return rejected_; }
  // Makes the record as if BeginRow had just been called.
  void RestartRow();
  // Keeps or rejects the record. Errors are the string pool's limit or lack of memory.
  Status EndRow(const RecordPlace& place);

  bool full() const { return rows_ >= max_rows_; }
  bool empty() const { return rows_ == 0; }
  // The rows since the last call; at least one.
  DecodedBatch Take();
  int64_t records() const { return records_; }

 private:
  // What a column's text may be; decided from its type, nullability and name.
  enum class Kind : uint8_t {
    kPrice,
    kTimeUs,
    kTimeNs,
    kInt32,
    kLegacyInt,  // int32, null when empty
    kU32,
    kSize,      // u32 with UNDEF_ORDER_SIZE
    kVolume,    // u64 that must fit int64
    kQuantity,  // i64 with the undefined quantities
    kU64,
    kChar,
    kText,
    kSymbol,
    kRtype,
  };

  struct Field {
    std::string name;
    Kind kind;
    int column;  // into columns_; -1: checked, not stored
  };

  static Kind KindOf(const Column& column);
  void AddField(std::string name, Kind kind, int column);
  bool PutTime(const Field& field, std::string_view text);
  bool PutInteger(const Field& field, std::string_view text);
  bool PutText(const Field& field, std::string_view text);
  bool StoreNull(const Field& field);
  void FillDefaults();
  void ResolveSymbol();
  Status FinishExtra();
  void AddBadRecord(const RecordPlace& place);

  const TableSchema* schema_;
  const SymbologyMap* symbology_;
  DecodeContext context_;
  TextShape price_shape_, time_shape_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  std::vector<Field> fields_;
  std::unordered_map<std::string_view, int> field_numbers_;  // by name, which fields_ owns
  std::vector<RowColumn> columns_;
  FieldSet needed_, defaulted_, present_;
  int rtype_;
  bool is_bar_ = false;
  int symbol_column_, extra_column_, source_row_column_, instrument_column_, day_column_, fallback_day_column_;

  int64_t rows_ = 0, reserved_ = 0, max_rows_ = 0, records_ = 0;
  bool rejected_ = false;
  std::string reason_;
  TimeReader times_;
  TextInterner texts_;
  ExtraKeys extra_;
};

}  // namespace lode::codec
