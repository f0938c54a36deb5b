#include "lode/codec/parquet_file.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/util/decimal.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include "lode/base/hashing.h"

namespace lode::codec {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

class ParquetFile : public testing::Test {
 protected:
  ParquetFile() {
    std::string folder = (std::filesystem::temp_directory_path() / "lode-parquet-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
  }
  ~ParquetFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path Path(const std::string& name) const { return folder_ / name; }

  std::filesystem::path folder_;
};

std::string ReadBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // rewriting in place makes ext4 flush
  std::ofstream(path, std::ios::binary) << bytes;
}

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

// What any Parquet reader should see of a travelling column.
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

std::shared_ptr<arrow::Table> ReadWithArrow(const std::filesystem::path& path) {
  auto reader = parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                 parquet::ParquetFileReader::OpenFile(path.string(), false));
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  auto table = (*reader)->ReadTable();
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return *(*table)->CombineChunks();
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

// Compares with what was written: text by value, since the pools differ.
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

TEST_F(ParquetFile, EverySchemaReadsBackEqual) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 400);
  for (const TableSchema* schema : DatabentoSchemas()) {
    SCOPED_TRACE(schema->name);
    const auto rows = static_cast<int64_t>(1 + random() % 3000);
    const Batch batch = RandomRows(*schema, rows, strings, random);
    const auto written = WriteRows(Path("x"), *schema, strings, {batch});
    ASSERT_TRUE(written) << written.error().ToString();
    EXPECT_EQ(written->rows, rows);
    const std::string bytes = ReadBytes(Path("x"));
    EXPECT_EQ(written->size, bytes.size());
    EXPECT_EQ(written->sha256, Sha256Hex(bytes));

    const auto table = ReadWithArrow(Path("x"));
    ASSERT_EQ(table->num_columns(), batch->num_columns());
    for (int i = 0; i < table->num_columns(); ++i) {
      const Column& column = schema->columns[static_cast<size_t>(i)];
      EXPECT_TRUE(table->column(i)->chunk(0)->Equals(AsRead(column, *batch->column(i), strings))) << column.name;
    }
    StringPool read_strings;
    const auto read = ReadAll(Path("x"), *schema, read_strings);
    ASSERT_TRUE(read) << read.error().ToString();
    ExpectStored(*schema, *batch, strings, *read, read_strings);
  }
}

// Every column type, nullable and not: more than the vendor schemas have.
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

TEST_F(ParquetFile, RowGroupsAndPagesJoinUp) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 3000);
  const TableSchema schema = AllTypes();
  const Batch batch = RandomRows(schema, 262'144 + 65'536 + 17, strings, random);
  const auto written = WriteRows(Path("x"), schema, strings, {batch});
  ASSERT_TRUE(written) << written.error().ToString();
  const auto reader = parquet::ParquetFileReader::OpenFile(Path("x").string(), false);
  ASSERT_EQ(reader->metadata()->num_row_groups(), 2);
  EXPECT_EQ(reader->metadata()->RowGroup(0)->num_rows(), 262'144);
  StringPool read_strings;
  const auto read = ReadAll(Path("x"), schema, read_strings);
  ASSERT_TRUE(read) << read.error().ToString();
  ExpectStored(schema, *batch, strings, *read, read_strings);
  const auto table = ReadWithArrow(Path("x"));
  for (int i = 0; i < table->num_columns(); ++i) {
    const Column& column = schema.columns[static_cast<size_t>(i)];
    EXPECT_TRUE(table->column(i)->chunk(0)->Equals(AsRead(column, *batch->column(i), strings))) << column.name;
  }
}

std::vector<parquet::Encoding::type> ValueEncodings(const std::filesystem::path& path, int group, int column) {
  const auto reader = parquet::ParquetFileReader::OpenFile(path.string(), false);
  std::vector<parquet::Encoding::type> encodings;
  for (const auto& page : reader->metadata()->RowGroup(group)->ColumnChunk(column)->encoding_stats()) {
    if (page.page_type == parquet::PageType::DATA_PAGE) encodings.push_back(page.encoding);
  }
  return encodings;
}

using Encodings = std::vector<parquet::Encoding::type>;

