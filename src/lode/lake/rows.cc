#include "lode/lake/rows.h"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <unordered_map>

namespace lode::lake {
namespace {

using codec::ColumnType;

int BytesOf(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return 0;
    case ColumnType::kInt32:
    case ColumnType::kDate:
    case ColumnType::kText: return 4;
    default: return 8;
  }
}

ColumnType TravellingColumnType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return ColumnType::kBool;
    case arrow::Type::INT32:
    case arrow::Type::DATE32: return ColumnType::kInt32;
    default: return ColumnType::kInt64;
  }
}

// Columns of StoredSchema that come from the vendor, in order: all but source_row and source_file.
int VendorColumns(const codec::TableSchema& schema) {
  int count = 0;
  for (const codec::Column& column : schema.columns) {
    count += column.origin == codec::ColumnOrigin::kVendor || column.origin == codec::ColumnOrigin::kExtra;
  }
  return count;
}

int StoredIndex(const codec::TableSchema& schema, std::string_view name) {
  if (name == "source_row") return SourceRowIndex(schema);
  if (name == "source_file") return SourceFileIndex(schema);
  int index = 0;
  for (const codec::Column& column : schema.columns) {
    if (column.origin != codec::ColumnOrigin::kVendor && column.origin != codec::ColumnOrigin::kExtra) continue;
    if (column.name == name) return index;
    ++index;
  }
  return -1;
}

ColumnType TypeOf(const codec::TableSchema& schema, std::string_view name) {
  const int at = schema.Find(name);
  if (at >= 0) return schema.columns[static_cast<size_t>(at)].type;
  return name == "source_row" ? ColumnType::kInt64 : ColumnType::kText;
}

// Equal values, or both null.
bool SameIn(const ColumnView& view, ColumnType type, uint32_t a, uint32_t b) {
  if (view.validity != nullptr) {
    const bool null = view.IsNull(a);
    if (null != view.IsNull(b)) return false;
    if (null) return true;
  }
  return BytesOf(type) == 4 ? view.Int32(a) == view.Int32(b) : view.Int64(a) == view.Int64(b);
}

template <typename T>
void GatherValues(std::span<const ColumnView> sources, std::span<const RowRef> refs, T* out) {
  for (size_t i = 0; i < refs.size(); ++i) {
    out[i] = reinterpret_cast<const T*>(sources[refs[i].batch].values)[refs[i].row];
  }
}

Result<std::shared_ptr<arrow::Buffer>> Allocate(int64_t bytes) {
  auto buffer = arrow::AllocateBuffer(bytes);
  if (!buffer.ok()) return Fail(ErrorKind::kInternal, "out of memory: {}", buffer.status().ToString());
  return std::shared_ptr<arrow::Buffer>(std::move(*buffer));
}

// One gathered column.
Result<std::shared_ptr<arrow::ArrayData>> GatherColumn(std::span<const Batch> batches, int column,
                                                       std::span<const RowRef> refs) {
  const auto& type = batches[0]->schema()->field(column)->type();
  const ColumnType lode_type = TravellingColumnType(*type);
  std::vector<ColumnView> sources;
  bool any_null = false;
  for (const Batch& batch : batches) {
    sources.push_back(View(*batch, column, lode_type));
    any_null |= sources.back().validity != nullptr;
  }
  const auto rows = static_cast<int64_t>(refs.size());
  std::shared_ptr<arrow::Buffer> validity;
  int64_t nulls = 0;
  if (any_null) {
    LODE_TRY(validity, Allocate(arrow::bit_util::BytesForBits(rows)));
    uint8_t* bits = validity->mutable_data();
    std::memset(bits, 0, static_cast<size_t>(validity->size()));
    for (int64_t i = 0; i < rows; ++i) {
      const RowRef ref = refs[static_cast<size_t>(i)];
      if (sources[ref.batch].IsNull(ref.row))
        ++nulls;
      else
        arrow::bit_util::SetBit(bits, i);
    }
  }
  const int width = BytesOf(lode_type);
  LODE_TRY(auto values, Allocate(width == 0 ? arrow::bit_util::BytesForBits(rows) : rows * width));
  if (width == 4) {
    GatherValues(std::span<const ColumnView>(sources), refs, reinterpret_cast<int32_t*>(values->mutable_data()));
  } else if (width == 8) {
    GatherValues(std::span<const ColumnView>(sources), refs, reinterpret_cast<int64_t*>(values->mutable_data()));
  } else {
    std::memset(values->mutable_data(), 0, static_cast<size_t>(values->size()));
    for (int64_t i = 0; i < rows; ++i) {
      const RowRef ref = refs[static_cast<size_t>(i)];
      const int64_t bit = sources[ref.batch].offset + ref.row;
      if (arrow::bit_util::GetBit(sources[ref.batch].values, bit)) arrow::bit_util::SetBit(values->mutable_data(), i);
    }
  }
  if (nulls == 0) validity = nullptr;
  return arrow::ArrayData::Make(type, rows, {std::move(validity), std::move(values)}, nulls);
}

}  // namespace

