#include "lode/codec/column_buffer.h"

#include <arrow/util/bit_util.h>

#include <cstring>
#include <utility>

#include "lode/codec/arrow_result.h"
#include "lode/codec/batch_memory.h"

namespace lode::codec {
namespace {

Result<std::shared_ptr<arrow::Buffer>> Allocate(int64_t bytes) {
  LODE_TRY(std::unique_ptr<arrow::Buffer> buffer, FromArrow(arrow::AllocateBuffer(bytes), "decode DBN"));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

int64_t BitmapBytes(int64_t rows) { return (rows + 7) / 8; }

}  // namespace

ColumnBuffer::ColumnBuffer(std::shared_ptr<arrow::DataType> type, bool nullable, bool always_null)
    : type_(std::move(type)), value_bits_(type_->bit_width()), nullable_(nullable), always_null_(always_null) {}

int64_t ColumnBuffer::BytesFor(int64_t rows) const {
  return always_null_ ? 0 : arrow::bit_util::RoundUpToMultipleOf64(ValueBytes(rows));
}

int64_t ColumnBuffer::ValueBytes(int64_t rows) const { return (rows * value_bits_ + 7) / 8; }

void ColumnBuffer::Restore(int64_t row) {
  if (!nullable_ || always_null_) return;
  const auto bit = static_cast<uint8_t>(1U << (row & 7));
  if ((valid_bits_[row >> 3] & bit) != 0) return;
  valid_bits_[row >> 3] = static_cast<uint8_t>(valid_bits_[row >> 3] | bit);
  --nulls_;
}

Status ColumnBuffer::Reserve(int64_t rows, const std::shared_ptr<arrow::Buffer>& memory, int64_t offset) {
  nulls_ = 0;
  if (always_null_) {
    if (values_ != nullptr && values_->size() >= ValueBytes(rows)) return Ok();
    LODE_TRY(values_, Allocate(ValueBytes(rows)));
    std::memset(values_->mutable_data(), 0, static_cast<size_t>(values_->size()));
  } else {
    values_ = arrow::SliceMutableBuffer(memory, offset, ValueBytes(rows));
  }
  if (!nullable_) return Ok();
  // A bitmap that went out with a batch belongs to the batch.
  if (validity_ == nullptr || validity_->size() < BitmapBytes(rows)) {
    LODE_TRY(validity_, Allocate(BitmapBytes(rows)));
  }
  valid_bits_ = validity_->mutable_data();
  std::memset(valid_bits_, always_null_ ? 0 : 0xFF, static_cast<size_t>(validity_->size()));
  return Ok();
}

std::shared_ptr<arrow::Array> ColumnBuffer::Take(int64_t rows) {
  if (always_null_) return arrow::MakeArray(arrow::ArrayData::Make(type_, rows, {validity_, values_}, rows));
  std::shared_ptr<arrow::Buffer> validity = nulls_ > 0 ? std::exchange(validity_, nullptr) : nullptr;
  return arrow::MakeArray(
      arrow::ArrayData::Make(type_, rows, {std::move(validity), std::exchange(values_, nullptr)}, nulls_));
}

int64_t RowBytes(std::span<const ColumnBuffer> columns) {
  int64_t bytes = 0;
  for (const ColumnBuffer& column : columns) bytes += column.BytesFor(64);
  return bytes / 64;
}

Status ReserveColumns(std::span<ColumnBuffer> columns, int64_t rows) {
  int64_t bytes = 0;
  for (const ColumnBuffer& column : columns) bytes += column.BytesFor(rows);
  LODE_TRY(const std::shared_ptr<arrow::Buffer> memory, AllocateBatchMemory(bytes));
  int64_t offset = 0;
  for (ColumnBuffer& column : columns) {
    LODE_TRY(column.Reserve(rows, memory, offset));
    offset += column.BytesFor(rows);
  }
  return Ok();
}

}  // namespace lode::codec
