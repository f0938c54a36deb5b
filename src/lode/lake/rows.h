// Rows of a unit while they are routed, sorted and merged: Arrow batches in StoredSchema, addressed by (batch, row).
//
// Nothing here copies text: text columns are pool ids. All functions are pure over their arguments.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/codec/schema.h"
#include "lode/codec/string_pool.h"

namespace lode::lake {

using Batch = std::shared_ptr<arrow::RecordBatch>;

struct RowRef {
  uint32_t batch;
  uint32_t row;
};

// One column of a batch as raw memory.
struct ColumnView {
  codec::ColumnType type;
  const uint8_t* values = nullptr;    // first value of the slice; bit-packed for kBool (then see offset)
  const uint8_t* validity = nullptr;  // bitmap, nullptr: no nulls
  int64_t offset = 0;                 // of the slice within bitmaps
  bool IsNull(uint32_t row) const {
    const int64_t bit = offset + row;
    return validity != nullptr && (validity[bit >> 3] >> (bit & 7) & 1) == 0;
  }
  int32_t Int32(uint32_t row) const { return reinterpret_cast<const int32_t*>(values)[row]; }
  int64_t Int64(uint32_t row) const { return reinterpret_cast<const int64_t*>(values)[row]; }
};

// The column `index` of a batch, whose type in lode's terms is `type`.
ColumnView View(const arrow::RecordBatch& batch, int index, codec::ColumnType type);

// Memory the rows take: their values and validity bitmaps, of slices what belongs to the slice. Buffers that columns
// share count for each.
uint64_t MemoryOf(const arrow::RecordBatch& rows);

// Gathers rows in the order of `refs` into one batch of the batches' common schema.
Result<Batch> GatherRows(std::span<const Batch> batches, std::span<const RowRef> refs);

// The total order of rows in a partition file: the schema's `order` columns, nulls first, text by bytes.
class RowOrder {
 public:
  RowOrder(const codec::TableSchema& schema, const codec::StringPool& strings);

  using Keys = std::vector<ColumnView>;  // the order columns of one batch
  Keys Bind(const arrow::RecordBatch& batch) const;
  // <0, 0, >0; `first`: the first order column to look at, those before are known to be equal.
  int Compare(const Keys& a, uint32_t row_a, const Keys& b, uint32_t row_b, size_t first = 0) const;
  // Compare() == 0, quicker for neighbours: they mostly differ in their times.
  bool SameKey(const Keys& a, uint32_t row_a, const Keys& b, uint32_t row_b) const;
  // Whether each of the batch's first `rows` rows comes before the next one; equal keys do not ascend.
  bool Ascends(const Keys& keys, uint32_t rows) const { return Ascends(keys, 0, rows, 0); }
  // The first row from `row` on, below `last`, whose key is also its next row's; `last` when there is none.
  uint32_t NextTie(const Keys& keys, uint32_t row, uint32_t last) const;
  // The key as text, for receipts: values joined by '|'.
  std::string Describe(const Keys& keys, uint32_t row) const;
  // Stable sort of all rows of the batches. Linear when the rows come sorted but for interleaved first keys, which is
  // how vendors deliver bars (by time, instruments interleaved).
  std::vector<RowRef> Sort(std::span<const Batch> batches) const;

 private:
  // The same for rows [first, last), which are equal in the columns before `column`.
  bool Ascends(const Keys& keys, uint32_t first, uint32_t last, size_t column) const;
  std::vector<int64_t> FirstKeyRanks(std::span<const Keys> keys, std::span<const RowRef> refs) const;
  std::vector<int> columns_;  // indices in StoredSchema
  std::vector<codec::ColumnType> types_;
  std::vector<size_t> times_first_;  // positions in columns_
  const codec::StringPool& strings_;
};

// The day of each row's cell, by the schema's day column and its fallback.
class RowDays {
 public:
  RowDays(const codec::TableSchema& schema, const arrow::RecordBatch& batch);
  std::optional<Day> At(uint32_t row) const;
  // The first row behind `row` that has another day than it, or `end`.
  uint32_t EndOfDay(uint32_t row, uint32_t end) const;

 private:
  std::optional<Day> DayIn(const ColumnView& view, uint32_t row) const;
  const codec::TableSchema& schema_;
  ColumnView main_;
  std::optional<ColumnView> fallback_;
};

// Whether two rows hold equal values in every vendor column.
bool SameValues(const codec::TableSchema& schema, const arrow::RecordBatch& a, uint32_t row_a,
                const arrow::RecordBatch& b, uint32_t row_b);

// Index of `source_row` and `source_file` in StoredSchema.
int SourceRowIndex(const codec::TableSchema& schema);
int SourceFileIndex(const codec::TableSchema& schema);

}  // namespace lode::lake
