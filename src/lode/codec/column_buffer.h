// One column of a batch under construction: values in the batch's memory and, where it may hold nulls, a bitmap. Both
// are reserved once a batch and handed over, never grown or copied. (RowColumn, which grows, is for batches of unknown
// length.)
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lode/base/result.h"

namespace lode::codec {

class ColumnBuffer {
 public:
  // `always_null`: no value is ever written (all batches share one pair of buffers).
  ColumnBuffer(std::shared_ptr<arrow::DataType> type, bool nullable, bool always_null);

  // Bytes of the batch's memory that `rows` values need, a multiple of 64.
  int64_t BytesFor(int64_t rows) const;
  // Makes room for `rows` values, all valid and not yet written, in `memory` from `offset` on.
  Status Reserve(int64_t rows, const std::shared_ptr<arrow::Buffer>& memory, int64_t offset);
  template <typename T>
  T* values() {
    return reinterpret_cast<T*>(values_->mutable_data());
  }
  // For booleans, which are bits.
  void SetBit(int64_t row, bool value) {
    uint8_t& byte = values<uint8_t>()[row >> 3];
    const auto bit = static_cast<uint8_t>(1U << (row & 7));
    byte = static_cast<uint8_t>(value ? byte | bit : byte & ~bit);
  }
  void SetNull(int64_t row) {
    valid_bits_[row >> 3] = static_cast<uint8_t>(valid_bits_[row >> 3] & ~(1U << (row & 7)));
    ++nulls_;
  }
  // Undoes SetNull, for a row that is written again.
  void Restore(int64_t row);
  bool nullable() const { return nullable_; }
  bool always_null() const { return always_null_; }
  // The first `rows` values as an array; Reserve() must come before the next value.
  std::shared_ptr<arrow::Array> Take(int64_t rows);

 private:
  int64_t ValueBytes(int64_t rows) const;

  std::shared_ptr<arrow::DataType> type_;
  int64_t value_bits_;
  bool nullable_, always_null_;
  std::shared_ptr<arrow::Buffer> values_, validity_;
  uint8_t* valid_bits_ = nullptr;
  int64_t nulls_ = 0;
};

// Bytes of a batch's memory a row, all columns together.
int64_t RowBytes(std::span<const ColumnBuffer> columns);
// Makes room for `rows` rows in all columns, in memory of their own.
Status ReserveColumns(std::span<ColumnBuffer> columns, int64_t rows);

}  // namespace lode::codec
