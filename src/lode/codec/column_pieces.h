// One column across the batches of a row group, read by row range without joining the batches first.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lode::codec {

class ColumnPieces {
 public:
  // Points at column `index` of `batches`, which must outlive the use.
  void Reset(std::span<const std::shared_ptr<arrow::RecordBatch>> batches, int index);

  int64_t rows() const { return rows_; }
  bool has_nulls() const { return has_nulls_; }
  // Rows from `row` on that lie in one batch, `most` at most.
  int64_t Together(int64_t row, int64_t most) const;
  // Rows of the range that are not null.
  int64_t CountValues(int64_t row, int64_t rows) const;
  // The values that are not null, in row order: in place where they lie together, else copied to `scratch`. T has the
  // width of the column's type (int32_t or int64_t).
  template <typename T>
  std::span<const T> Values(int64_t row, int64_t rows, std::vector<T>& scratch) const;
  // The same for booleans, a byte 0 or 1 each.
  std::span<const uint8_t> Bits(int64_t row, int64_t rows, std::vector<uint8_t>& scratch) const;
  // 1 for a value, 0 for a null, for each row.
  void Levels(int64_t row, int64_t rows, std::vector<uint32_t>& levels) const;

 private:
  struct Piece {
    const arrow::ArrayData* array;
    const uint8_t* validity;  // nullptr: no nulls
    int64_t start;            // first row, within the row group
    int64_t rows;
  };
  // Calls visit(piece, first row within the piece's array buffers, rows) for the parts of a range.
  template <typename Visit>
  void ForEach(int64_t row, int64_t rows, Visit&& visit) const;

  std::vector<Piece> pieces_;
  int64_t rows_ = 0;
  bool has_nulls_ = false;
};

extern template std::span<const int32_t> ColumnPieces::Values(int64_t, int64_t, std::vector<int32_t>&) const;
extern template std::span<const int64_t> ColumnPieces::Values(int64_t, int64_t, std::vector<int64_t>&) const;

}  // namespace lode::codec