TEST_F(ParquetFile, TextThatDoesNotRepeatIsPlain) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) { return column.type != ColumnType::kText; });
  StringPool strings;
  arrow::Int32Builder required, nullable;
  for (int i = 0; i < 30'000; ++i) {
    // Long enough for many pages, and now and then longer than a page.
    const size_t length = i % 10'000 == 77 ? 1'500'000 : static_cast<size_t>(i % 120);
    const int32_t id = *strings.Intern(fmt::format("{}{}", i, std::string(length, 'x')));
    ASSERT_TRUE(required.Append(id).ok());
    ASSERT_TRUE((i / 100 % 3 == 0 ? nullable.AppendNull() : nullable.Append(id)).ok());
  }
  const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), 30'000, {*required.Finish(), *nullable.Finish()});
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  const auto table = ReadWithArrow(Path("x"));
  StringPool read_strings;
  const auto read = ReadAll(Path("x"), schema, read_strings);
  ASSERT_TRUE(read) << read.error().ToString();
  ExpectStored(schema, *batch, strings, *read, read_strings);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ValueEncodings(Path("x"), 0, i), Encodings{parquet::Encoding::PLAIN});
    const auto expected = AsRead(schema.columns[static_cast<size_t>(i)], *batch->column(i), strings);
    EXPECT_TRUE(arrow::ChunkedArray(expected).Equals(*table->column(i)));
  }
}

TEST_F(ParquetFile, ADictionaryThatOutgrowsItsRowGroupIsGivenUp) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) { return column.type != ColumnType::kInt64; });
  schema.columns.pop_back();
  std::mt19937_64 random(17);
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 262'144; ++i) ASSERT_TRUE(builder.Append(static_cast<int64_t>(random() % 7) << 40).ok());
  for (int64_t i = 0; i < 50'000; ++i) ASSERT_TRUE(builder.Append(static_cast<int64_t>(random())).ok());
  const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), 312'144, {*builder.Finish()});
  StringPool strings;
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  EXPECT_EQ(ValueEncodings(Path("x"), 0, 0), Encodings{parquet::Encoding::RLE_DICTIONARY});
  EXPECT_EQ(ValueEncodings(Path("x"), 1, 0), Encodings{parquet::Encoding::DELTA_BINARY_PACKED});
  EXPECT_TRUE(ReadWithArrow(Path("x"))->column(0)->Equals(arrow::ChunkedArray(batch->column(0))));
}

TEST_F(ParquetFile, BytesDependOnValuesOnly) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const TableSchema schema = AllTypes();
  StringPool strings;
  FillPool(strings, 300);
  const Batch batch = RandomRows(schema, 70'000, strings, random);
  const auto whole = WriteRows(Path("whole"), schema, strings, {batch});
  ASSERT_TRUE(whole);

  // The same text under other ids, in a pool that holds more.
  StringPool other;
  ASSERT_TRUE(other.Intern("stranger"));
  for (size_t i = strings.size(); i-- > 0;) ASSERT_TRUE(other.Intern(strings.Get(static_cast<int32_t>(i))));
  std::vector<Batch> pieces;
  for (int64_t row = 0; row < batch->num_rows();) {
    const auto count = std::min<int64_t>(static_cast<int64_t>(random() % 20'000), batch->num_rows() - row);
    Batch piece = batch->Slice(row, count);
    row += count;
    for (int i = 0; i < piece->num_columns(); ++i) {
      if (schema.columns[static_cast<size_t>(i)].type != ColumnType::kText) continue;
      arrow::Int32Builder ids;
      const auto& old = static_cast<const arrow::Int32Array&>(*piece->column(i));
      for (int64_t k = 0; k < old.length(); ++k) {
        ASSERT_TRUE((old.IsNull(k) ? ids.AppendNull() : ids.Append(*other.Intern(strings.Get(old.Value(k))))).ok());
      }
      piece = *piece->SetColumn(i, piece->schema()->field(i), *ids.Finish());
    }
    pieces.push_back(std::move(piece));
  }
  const auto cut = WriteRows(Path("cut"), schema, other, pieces);
  ASSERT_TRUE(cut) << cut.error().ToString();
  EXPECT_EQ(cut->sha256, whole->sha256);
}

TEST_F(ParquetFile, FooterHoldsTheFactsAndNothingElse) {
  std::mt19937_64 random(5);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& schema = *FindDatabentoSchema("ohlcv-1m");
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {RandomRows(schema, 100, strings, random)}));
  const auto reader = parquet::ParquetFileReader::OpenFile(Path("x").string(), false);
  const auto metadata = reader->metadata();
  std::map<std::string, std::string> facts;
  for (int64_t i = 0; i < metadata->key_value_metadata()->size(); ++i) {
    facts[metadata->key_value_metadata()->key(i)] = metadata->key_value_metadata()->value(i);
  }
  EXPECT_EQ(facts, (std::map<std::string, std::string>{{"lode.dataset", "bars"},
                                                       {"lode.partition", "month=2024-01/data.parquet"},
                                                       {"lode.rows", "100"},
                                                       {"lode.schema", "ohlcv-1m"},
                                                       {"lode.schema_version", "1"}}));
  EXPECT_TRUE(metadata->created_by().starts_with("parquet-cpp-arrow version")) << metadata->created_by();
  for (int i = 0; i < metadata->num_columns(); ++i) {
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(i);
    EXPECT_EQ(chunk->compression(), parquet::Compression::ZSTD);
    EXPECT_TRUE(chunk->is_stats_set());
    EXPECT_TRUE(chunk->GetColumnIndexLocation().has_value());
    EXPECT_TRUE(chunk->GetOffsetIndexLocation().has_value());
    EXPECT_EQ(metadata->schema()->Column(i)->schema_node()->field_id(), i + 1);
  }
  const auto time = metadata->schema()->Column(schema.Find("ts_event"));
  EXPECT_TRUE(
      time->logical_type()->Equals(*parquet::LogicalType::Timestamp(false, parquet::LogicalType::TimeUnit::MICROS)));
  const auto open = metadata->schema()->Column(schema.Find("open"));
  EXPECT_EQ(open->physical_type(), parquet::Type::INT64);
  EXPECT_TRUE(open->logical_type()->Equals(*parquet::LogicalType::Decimal(18, 9)));
}

