#include "lode/codec/dbn_column.h"

#include <arrow/util/bit_util.h>

#include <cstring>
#include <utility>

#include "lode/codec/arrow_result.h"

namespace lode::codec {
namespace {

Result<std::shared_ptr<arrow::Buffer>> Allocate(int64_t bytes) {
  LODE_TRY(std::unique_ptr<arrow::Buffer> buffer, FromArrow(arrow::AllocateBuffer(bytes), "decode DBN"));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

int64_t BitmapBytes(int64_t rows) { return (rows + 7) / 8; }

}  // namespace

ColumnBuffer::ColumnBuffer(std::shared_ptr<arrow::DataType> type, bool nullable, bool always_null)
    : type_(std::move(type)), value_bytes_(type_->byte_width()), nullable_(nullable), always_null_(always_null) {}

int64_t ColumnBuffer::BytesFor(int64_t rows) const {
  return always_null_ ? 0 : arrow::bit_util::RoundUpToMultipleOf64(rows * value_bytes_);
}

Status ColumnBuffer::Reserve(int64_t rows, const std::shared_ptr<arrow::Buffer>& memory, int64_t offset) {
  nulls_ = 0;
  if (always_null_) {
    if (values_ != nullptr && values_->size() >= rows * value_bytes_) return Ok();
    LODE_TRY(values_, Allocate(rows * value_bytes_));
    std::memset(values_->mutable_data(), 0, static_cast<size_t>(values_->size()));
  } else {
    values_ = arrow::SliceMutableBuffer(memory, offset, rows * value_bytes_);
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

}  // namespace lode::codec