ColumnView View(const arrow::RecordBatch& batch, int index, ColumnType type) {
  const arrow::ArrayData& data = *batch.column_data(index);
  ColumnView view{.type = type, .offset = data.offset};
  const int width = BytesOf(type);
  if (data.buffers[1] != nullptr) view.values = data.buffers[1]->data() + data.offset * width;
  if (data.buffers[0] != nullptr && data.GetNullCount() > 0) view.validity = data.buffers[0]->data();
  return view;
}

uint64_t MemoryOf(const arrow::RecordBatch& rows) {
  int64_t bits_a_row = 0;
  for (int i = 0; i < rows.num_columns(); ++i) {
    const std::shared_ptr<arrow::ArrayData>& column = rows.column_data(i);
    bits_a_row += column->type->bit_width() + (column->buffers[0] != nullptr ? 1 : 0);
  }
  return static_cast<uint64_t>(rows.num_rows() * bits_a_row + 7) / 8;
}

Result<Batch> GatherRows(std::span<const Batch> batches, std::span<const RowRef> refs) {
  // Rows that already lie next to each other are cut out without copying: a single sorted stream passes through so.
  const RowRef first = refs.front();
  size_t adjacent = 1;
  while (adjacent < refs.size() && refs[adjacent].batch == first.batch && refs[adjacent].row == first.row + adjacent) {
    ++adjacent;
  }
  if (adjacent == refs.size()) return batches[first.batch]->Slice(first.row, static_cast<int64_t>(refs.size()));
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (int column = 0; column < batches[0]->num_columns(); ++column) {
    LODE_TRY(auto gathered, GatherColumn(batches, column, refs));
    columns.push_back(std::move(gathered));
  }
  return arrow::RecordBatch::Make(batches[0]->schema(), static_cast<int64_t>(refs.size()), std::move(columns));
}

RowOrder::RowOrder(const codec::TableSchema& schema, const codec::StringPool& strings) : strings_(strings) {
  for (const std::string& name : schema.order) {
    columns_.push_back(StoredIndex(schema, name));
    types_.push_back(TypeOf(schema, name));
    times_first_.push_back(times_first_.size());
  }
  std::ranges::stable_partition(times_first_, [&](size_t i) {
    return types_[i] == ColumnType::kTimestampUs || types_[i] == ColumnType::kTimestampNs;
  });
}

RowOrder::Keys RowOrder::Bind(const arrow::RecordBatch& batch) const {
  Keys keys;
  for (size_t i = 0; i < columns_.size(); ++i) keys.push_back(View(batch, columns_[i], types_[i]));
  return keys;
}

int RowOrder::Compare(const Keys& a, uint32_t row_a, const Keys& b, uint32_t row_b, size_t first) const {
  for (size_t i = first; i < a.size(); ++i) {
    const bool null_a = a[i].IsNull(row_a), null_b = b[i].IsNull(row_b);
    if (null_a || null_b) {
      if (null_a != null_b) return null_a ? -1 : 1;
      continue;
    }
    if (types_[i] == ColumnType::kText) {
      const int32_t id_a = a[i].Int32(row_a), id_b = b[i].Int32(row_b);
      if (id_a == id_b) continue;
      return strings_.Get(id_a) < strings_.Get(id_b) ? -1 : 1;
    }
    const bool narrow = BytesOf(types_[i]) == 4;
    const int64_t value_a = narrow ? a[i].Int32(row_a) : a[i].Int64(row_a);
    const int64_t value_b = narrow ? b[i].Int32(row_b) : b[i].Int64(row_b);
    if (value_a != value_b) return value_a < value_b ? -1 : 1;
  }
  return 0;
}

bool RowOrder::SameKey(const Keys& a, uint32_t row_a, const Keys& b, uint32_t row_b) const {
  for (const size_t i : times_first_) {
    const bool null = a[i].IsNull(row_a);
    if (null != b[i].IsNull(row_b)) return false;
    if (null) continue;
    const bool same =
        BytesOf(types_[i]) == 4 ? a[i].Int32(row_a) == b[i].Int32(row_b) : a[i].Int64(row_a) == b[i].Int64(row_b);
    if (!same) return false;
  }
  return true;
}