TEST_F(ParquetFile, StatisticsBoundEveryPage) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) {
    return column.type != ColumnType::kUint64 && column.type != ColumnType::kFloat64 &&
           column.type != ColumnType::kText;
  });
  StringPool strings;
  const int32_t low = *strings.Intern("A");
  const int32_t high = *strings.Intern("\xC3\xA9");  // above ASCII: compared as unsigned bytes
  arrow::ArrayVector columns;
  for (const Column& column : schema.columns) {
    if (column.type == ColumnType::kUint64) {
      arrow::UInt64Builder builder;
      ASSERT_TRUE(builder.AppendValues({5, UINT64_MAX, 9}).ok());
      columns.push_back(*builder.Finish());
    } else if (column.type == ColumnType::kFloat64) {
      arrow::DoubleBuilder builder;
      ASSERT_TRUE(builder.AppendValues({std::numeric_limits<double>::quiet_NaN(), 0.0, -2.5}).ok());
      columns.push_back(*builder.Finish());
    } else {
      arrow::Int32Builder builder;
      ASSERT_TRUE(builder.AppendValues({high, low, high}).ok());
      columns.push_back(*builder.Finish());
    }
  }
  const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), 3, columns);
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  const auto reader = parquet::ParquetFileReader::OpenFile(Path("x").string(), false);
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const auto index = reader->GetPageIndexReader()->RowGroup(0)->GetColumnIndex(static_cast<int>(i));
    const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(static_cast<int>(i))->encoded_statistics();
    ASSERT_EQ(index->encoded_min_values().size(), 1u);
    EXPECT_EQ(index->encoded_min_values()[0], chunk->min());
    EXPECT_EQ(index->encoded_max_values()[0], chunk->max());
    switch (schema.columns[i].type) {
      case ColumnType::kUint64: EXPECT_EQ(chunk->max(), std::string(8, '\xFF')); break;
      case ColumnType::kFloat64: EXPECT_EQ(chunk->max(), std::string(8, '\0')); break;
      default: EXPECT_EQ(chunk->min() + chunk->max(), "A\xC3\xA9"); break;
    }
  }
}

// Places of the pages' compressed bytes, headers left out.
std::vector<std::pair<size_t, size_t>> PageBodies(const std::filesystem::path& path, const std::string& bytes) {
  std::vector<std::pair<size_t, size_t>> bodies;
  const auto reader = parquet::ParquetFileReader::OpenFile(path.string(), false);
  for (int i = 0; i < reader->metadata()->num_columns(); ++i) {
    const auto pages = reader->GetPageIndexReader()->RowGroup(0)->GetOffsetIndex(i);
    for (const auto& page : pages->page_locations()) {
      const auto end = static_cast<size_t>(page.offset + page.compressed_page_size);
      const size_t body = bytes.find("\x28\xB5\x2F\xFD", static_cast<size_t>(page.offset));
      EXPECT_LT(body, end);
      bodies.emplace_back(body, end);
    }
  }
  return bodies;
}

