// What a delivery takes to decode, and nothing else: `decode_bench FOLDER` finds its files as `lode import` does, reads
// every one with the decoder and the symbology that import uses, in batches of the same size, and prints aggregates of
// each column that has values, so that none can be left out. Malformed records are counted, as import does. Nothing is
// hashed, copied, sorted or written. bench/compare.py sets it beside another program's reader.
#include <arrow/api.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lode/codec/symbology.h"
#include "lode/source/files/discover.h"
#include "lode/store/local_disk.h"

namespace lode::source::files {
namespace {

__extension__ using Int128 = __int128;

constexpr int64_t kBatchBytes = int64_t{4} << 20;
constexpr uint64_t kMaxSymbologyBytes = uint64_t{1} << 30;

std::string Decimal(Int128 value) {
  if (value < 0) return "-" + Decimal(-value);
  const auto low = static_cast<uint64_t>(value % 1'000'000'000'000'000'000);
  const auto high = static_cast<uint64_t>(value / 1'000'000'000'000'000'000);
  return high == 0 ? fmt::format("{}", low) : fmt::format("{}{:018}", high, low);
}

// Of one column: how many values, their sum (of a text, its bytes; of a price, its units of 1e-9), of times the first
// and the last.
class Aggregate {
 public:
  explicit Aggregate(const codec::Column& column) : name_(column.name), type_(column.type) {}

  void Add(const arrow::ArrayData& values, const codec::StringPool& strings) {
    switch (type_) {
      case codec::ColumnType::kText:
        return AddAll<int32_t>(values, [&](int32_t id) { return static_cast<int64_t>(strings.Get(id).size()); });
      case codec::ColumnType::kInt32:
      case codec::ColumnType::kDate: return AddAll<int32_t>(values, [](int32_t value) { return int64_t{value}; });
      case codec::ColumnType::kFloat64: return AddFloats(values);
      case codec::ColumnType::kBool: count_ += values.length; return;
      default: return AddAll<int64_t>(values, [](int64_t value) { return value; });
    }
  }

  bool has_values() const { return count_ > 0; }

  std::string Line() const {
    std::string line = fmt::format("{}: {} values", name_, count_);
    if (type_ == codec::ColumnType::kBool) return line;
    if (type_ == codec::ColumnType::kFloat64) return line + fmt::format(", sum {}", float_sum_);
    if (IsTime()) return line + fmt::format(", {} to {}", min_, max_);
    return line + fmt::format(", sum {}", Decimal(sum_));
  }

 private:
  bool IsTime() const { return type_ == codec::ColumnType::kTimestampUs || type_ == codec::ColumnType::kTimestampNs; }

  // Calls `add` for each value that is not null.
  template <typename T, typename Add>
  void ForEach(const arrow::ArrayData& values, Add add) {
    const T* const slots = values.GetValues<T>(1);
    const auto& validity = values.buffers[0];
    int64_t count = 0;
    for (int64_t row = 0; row < values.length; ++row) {
      if (validity != nullptr) {
        const int64_t bit = row + values.offset;
        if ((validity->data()[bit >> 3] >> (bit & 7) & 1) == 0) continue;
      }
      add(slots[row]);
      ++count;
    }
    count_ += count;
  }

  template <typename T, typename Measure>
  void AddAll(const arrow::ArrayData& values, Measure measure) {
    if (IsTime()) {
      int64_t min = min_, max = max_;
      ForEach<T>(values, [&](T value) {
        min = std::min<int64_t>(min, value);
        max = std::max<int64_t>(max, value);
      });
      min_ = min, max_ = max;
    } else {
      Int128 sum = 0;
      ForEach<T>(values, [&](T value) { sum += measure(value); });
      sum_ += sum;
    }
  }

  void AddFloats(const arrow::ArrayData& values) {
    ForEach<double>(values, [&](double value) { float_sum_ += value; });
  }

  std::string name_;
  codec::ColumnType type_;
  int64_t count_ = 0;
  Int128 sum_ = 0;
  double float_sum_ = 0;
  int64_t min_ = std::numeric_limits<int64_t>::max(), max_ = std::numeric_limits<int64_t>::min();
};

// All files of one schema.
class Table {
 public:
  explicit Table(const codec::TableSchema* schema) : schema_(schema) {
    for (const codec::Column& column : schema->columns) {
      const bool is_decoded =
          column.origin == codec::ColumnOrigin::kVendor || column.origin == codec::ColumnOrigin::kExtra;
      if (is_decoded) aggregates_.emplace_back(column);
    }
  }

  const codec::TableSchema* schema() const { return schema_; }

  Status Add(const Delivery& delivery, const DataFile& file) {
    codec::StringPool strings;
    codec::BadRecords bad_records;
    codec::SymbologyMap symbology;
    const bool text = file.encoding == Encoding::kCsv || file.encoding == Encoding::kNdjson;
    const bool mapped = delivery.query && delivery.query->map_symbols;
    if (text && !mapped && delivery.symbology) {
      LODE_TRY(const std::string json, store::ReadFile(*delivery.symbology, kMaxSymbologyBytes));
      LODE_TRY(symbology, codec::ParseSymbologyJson(json, strings));
    }
    const auto row_bytes = static_cast<int64_t>(schema_->columns.size()) * 8;
    const codec::DecodeContext context{.strings = &strings,
                                       .bad_records = &bad_records,
                                       .batch_rows = std::clamp<int64_t>(kBatchBytes / row_bytes, 1024, 65'536)};
    LODE_TRY(auto bytes, codec::OpenDecompressed(file.path));
    LODE_TRY(auto decoder,
             OpenDecoder(file, *schema_, symbology.empty() ? nullptr : &symbology, {}, std::move(bytes), context));
    while (true) {
      LODE_TRY(const auto batch, decoder->Next());
      if (!batch) break;
      rows_ += batch->rows->num_rows();
      for (size_t i = 0; i < aggregates_.size(); ++i) {
        aggregates_[i].Add(*batch->rows->column_data(static_cast<int>(i)), strings);
      }
    }
    rejected_ += bad_records.count();
    return Ok();
  }

  void Print() const {
    fmt::print("{} rows, {} rejected\n", rows_, rejected_);
    for (const Aggregate& aggregate : aggregates_) {
      if (aggregate.has_values()) fmt::print("{}\n", aggregate.Line());
    }
  }

 private:
  const codec::TableSchema* schema_;
  std::vector<Aggregate> aggregates_;
  int64_t rows_ = 0, rejected_ = 0;
};

Status Run(const fs::path& folder) {
  LODE_TRY(const Discovery discovery, Discover({folder}, {}));
  if (!discovery.refused.empty()) return std::unexpected(discovery.refused.front().error);
  std::vector<Table> tables;
  for (const Delivery& delivery : discovery.deliveries) {
    for (const DataFile& file : delivery.data) {
      for (const codec::TableSchema* schema : file.schemas) {
        auto table = std::ranges::find(tables, schema, &Table::schema);
        if (table == tables.end()) table = tables.emplace(tables.end(), schema);
        if (auto status = table->Add(delivery, file); !status) {
          return std::unexpected(std::move(status).error().With(file.name));
        }
      }
    }
  }
  if (tables.empty()) return Fail(ErrorKind::kNotFound, "{}: no data files", folder.string());
  for (const Table& table : tables) table.Print();
  return Ok();
}

}  // namespace
}  // namespace lode::source::files

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: decode_bench FOLDER\n");
    return 2;
  }
  if (const auto status = lode::source::files::Run(arguments[1]); !status) {
    fmt::print(stderr, "decode_bench: {}\n", status.error().ToString());
    return 1;
  }
}
