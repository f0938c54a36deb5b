// Builds batches of a Polygon or Tardis table from the fields of CSV lines.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/column_buffer.h"
#include "lode/codec/csv_reader.h"
#include "lode/codec/decoder.h"
#include "lode/codec/extra_keys.h"
#include "lode/codec/new_york_day.h"
#include "lode/codec/text_interner.h"

namespace lode::codec {

// Whether files of the vendor have the column.
inline bool IsVendorColumn(const Column& column) { return column.origin == ColumnOrigin::kVendor && !column.computed; }

// Not thread-safe. The context's pointers and the schema outlive it.
class VendorRows {
 public:
  VendorRows(const TableSchema& schema, const DecodeContext& context);
  VendorRows(const VendorRows&) = delete;
  VendorRows& operator=(const VendorRows&) = delete;

  // Says which columns the file has, in its order; they include every vendor column of the schema.
  Status Bind(std::span<const std::string> file_columns);
  // Takes the reader's line, which becomes a row or a bad record. Errors: the string pool's limit, lack of memory.
  Status Add(const CsvReader& line);

  bool full() const { return rows_ > 0 && rows_ == capacity_; }
  bool empty() const { return rows_ == 0; }
  // Good and bad ones so far.
  int64_t records() const { return records_; }
  // The rows since the last call; at least one.
  DecodedBatch Take();

 private:
  enum class Kind : uint8_t {
    kDouble,
    kInt32,
    kInt64,
    kEpochUs,      // µs
    kEpochNs,      // ns
    kEpochNsInUs,  // ns that the table keeps as µs
    kBool,
    kText,
    kDistinctText,
    kUnknown,
  };

  struct CachedText {
    std::string_view text;  // in the pool
    uint64_t word = 0;      // of fewer than eight characters: they and their number
    int32_t id = StringPool::kNull;
  };

  // One column of the file.
  struct Field {
    Kind kind;
    int column;  // into columns_, -1 for kUnknown
    std::byte* values = nullptr;
    CachedText recent[2] = {};  // text columns: the newest value, and the one before it
    std::string name;           // the file's
  };

  static Kind KindOf(const TableSchema& schema, const Column& column);
  Status Reserve();
  // Each returns false when the record is bad; reason_ then says why.
  bool PutLine(const CsvReader& line);
  bool Put(Field& field, std::string_view text);
  bool PutInteger(const Field& field, std::string_view text);
  bool PutTime(const Field& field, std::string_view text);
  bool PutBool(const Field& field, std::string_view text);
  bool PutText(Field& field, std::string_view text);
  bool PutNewText(Field& field, std::string_view text, uint64_t word);
  bool PutDistinctText(const Field& field, std::string_view text);
  bool PutNull(const Field& field);
  bool Reject(const Field& field, std::string_view text, std::string_view fault);

  template <typename T>
  void Set(const Field& field, T value) {
    reinterpret_cast<T*>(field.values)[rows_] = value;
  }
  ColumnBuffer& Buffer(int column) { return columns_[static_cast<size_t>(column)]; }

  // What the decoder derives: session day and the parts of an option ticker.
  Status PutComputed();
  Status ParseTicker(std::string_view ticker);
  void RestoreRow();

  // Parts of the last ticker, as they go into the batch; the ids are kNull when it is no option ticker.
  struct OptionParts {
    int32_t ticker = StringPool::kNull;
    bool parsed = false;
    int32_t underlying = StringPool::kNull, type = StringPool::kNull;
    int32_t expiry = 0;
    double strike = 0;
  };

  const TableSchema& schema_;
  DecodeContext context_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  std::vector<ColumnBuffer> columns_;
  std::vector<Field> fields_;
  int ticker_column_, session_column_, underlying_column_, extra_column_, source_row_column_;
  int64_t max_rows_ = 0, capacity_ = 0, rows_ = 0, records_ = 0;
  std::string reason_;
  std::optional<Error> failure_;  // of the pool
  TextInterner texts_;
  ExtraKeys extra_;
  NewYorkDays days_;
  int64_t session_clock_ns_ = 0;  // of the row
  OptionParts option_;
};

}  // namespace lode::codec