TEST_F(ParquetFile, AFlippedBitOfADataPageNeverChangesAValue) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 50);
  const TableSchema& schema = *FindDatabentoSchema("trades");  // ParquetRows reads all its columns
  const Batch batch = RandomRows(schema, 500, strings, random);
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  const std::string bytes = ReadBytes(Path("x"));
  int flips = 0;
  int noticed = 0;
  for (const auto& [begin, end] : PageBodies(Path("x"), bytes)) {
    for (int round = 0; round < 20; ++round) {
      const size_t at = begin + random() % (end - begin);
      const auto bit = static_cast<unsigned>(random() % 8);
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 1u << bit);
      WriteBytes(Path("damaged"), damaged);
      StringPool read_strings;
      const auto read = ReadAll(Path("damaged"), schema, read_strings);
      SCOPED_TRACE(fmt::format("byte {} bit {}", at, bit));
      ++flips;
      if (!read) {
        ++noticed;
        EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
      } else {
        // zstd has a few bits without meaning (unused header bits, padding): the values are what they were.
        ExpectStored(schema, *batch, strings, *read, read_strings);
      }
    }
  }
  EXPECT_GT(noticed, flips * 98 / 100);
}

TEST_F(ParquetFile, DamageAnywhereIsAnErrorOrHarmless) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 50);
  const TableSchema& schema = *FindDatabentoSchema("trades");
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {RandomRows(schema, 300, strings, random)}));
  const std::string bytes = ReadBytes(Path("x"));
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    for (uint64_t i = 0; i <= random() % 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    WriteBytes(Path("damaged"), damaged);
    StringPool read_strings;
    const auto read = ReadAll(Path("damaged"), schema, read_strings);
    if (!read) {
      EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt) << read.error().ToString();
    }
  }
}

TEST_F(ParquetFile, RowsOfAnotherSchemaAreCorrupt) {
  std::mt19937_64 random(1);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& daily = *FindDatabentoSchema("ohlcv-1d");
  ASSERT_TRUE(WriteRows(Path("x"), daily, strings, {RandomRows(daily, 10, strings, random)}));
  const auto rows = ParquetRows::Open(Path("x"), *FindDatabentoSchema("ohlcv-1m"), &strings);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(ParquetRows::Open(Path("none"), daily, &strings).error().kind, ErrorKind::kNotFound);
}

TEST_F(ParquetFile, AnEmptyFileHasNoRows) {
  StringPool strings;
  const TableSchema& schema = *FindDatabentoSchema("trades");
  const auto written = WriteRows(Path("x"), schema, strings, {});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->rows, 0);
  EXPECT_EQ(ReadWithArrow(Path("x"))->num_rows(), 0);
  EXPECT_TRUE(ReadAll(Path("x"), schema, strings)->empty());
}

TEST_F(ParquetFile, BarsGiveNoSourceRow) {
  std::mt19937_64 random(1);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& schema = *FindDatabentoSchema("ohlcv-1m");
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {RandomRows(schema, 10, strings, random)}));
  const auto read = ReadAll(Path("x"), schema, strings);
  ASSERT_TRUE(read);
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*(*read)[0]->GetColumnByName("source_row")).Value(0), -1);
  EXPECT_EQ((*read)[0]->GetColumnByName("source_file")->null_count(), 10);
}

TEST_F(ParquetFile, AnAbandonedFileIsRemoved) {
  StringPool strings;
  const TableSchema& schema = *FindDatabentoSchema("trades");
  {
    const auto writer = ParquetWriter::Create(Path("x"), schema, {}, strings);
    ASSERT_TRUE(writer);
    EXPECT_TRUE(std::filesystem::exists(Path("x")));
  }
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
}

TEST_F(ParquetFile, AFullDiskIsAStorageError) {
  std::mt19937_64 random(1);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& schema = *FindDatabentoSchema("mbp-10");
  const Batch batch = RandomRows(schema, 3000, strings, random);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = WriteRows(Path("x"), schema, strings, {batch});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, previous);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kStorage);
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
  EXPECT_EQ(ParquetWriter::Create(Path("none") / "x", schema, {}, strings).error().kind, ErrorKind::kStorage);
}

TEST_F(ParquetFile, NullsInRequiredColumnsAndUnknownTextAreOurBugs) {
  const TableSchema& schema = *FindDatabentoSchema("ohlcv-1m");
  StringPool strings;
  std::mt19937_64 random(1);
  FillPool(strings, 3);
  const Batch batch = RandomRows(schema, 4, strings, random);
  const auto with_null = *batch->SetColumn(0, batch->schema()->field(0), *arrow::MakeArrayOfNull(arrow::int32(), 4));
  EXPECT_EQ(WriteRows(Path("x"), schema, strings, {with_null}).error().kind, ErrorKind::kInternal);
  const int symbol = schema.Find("symbol");
  const auto ids = *arrow::MakeArrayFromScalar(arrow::Int32Scalar(1000), 4);
  const auto unknown = *batch->SetColumn(symbol, batch->schema()->field(symbol), ids);
  EXPECT_EQ(WriteRows(Path("x"), schema, strings, {unknown}).error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace lode::codec