bool RowOrder::Ascends(const Keys& keys, uint32_t first, uint32_t last, size_t column) const {
  if (last - first < 2) return true;
  if (column == keys.size()) return false;  // equal keys
  const ColumnView& view = keys[column];
  const bool whole = view.validity == nullptr && BytesOf(types_[column]) == 8;
  if (whole && column + 1 == keys.size()) {
    const auto* values = reinterpret_cast<const int64_t*>(view.values);
    bool ascending = true;  // without a branch a row: it is nearly always true
    for (uint32_t row = first + 1; row < last; ++row) ascending &= values[row - 1] < values[row];
    return ascending;
  }
  for (uint32_t run = first, row = first + 1; row <= last; ++row) {
    const bool same = row < last && SameIn(view, types_[column], row - 1, row);
    if (same) continue;
    if (!Ascends(keys, run, row, column + 1)) return false;
    if (row < last && Compare(keys, row - 1, keys, row, column) >= 0) return false;
    run = row;
  }
  return true;
}

uint32_t RowOrder::NextTie(const Keys& keys, uint32_t row, uint32_t last) const {
  const ColumnView& view = keys[times_first_.front()];
  const bool quick = view.validity == nullptr && BytesOf(types_[times_first_.front()]) == 8;
  const auto* values = reinterpret_cast<const int64_t*>(view.values);
  for (; row < last; ++row) {
    if (quick && values[row] != values[row + 1]) continue;
    if (SameKey(keys, row, keys, row + 1)) break;
  }
  return row;
}

std::string RowOrder::Describe(const Keys& keys, uint32_t row) const {
  std::string text;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) text += '|';
    if (keys[i].IsNull(row)) continue;
    switch (types_[i]) {
      case ColumnType::kText: text += strings_.Get(keys[i].Int32(row)); break;
      case ColumnType::kTimestampUs: text += FormatIsoNs(keys[i].Int64(row) * 1000); break;
      case ColumnType::kTimestampNs: text += FormatIsoNs(keys[i].Int64(row)); break;
      case ColumnType::kInt32:
      case ColumnType::kDate: text += std::to_string(keys[i].Int32(row)); break;
      default: text += std::to_string(keys[i].Int64(row));
    }
  }
  return text;
}

// The first order column of every row as an integer that sorts like it.
std::vector<int64_t> RowOrder::FirstKeyRanks(std::span<const Keys> keys, std::span<const RowRef> refs) const {
  std::vector<int64_t> ranks(refs.size());
  const bool text = types_[0] == ColumnType::kText, narrow = BytesOf(types_[0]) == 4;
  std::unordered_map<int32_t, int64_t> text_ranks;
  if (text) {
    for (const RowRef ref : refs) {
      if (!keys[ref.batch][0].IsNull(ref.row)) text_ranks.emplace(keys[ref.batch][0].Int32(ref.row), 0);
    }
    std::vector<int32_t> ids;
    for (const auto& [id, rank] : text_ranks) ids.push_back(id);
    std::ranges::sort(ids, {}, [&](int32_t id) { return strings_.Get(id); });
    for (size_t i = 0; i < ids.size(); ++i) text_ranks[ids[i]] = static_cast<int64_t>(i);
  }
  for (size_t i = 0; i < refs.size(); ++i) {
    const ColumnView& view = keys[refs[i].batch][0];
    const uint32_t row = refs[i].row;
    if (view.IsNull(row))
      ranks[i] = INT64_MIN;
    else if (text)
      ranks[i] = text_ranks[view.Int32(row)];
    else
      ranks[i] = narrow ? view.Int32(row) : view.Int64(row);
  }
  return ranks;
}

