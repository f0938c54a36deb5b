#include "lode/codec/dbn_table.h"

#include <algorithm>
#include <utility>

#include "lode/codec/batch_memory.h"

namespace lode::codec {
namespace {

// A batch of wide rows (ten book levels, definitions) holds fewer of them, so that its memory stays bounded.
constexpr int64_t kBatchBytes = int64_t{8} << 20;

int64_t ValueBytes(const arrow::Schema& schema) {
  int64_t bytes = 0;
  for (const auto& field : schema.fields()) bytes += field->type()->byte_width();
  return bytes;
}

// By column of DecodedSchema: whether this stream never has a value for it.
std::vector<bool> AlwaysNull(const RecordLayout& layout, size_t record_bytes, const arrow::Schema& schema) {
  std::vector<bool> always(static_cast<size_t>(schema.num_fields()), false);
  if (layout.bars) always[static_cast<size_t>(schema.GetFieldIndex("_extra"))] = true;
  for (const FieldPlace& place : layout.fields) {
    const bool no_ts_out = place.kind == FieldKind::kTsOut && record_bytes == layout.size;
    always[static_cast<size_t>(place.column)] = place.kind == FieldKind::kNull || no_ts_out;
  }
  return always;
}

}  // namespace

DbnTable::DbnTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows, DbnStream stream)
    : layout_(layout),
      record_bytes_(record_bytes),
      batch_rows_(std::max<int64_t>(1, batch_rows)),
      stream_(stream),
      schema_(DecodedSchema(*layout.schema)) {
  const std::vector<bool> always_null = AlwaysNull(layout, record_bytes, *schema_);
  for (size_t i = 0; i < always_null.size(); ++i) {
    const arrow::Field& field = *schema_->field(static_cast<int>(i));
    columns_.emplace_back(field.type(), field.nullable(), always_null[i]);
  }
}

Status DbnTable::Reserve(int64_t rows_to_come) {
  const int64_t bounded = std::min(batch_rows_, std::max<int64_t>(1, kBatchBytes / ValueBytes(*schema_)));
  capacity_ = RowsInHugePages(std::clamp<int64_t>(rows_to_come, 1, bounded), RowBytes(columns_));
  return ReserveColumns(columns_, capacity_);
}

Result<int64_t> DbnTable::Append(const DbnRun& run) {
  if (rows_ == 0) LODE_TRY(Reserve(run.rows_to_come));
  const auto head = LoadLittleEndian<uint16_t>(run.bytes.data());
  const size_t most = std::min(run.bytes.size() / record_bytes_, static_cast<size_t>(capacity_ - rows_));
  size_t records = 1;
  while (records < most && LoadLittleEndian<uint16_t>(run.bytes.data() + records * record_bytes_) == head) ++records;
  return AppendRecords(run, records);
}

DecodedBatch DbnTable::Take() {
  arrow::ArrayVector arrays;
  arrays.reserve(columns_.size());
  for (ColumnBuffer& column : columns_) arrays.push_back(column.Take(rows_));
  return {layout_.schema, arrow::RecordBatch::Make(schema_, std::exchange(rows_, 0), std::move(arrays))};
}

void DbnTable::AddBad(const DbnRun& run, int64_t index, std::string reason) {
  const size_t at = static_cast<size_t>(index) * record_bytes_;
  stream_.bad_records.Add({run.source_row + index, run.offset + static_cast<int64_t>(at), std::move(reason),
                           std::string(reinterpret_cast<const char*>(run.bytes.data() + at), record_bytes_)});
}

}  // namespace lode::codec
