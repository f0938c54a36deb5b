#include "lode/codec/testing/parquet_test.h"

#include <arrow/util/decimal.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace lode::codec::fixture {
namespace {

// One column of random values: constant, few distinct, climbing, or any bits; with no, some, long runs of, or only
// nulls.
std::shared_ptr<arrow::Array> RandomColumn(const Column& column, int64_t rows, const StringPool& strings,
                                           std::mt19937_64& random) {
  const uint64_t kind = random() % 4;
  const uint64_t nulls = column.nullable ? random() % 4 : 0;
  int64_t walk = static_cast<int64_t>(random() % 1'000'000);
  const auto next = [&](int64_t row) -> int64_t {
    switch (kind) {
      case 0: return 3;
      case 1: return static_cast<int64_t>(random() % 50) - 20;
      case 2: return walk += static_cast<int64_t>(random() % 5) * 250;
      default: return row % 97 == 0 ? (row % 2 == 0 ? INT64_MIN : INT64_MAX) : static_cast<int64_t>(random());
    }
  };
  const auto is_null = [&](int64_t row) {
    return nulls == 3 || (nulls == 1 && random() % 3 == 0) || (nulls == 2 && row / 700 % 2 == 0);
  };
  const auto fill = [&](auto&& builder, auto&& convert) -> std::shared_ptr<arrow::Array> {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t value = next(row);
      EXPECT_TRUE((is_null(row) ? builder.AppendNull() : builder.Append(convert(value))).ok());
    }
    return *builder.Finish();
  };
  auto* pool = arrow::default_memory_pool();
  const auto same = [](int64_t value) { return value; };
  switch (column.type) {
    case ColumnType::kBool: return fill(arrow::BooleanBuilder(), [](int64_t v) { return v % 2 != 0; });
    case ColumnType::kInt32: return fill(arrow::Int32Builder(), [](int64_t v) { return static_cast<int32_t>(v); });
    case ColumnType::kDate: return fill(arrow::Date32Builder(), [](int64_t v) { return static_cast<int32_t>(v); });
    case ColumnType::kInt64: return fill(arrow::Int64Builder(), same);
    case ColumnType::kUint64: return fill(arrow::UInt64Builder(), [](int64_t v) { return static_cast<uint64_t>(v); });
    case ColumnType::kFloat64:
      return fill(arrow::DoubleBuilder(), [](int64_t v) { return static_cast<double>(v) / 8; });
    case ColumnType::kPrice: return fill(arrow::Int64Builder(), [](int64_t v) { return v % 999'999'999'999'999'999; });
    case ColumnType::kTimestampUs:
      return fill(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), pool), same);
    case ColumnType::kTimestampNs:
      return fill(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::NANO), pool), same);
    case ColumnType::kText:
      return fill(arrow::Int32Builder(),
                  [&](int64_t v) { return static_cast<int32_t>(static_cast<uint64_t>(v) % strings.size()); });
  }
  return nullptr;
}

}  // namespace

ParquetTest::ParquetTest() {
  std::string folder = (std::filesystem::temp_directory_path() / "lode-parquet-XXXXXX").string();
  folder_ = ::mkdtemp(folder.data());
}

ParquetTest::~ParquetTest() { std::filesystem::remove_all(folder_); }

std::string ReadBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // rewriting in place makes ext4 flush
  std::ofstream(path, std::ios::binary) << bytes;
}

Batch RandomRows(const TableSchema& schema, int64_t rows, const StringPool& strings, std::mt19937_64& random) {
  arrow::ArrayVector columns;
  for (const Column& column : schema.columns) columns.push_back(RandomColumn(column, rows, strings, random));
  return arrow::RecordBatch::Make(PhysicalSchema(schema), rows, columns);
}

void FillPool(StringPool& strings, int count) {
  ASSERT_TRUE(strings.Intern(""));
  for (int i = 0; i < count; ++i) ASSERT_TRUE(strings.Intern(fmt::format("SYM{}-{}", i * 7919 % 1000, i)));
}

Result<WrittenFile> WriteRows(const std::filesystem::path& path, const TableSchema& schema, const StringPool& strings,
                              const std::vector<Batch>& batches) {
  LODE_TRY(const auto writer, ParquetWriter::Create(path, schema, {"bars", "month=2024-01/data.parquet"}, strings));
  for (const Batch& batch : batches) LODE_TRY(writer->Write(*batch));
  return writer->Close();
}

std::shared_ptr<arrow::Array> AsRead(const Column& column, const arrow::Array& values, const StringPool& strings) {
  if (column.type == ColumnType::kText) {
    arrow::StringBuilder builder;
    const auto& ids = static_cast<const arrow::Int32Array&>(values);
    for (int64_t i = 0; i < ids.length(); ++i) {
      EXPECT_TRUE((ids.IsNull(i) ? builder.AppendNull() : builder.Append(strings.Get(ids.Value(i)))).ok());
    }
    return *builder.Finish();
  }
  if (column.type == ColumnType::kPrice) {
    arrow::Decimal128Builder builder(arrow::decimal128(18, 9));
    const auto& scaled = static_cast<const arrow::Int64Array&>(values);
    for (int64_t i = 0; i < scaled.length(); ++i) {
      EXPECT_TRUE((scaled.IsNull(i) ? builder.AppendNull() : builder.Append(arrow::Decimal128(scaled.Value(i)))).ok());
    }
    return *builder.Finish();
  }
  return arrow::MakeArray(values.data());
}

Result<std::vector<Batch>> ReadAll(const std::filesystem::path& path, const TableSchema& schema, StringPool& strings) {
  LODE_TRY(const auto rows, ParquetRows::Open(path, schema, &strings));
  std::vector<Batch> batches;
  while (true) {
    LODE_TRY(Batch batch, rows->Next());
    if (batch == nullptr) return batches;
    batches.push_back(std::move(batch));
  }
}

void ExpectStored(const TableSchema& schema, const arrow::RecordBatch& written, const StringPool& written_strings,
                  const std::vector<Batch>& read, const StringPool& read_strings) {
  int64_t row = 0;
  for (const Batch& batch : read) {
    ASSERT_TRUE(batch->schema()->Equals(*StoredSchema(schema)));
    ASSERT_TRUE(batch->ValidateFull().ok());
    for (int i = 0; i < batch->num_columns(); ++i) {
      const int index = schema.Find(batch->column_name(i));
      if (index < 0) continue;
      const Column& column = schema.columns[static_cast<size_t>(index)];
      const auto expected = AsRead(column, *written.column(index)->Slice(row, batch->num_rows()), written_strings);
      ASSERT_TRUE(AsRead(column, *batch->column(i), read_strings)->Equals(expected)) << column.name;
    }
    row += batch->num_rows();
  }
  EXPECT_EQ(row, written.num_rows());
}

TableSchema AllTypes() {
  TableSchema schema = *FindDatabentoSchema("ohlcv-1d");
  schema.columns.clear();
  for (int type = 0; type <= static_cast<int>(ColumnType::kText); ++type) {
    for (const bool nullable : {false, true}) {
      schema.columns.push_back({fmt::format("c{}{}", type, nullable ? "n" : ""), static_cast<ColumnType>(type),
                                nullable, ColumnOrigin::kVendor, "test"});
    }
  }
  return schema;
}

}  // namespace lode::codec::fixture
