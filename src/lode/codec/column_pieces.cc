#include "lode/codec/column_pieces.h"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>

namespace lode::codec {

void ColumnPieces::Reset(std::span<const std::shared_ptr<arrow::RecordBatch>> batches, int index) {
  pieces_.clear();
  rows_ = 0;
  has_nulls_ = false;
  for (const auto& batch : batches) {
    const arrow::ArrayData* array = batch->column_data(index).get();
    const bool nulls = array->GetNullCount() > 0;
    pieces_.push_back({array, nulls ? array->buffers[0]->data() : nullptr, rows_, array->length});
    rows_ += array->length;
    has_nulls_ = has_nulls_ || nulls;
  }
}

template <typename Visit>
void ColumnPieces::ForEach(int64_t row, int64_t rows, Visit&& visit) const {
  const int64_t end = row + rows;
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), row,
                                [](int64_t wanted, const Piece& candidate) { return wanted < candidate.start; });
  if (piece != pieces_.begin()) --piece;
  for (; piece != pieces_.end() && piece->start < end; ++piece) {
    const int64_t from = std::max(row, piece->start);
    const int64_t until = std::min(end, piece->start + piece->rows);
    if (from < until) visit(*piece, piece->array->offset + from - piece->start, until - from);
  }
}

int64_t ColumnPieces::Together(int64_t row, int64_t most) const {
  int64_t together = 0;
  ForEach(row, most, [&](const Piece&, int64_t, int64_t count) {
    if (together == 0) together = count;
  });
  return together;
}

int64_t ColumnPieces::CountValues(int64_t row, int64_t rows) const {
  if (!has_nulls_) return rows;
  int64_t values = 0;
  ForEach(row, rows, [&](const Piece& piece, int64_t first, int64_t count) {
    values += piece.validity ? arrow::internal::CountSetBits(piece.validity, first, count) : count;
  });
  return values;
}

template <typename T>
std::span<const T> ColumnPieces::Values(int64_t row, int64_t rows, std::vector<T>& scratch) const {
  std::span<const T> in_place;
  int parts = 0;
  ForEach(row, rows, [&](const Piece& piece, int64_t first, int64_t count) {
    ++parts;
    const auto* values = reinterpret_cast<const T*>(piece.array->buffers[1]->data());
    if (!piece.validity) in_place = {values + first, static_cast<size_t>(count)};
  });
  if (parts == 1 && static_cast<int64_t>(in_place.size()) == rows) return in_place;

  scratch.resize(static_cast<size_t>(rows));
  T* out = scratch.data();
  ForEach(row, rows, [&](const Piece& piece, int64_t first, int64_t count) {
    const auto* values = reinterpret_cast<const T*>(piece.array->buffers[1]->data());
    if (!piece.validity) {
      out = std::copy_n(values + first, count, out);
      return;
    }
    for (int64_t i = first; i < first + count; ++i) {
      *out = values[i];
      out += arrow::bit_util::GetBit(piece.validity, i) ? 1 : 0;
    }
  });
  return {scratch.data(), static_cast<size_t>(out - scratch.data())};
}
template std::span<const int32_t> ColumnPieces::Values(int64_t, int64_t, std::vector<int32_t>&) const;
template std::span<const int64_t> ColumnPieces::Values(int64_t, int64_t, std::vector<int64_t>&) const;

std::span<const uint8_t> ColumnPieces::Bits(int64_t row, int64_t rows, std::vector<uint8_t>& scratch) const {
  scratch.resize(static_cast<size_t>(rows));
  uint8_t* out = scratch.data();
  ForEach(row, rows, [&](const Piece& piece, int64_t first, int64_t count) {
    const uint8_t* values = piece.array->buffers[1]->data();
    for (int64_t i = first; i < first + count; ++i) {
      *out = arrow::bit_util::GetBit(values, i) ? 1 : 0;
      out += !piece.validity || arrow::bit_util::GetBit(piece.validity, i) ? 1 : 0;
    }
  });
  return {scratch.data(), static_cast<size_t>(out - scratch.data())};
}

void ColumnPieces::Levels(int64_t row, int64_t rows, std::vector<uint32_t>& levels) const {
  levels.resize(static_cast<size_t>(rows));
  uint32_t* out = levels.data();
  ForEach(row, rows, [&](const Piece& piece, int64_t first, int64_t count) {
    if (!piece.validity) {
      out = std::fill_n(out, count, 1u);
      return;
    }
    for (int64_t i = first; i < first + count; ++i) *out++ = arrow::bit_util::GetBit(piece.validity, i) ? 1 : 0;
  });
}

}  // namespace lode::codec
