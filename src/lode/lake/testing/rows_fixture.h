// Small hand-made batches of bars and trades for tests of sorting and merging.
#pragma once

#include <arrow/api.h>

#include <string>
#include <vector>

#include "lode/lake/rows.h"
#include "lode/lake/sorter.h"

namespace lode::lake::testing {

struct BarRow {
  int64_t instrument_id = 1;
  int64_t ts_us = 0;
  int64_t close = 0;            // every price of the bar, 1e-9
  std::string symbol = "ESH4";  // empty: null
  int32_t source_file = codec::StringPool::kNull;
  int64_t source_row = 0;
  bool operator==(const BarRow&) const = default;
};

inline const codec::TableSchema& Bars() { return *codec::FindDatabentoSchema("ohlcv-1m"); }

inline Batch MakeBars(const std::vector<BarRow>& rows, codec::StringPool& strings) {
  arrow::Int32Builder publisher, symbol, extra, source_file;
  arrow::Int64Builder instrument, open, high, low, close, volume, source_row;
  arrow::TimestampBuilder ts(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  for (const BarRow& row : rows) {
    (void)publisher.Append(1);
    (void)instrument.Append(row.instrument_id);
    if (row.symbol.empty())
      (void)symbol.AppendNull();
    else
      (void)symbol.Append(strings.Intern(row.symbol).value());
    (void)ts.Append(row.ts_us);
    for (auto* price : {&open, &high, &low, &close}) (void)price->Append(row.close);
    (void)volume.Append(1);
    (void)extra.AppendNull();
    (void)source_row.Append(row.source_row);
    if (row.source_file == codec::StringPool::kNull)
      (void)source_file.AppendNull();
    else
      (void)source_file.Append(row.source_file);
  }
  arrow::ArrayVector columns;
  for (arrow::ArrayBuilder* builder :
       std::vector<arrow::ArrayBuilder*>{&publisher, &instrument, &symbol, &ts, &open, &high, &low, &close, &volume,
                                         &extra, &source_row, &source_file}) {
    columns.push_back(builder->Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(codec::StoredSchema(Bars()), static_cast<int64_t>(rows.size()), columns);
}

inline void ReadBars(const arrow::RecordBatch& batch, const codec::StringPool& strings, std::vector<BarRow>& out) {
  const auto column = [&](const char* name, codec::ColumnType type) {
    return View(batch, batch.schema()->GetFieldIndex(name), type);
  };
  const ColumnView instrument = column("instrument_id", codec::ColumnType::kInt64),
                   ts = column("ts_event", codec::ColumnType::kInt64),
                   close = column("close", codec::ColumnType::kInt64),
                   symbol = column("symbol", codec::ColumnType::kText),
                   file = column("source_file", codec::ColumnType::kText),
                   row_number = column("source_row", codec::ColumnType::kInt64);
  for (uint32_t row = 0; row < batch.num_rows(); ++row) {
    out.push_back({instrument.Int64(row), ts.Int64(row), close.Int64(row),
                   symbol.IsNull(row) ? "" : std::string(strings.Get(symbol.Int32(row))),
                   file.IsNull(row) ? codec::StringPool::kNull : file.Int32(row), row_number.Int64(row)});
  }
}

// Hands out fixed batches.
class FixedStream : public RowStream {
 public:
  explicit FixedStream(std::vector<Batch> batches) : batches_(std::move(batches)) {}
  Result<Batch> Next() override { return next_ < batches_.size() ? batches_[next_++] : Batch(); }

 private:
  std::vector<Batch> batches_;
  size_t next_ = 0;
};

}  // namespace lode::lake::testing