std::vector<RowRef> RowOrder::Sort(std::span<const Batch> batches) const {
  std::vector<RowRef> refs;
  std::vector<Keys> keys;
  for (uint32_t batch = 0; batch < batches.size(); ++batch) {
    keys.push_back(Bind(*batches[batch]));
    for (uint32_t row = 0; row < batches[batch]->num_rows(); ++row) refs.push_back({batch, row});
  }
  const auto less = [&](RowRef a, RowRef b) { return Compare(keys[a.batch], a.row, keys[b.batch], b.row) < 0; };
  if (std::ranges::is_sorted(refs, less)) return refs;

  // Stable counting sort by the first key, then each bucket is usually in order already.
  const std::vector<int64_t> ranks = FirstKeyRanks(keys, refs);
  std::unordered_map<int64_t, uint32_t> bucket_of;
  std::vector<std::pair<int64_t, size_t>> buckets;  // first key, rows
  std::vector<uint32_t> row_bucket(refs.size());
  int64_t last_rank = 0;
  uint32_t last_bucket = UINT32_MAX;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (last_bucket == UINT32_MAX || ranks[i] != last_rank) {
      const auto [found, added] = bucket_of.try_emplace(ranks[i], static_cast<uint32_t>(buckets.size()));
      if (added) buckets.emplace_back(ranks[i], 0);
      last_bucket = found->second;
      last_rank = ranks[i];
    }
    row_bucket[i] = last_bucket;
    ++buckets[last_bucket].second;
  }
  std::vector<uint32_t> by_rank(buckets.size());
  std::iota(by_rank.begin(), by_rank.end(), 0U);
  std::ranges::sort(by_rank, {}, [&](uint32_t bucket) { return buckets[bucket].first; });
  std::vector<size_t> next(buckets.size());
  size_t start = 0;
  for (const uint32_t bucket : by_rank) {
    next[bucket] = start;
    start += buckets[bucket].second;
  }
  std::vector<RowRef> sorted(refs.size());
  for (size_t i = 0; i < refs.size(); ++i) sorted[next[row_bucket[i]]++] = refs[i];
  start = 0;
  const auto less_in_bucket = [&](RowRef a, RowRef b) {
    return Compare(keys[a.batch], a.row, keys[b.batch], b.row, 1) < 0;
  };
  for (const uint32_t bucket : by_rank) {
    const auto range = std::span(sorted).subspan(start, buckets[bucket].second);
    if (!std::ranges::is_sorted(range, less_in_bucket)) std::ranges::stable_sort(range, less_in_bucket);
    start += range.size();
  }
  return sorted;
}

RowDays::RowDays(const codec::TableSchema& schema, const arrow::RecordBatch& batch) : schema_(schema) {
  main_ = View(batch, StoredIndex(schema, schema.day_column), TypeOf(schema, schema.day_column));
  if (!schema.fallback_day_column.empty()) {
    fallback_ =
        View(batch, StoredIndex(schema, schema.fallback_day_column), TypeOf(schema, schema.fallback_day_column));
  }
}

std::optional<Day> RowDays::DayIn(const ColumnView& view, uint32_t row) const {
  if (view.IsNull(row)) return std::nullopt;
  switch (view.type) {
    case ColumnType::kTimestampUs: {
      constexpr int64_t kUsPerDay = kNsPerDay / 1000;
      const int64_t us = view.Int64(row);
      return Day{static_cast<int32_t>(us / kUsPerDay - (us % kUsPerDay < 0))};
    }
    case ColumnType::kDate: return Day{view.Int32(row)};
    default: return DayOf(view.Int64(row));
  }
}

std::optional<Day> RowDays::At(uint32_t row) const {
  auto day = DayIn(main_, row);
  if (!day && fallback_) day = DayIn(*fallback_, row);
  return day ? std::optional(schema_.CellDay(*day)) : std::nullopt;
}

uint32_t RowDays::EndOfDay(uint32_t row, uint32_t end) const {
  const auto day = At(row);
  if (schema_.cell_span != codec::CellSpan::kDay) {
    while (++row < end && At(row) == day) {
    }
    return row;
  }
  const bool times = main_.type == ColumnType::kTimestampUs || main_.type == ColumnType::kTimestampNs;
  if (day && times && main_.validity == nullptr) {
    const int64_t units = main_.type == ColumnType::kTimestampUs ? kNsPerDay / 1000 : kNsPerDay;
    const auto start = static_cast<uint64_t>(day->since_epoch * units);
    while (++row < end && static_cast<uint64_t>(main_.Int64(row)) - start < static_cast<uint64_t>(units)) {
    }
    return row;
  }
  if (day && main_.type == ColumnType::kDate && main_.validity == nullptr) {
    while (++row < end && main_.Int32(row) == day->since_epoch) {
    }
    return row;
  }
  while (++row < end && At(row) == day) {
  }
  return row;
}

bool SameValues(const codec::TableSchema& schema, const arrow::RecordBatch& a, uint32_t row_a,
                const arrow::RecordBatch& b, uint32_t row_b) {
  for (int column = 0; column < VendorColumns(schema); ++column) {
    if (!a.column(column)->RangeEquals(*b.column(column), row_a, row_a + 1, row_b)) return false;
  }
  return true;
}

int SourceRowIndex(const codec::TableSchema& schema) { return VendorColumns(schema); }
int SourceFileIndex(const codec::TableSchema& schema) { return VendorColumns(schema) + 1; }

}  // namespace lode::lake
