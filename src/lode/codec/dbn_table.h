// Batches under construction: one table a record layout of the stream. A table takes runs of equal records, so that
// the choice of table and the virtual call are paid once a run, never once a value.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lode/codec/column_buffer.h"
#include "lode/codec/dbn_layout.h"
#include "lode/codec/dbn_symbols.h"
#include "lode/codec/decoder.h"

namespace lode::codec {

// Bytes that begin with a whole record of the table's layout.
struct DbnRun {
  std::span<const std::byte> bytes;
  int64_t offset;        // of the first byte in the decompressed stream
  int64_t source_row;    // of the first record
  int64_t rows_to_come;  // upper bound for the rest of the stream
};

// What all tables of a stream share.
struct DbnStream {
  StringPool& strings;
  BadRecords& bad_records;
  DbnSymbols& symbols;
};

class DbnTable {
 public:
  DbnTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows, DbnStream stream);
  virtual ~DbnTable() = default;

  // Takes the first record and those behind it with the same length and type, until the table is full. Returns how
  // many it took, good and bad, at least one.
  Result<int64_t> Append(const DbnRun& run);
  // The rows so far as a batch; the table is empty afterwards.
  DecodedBatch Take();

  const RecordLayout& layout() const { return layout_; }
  size_t record_bytes() const { return record_bytes_; }
  int64_t rows() const { return rows_; }
  bool full() const { return rows_ > 0 && rows_ == capacity_; }

 protected:
  virtual Result<int64_t> AppendRecords(const DbnRun& run, size_t records) = 0;
  void AddBad(const DbnRun& run, int64_t index, std::string reason);
  Day DayOfNs(uint64_t ns) const { return Day{static_cast<int32_t>(ns / uint64_t{kNsPerDay})}; }

  const RecordLayout& layout_;
  const size_t record_bytes_;  // with ts_out
  const int64_t batch_rows_;
  DbnStream stream_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnBuffer> columns_;
  int64_t rows_ = 0;
  int64_t capacity_ = 0;

 private:
  Status Reserve(int64_t rows_to_come);
};

// The fixed loop for bars, and the table-driven one for everything else.
std::unique_ptr<DbnTable> MakeBarTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows,
                                       DbnStream stream);
std::unique_ptr<DbnTable> MakeEventTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows,
                                         DbnStream stream);

}  // namespace lode::codec
