// Builds batches of a table from the objects of JSON pages. Clear rather than fast: a page is a few thousand rows.
#pragma once

#include <arrow/type_fwd.h>
#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/decoder.h"
#include "lode/codec/extra_keys.h"
#include "lode/codec/text_interner.h"

namespace lode::codec {

// A row is put together value by value, then kept or rejected. Not thread-safe; schema and context outlive it.
class JsonTable {
 public:
  using Element = lode_simdjson::dom::element;

  JsonTable(const TableSchema& schema, const DecodeContext& context);
  ~JsonTable();

  // Column by name, -1 when the decoder has none of it.
  int Find(std::string_view column) const;
  // Each of these sets a value of the row in hand. False: the row is bad, and why() says so.
  bool SetText(int column, std::string_view text);
  void SetDay(int column, Day day) { values_[static_cast<size_t>(column)] = day.since_epoch; }
  void SetDouble(int column, double value) { values_[static_cast<size_t>(column)] = value; }
  // A value as the vendor wrote it, of the column's type: numbers also as text, days as YYYY-MM-DD, null as null. An
  // array or object in a text column becomes JSON text.
  bool Set(int column, const Element& value);
  // A member that the schema does not know.
  bool SetExtra(std::string_view key, const Element& value);
  bool Reject(std::string_view column, std::string_view text, std::string_view fault);
  const std::string& why() const { return why_; }

  // The row goes into the batch; false when a column that must not be null is. Errors: the pool's limit, no memory.
  Result<bool> Keep();
  // The row goes to the bad records, with what it was.
  void Drop(std::string_view raw);
  // Forgets the row in hand.
  void Clear();

  bool full() const { return rows_ > 0 && rows_ >= context_.batch_rows; }
  bool empty() const { return rows_ == 0; }
  int64_t records() const { return records_; }
  DecodedBatch Take();

 private:
  using Value = std::variant<std::monostate, bool, int32_t, int64_t, double>;
  bool SetNumber(int column, const Element& value);
  bool SetTime(int column, const Element& value);
  bool SetJson(int column, const Element& value);
  bool SetLongText(int column, std::string_view text);
  const Column& ColumnAt(int column) const { return *sources_[static_cast<size_t>(column)]; }

  const TableSchema& schema_;
  DecodeContext context_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  std::vector<const Column*> sources_;  // of DecodedSchema's columns but source_row
  std::vector<Value> values_;           // of the row in hand
  struct Builders;
  std::unique_ptr<Builders> builders_;
  std::string why_;
  std::optional<Error> failure_;  // of the pool
  ExtraKeys extra_;
  int64_t rows_ = 0, records_ = 0;
};

}  // namespace lode::codec
