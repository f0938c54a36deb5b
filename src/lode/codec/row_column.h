// Growing Arrow columns of a decoder batch, written in place: a row is written at the cursor and then kept or
// abandoned, so a malformed record leaves no trace.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "lode/base/result.h"

namespace lode::codec {

// One fixed-width column. Its slots start as null (kStartNull, for values that are mostly absent) or as valid.
class RowColumn {
 public:
  RowColumn(std::shared_ptr<arrow::DataType> type, bool nullable, bool start_null);

  void Set32(int64_t row, int32_t value) {
    std::memcpy(data_ + row * 4, &value, 4);
    MarkValid(row);
  }
  void Set64(int64_t row, int64_t value) {
    std::memcpy(data_ + row * 8, &value, 8);
    MarkValid(row);
  }
  int64_t Get64(int64_t row) const {
    int64_t value;
    std::memcpy(&value, data_ + row * 8, 8);
    return value;
  }
  void SetNull(int64_t row) {
    if (width_ == 4) {
      std::memset(data_ + row * 4, 0, 4);
    } else {
      std::memset(data_ + row * 8, 0, 8);
    }
    bits_[row >> 3] = static_cast<uint8_t>(bits_[row >> 3] & ~(1U << (row & 7)));
  }
  bool IsNull(int64_t row) const { return nullable_ && (bits_[row >> 3] >> (row & 7) & 1) == 0; }
  bool nullable() const { return nullable_; }
  int width() const { return width_; }

  // Puts the row's slot back to its starting state.
  void Reset(int64_t row);
  Status Reserve(int64_t rows);
  // Hands over the first `rows` slots as an array and starts anew without memory.
  std::shared_ptr<arrow::Array> Finish(int64_t rows);

 private:
  void MarkValid(int64_t row) {
    if (start_null_) bits_[row >> 3] = static_cast<uint8_t>(bits_[row >> 3] | 1U << (row & 7));
  }

  std::shared_ptr<arrow::DataType> type_;
  int width_;
  bool nullable_;
  bool start_null_;
  int64_t reserved_ = 0;
  std::shared_ptr<arrow::ResizableBuffer> values_, validity_;
  uint8_t* data_ = nullptr;
  uint8_t* bits_ = nullptr;
};

}  // namespace lode::codec
