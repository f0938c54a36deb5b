// One column of somebody's Parquet as a column of a declared schema: the conversion rules, row by row.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/schema.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

// Rows of a batch that cannot be taken, with the first reason of each.
class RowFaults {
 public:
  void Reset(int64_t rows);
  void Add(int64_t row, std::string reason);
  bool empty() const { return count_ == 0; }
  int64_t count() const { return count_; }
  bool IsBad(int64_t row) const { return !reasons_.empty() && !reasons_[static_cast<size_t>(row)].empty(); }
  const std::string& reason(int64_t row) const { return reasons_[static_cast<size_t>(row)]; }

 private:
  int64_t rows_ = 0;
  int64_t count_ = 0;
  std::vector<std::string> reasons_;  // empty while there is no fault
};

// Values of one column of a batch before bad rows are dropped: int64 whatever the type, text as pool ids.
struct ColumnSlots {
  std::vector<int64_t> values;
  std::vector<uint8_t> valid;
  void Reset(int64_t rows);
  void Set(int64_t row, int64_t value) {
    values[static_cast<size_t>(row)] = value;
    valid[static_cast<size_t>(row)] = 1;
  }
};

class ForeignColumn {
 public:
  // A column read from `source`. kUnsupported names both types when no rule fits. `target` and `strings` outlive it.
  static Result<ForeignColumn> FromSource(const Column& target, std::string source, const arrow::DataType& type,
                                          StringPool* strings);
  // The same value in every row; an empty literal is null. kConfig when it is not a value of the target's type.
  static Result<ForeignColumn> FromLiteral(const Column& target, const std::string& literal, StringPool* strings);
  static ForeignColumn Null(const Column& target) { return ForeignColumn(target, "", nullptr); }

  const Column& target() const { return *target_; }
  // Name of the source column; empty for literals.
  const std::string& source() const { return source_; }

  // Converts a batch's rows; `values` is the source column (nullptr for literals). Fails only past the pool's limit.
  Status Convert(const arrow::Array* values, int64_t rows, RowFaults& faults, ColumnSlots& out);

 private:
  ForeignColumn(const Column& target, std::string source, StringPool* strings)
      : target_(&target), source_(std::move(source)), strings_(strings) {}
  void Reject(RowFaults& faults, int64_t row, const arrow::Array& values, std::string_view why) const;
  template <typename ArrayType, typename Take>
  void EachValue(const arrow::Array& values, RowFaults& faults, ColumnSlots& out, Take&& take) const;
  void ConvertInteger(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const;
  void ConvertPrice(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const;
  void ConvertTime(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const;
  void ConvertFloat(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const;
  Status ConvertText(const arrow::Array& values, RowFaults& faults, ColumnSlots& out);
  Status IndexDictionary(const std::shared_ptr<arrow::Array>& dictionary);

  const Column* target_;
  std::string source_;
  StringPool* strings_;
  std::optional<int64_t> literal_;
  std::shared_ptr<arrow::Array> dictionary_;  // the one text_ids_ is of
  std::vector<int32_t> text_ids_;             // dictionary index -> pool id; kNull: null, kBadText: not allowed
};

// A value for a message: at most 40 printable bytes.
std::string RenderValue(const arrow::Array& values, int64_t row);

// Exact price of a double in 1e-9 units, as its shortest decimal text says; nullopt when that needs more than nine
// fractional digits (beyond a few units in the last place of rounding noise) or does not fit DECIMAL(18,9).
std::optional<int64_t> PriceOfDouble(double value);
std::optional<int64_t> PriceOfFloat(float value);

}  // namespace lode::codec
