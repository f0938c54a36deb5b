#include "lode/codec/row_column.h"

#include <arrow/util/bit_util.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace lode::codec {
namespace {

Status Grow(std::shared_ptr<arrow::ResizableBuffer>& buffer, int64_t bytes) {
  if (!buffer) {
    auto made = arrow::AllocateResizableBuffer(bytes);
    if (!made.ok()) return Fail(ErrorKind::kInternal, "no memory for a batch: {}", made.status().ToString());
    buffer = std::move(made).ValueUnsafe();
    return Ok();
  }
  const auto status = buffer->Resize(bytes, false);
  if (!status.ok()) return Fail(ErrorKind::kInternal, "no memory for a batch: {}", status.ToString());
  return Ok();
}

}  // namespace

RowColumn::RowColumn(std::shared_ptr<arrow::DataType> type, bool nullable, bool start_null)
    : type_(std::move(type)), width_(type_->byte_width()), nullable_(nullable), start_null_(start_null && nullable) {}

Status RowColumn::Reserve(int64_t rows) {
  const int64_t old_bytes = reserved_ * width_, old_bits = arrow::bit_util::BytesForBits(reserved_);
  LODE_TRY(Grow(values_, rows * width_));
  data_ = values_->mutable_data();
  // Zeroed, so that what lies under a null is the same in every run.
  if (start_null_) std::memset(data_ + old_bytes, 0, static_cast<size_t>(rows * width_ - old_bytes));
  if (nullable_) {
    const int64_t bits = arrow::bit_util::BytesForBits(rows);
    LODE_TRY(Grow(validity_, bits));
    bits_ = validity_->mutable_data();
    std::memset(bits_ + old_bits, start_null_ ? 0 : 0xFF, static_cast<size_t>(bits - old_bits));
  }
  reserved_ = rows;
  return Ok();
}

void RowColumn::Reset(int64_t row) {
  if (!nullable_) return;
  SetNull(row);
  if (!start_null_) bits_[row >> 3] = static_cast<uint8_t>(bits_[row >> 3] | 1U << (row & 7));
}

std::shared_ptr<arrow::Array> RowColumn::Finish(int64_t rows) {
  std::shared_ptr<arrow::Buffer> validity;
  int64_t nulls = 0;
  if (nullable_) {
    for (int64_t row = 0; row < rows; row += 8) {
      const unsigned used = rows - row >= 8 ? 0xFFU : (1U << (rows - row)) - 1;
      nulls += std::popcount(~static_cast<unsigned>(bits_[row >> 3]) & used);
    }
    if (nulls > 0) validity = std::move(validity_);
  }
  auto data = arrow::ArrayData::Make(type_, rows, {std::move(validity), std::move(values_)}, nulls);
  values_ = nullptr;
  validity_ = nullptr;
  data_ = bits_ = nullptr;
  reserved_ = 0;
  return arrow::MakeArray(std::move(data));
}

}  // namespace lode::codec
