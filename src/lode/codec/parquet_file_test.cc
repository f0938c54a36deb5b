#include "lode/codec/parquet_file.h"

#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>

#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "lode/base/hashing.h"
#include "lode/codec/testing/parquet_test.h"

namespace lode::codec {
namespace {

using fixture::AllTypes;
using fixture::AsRead;
using fixture::Batch;
using fixture::ExpectStored;
using fixture::FillPool;
using fixture::RandomRows;
using fixture::ReadAll;
using fixture::ReadBytes;
using fixture::WriteRows;

class ParquetFile : public fixture::ParquetTest {};

std::shared_ptr<arrow::Table> ReadWithArrow(const std::filesystem::path& path) {
  auto reader = parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                 parquet::ParquetFileReader::OpenFile(path.string(), false));
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  auto table = (*reader)->ReadTable();
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return *(*table)->CombineChunks();
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
  const auto chunk = reader->metadata()->RowGroup(group)->ColumnChunk(column);
  for (const auto& page : chunk->encoding_stats()) {
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

// A market day: prices of one instrument after the other in the first column; in the second few of them, and nulls; the
// second row group has prices on a finer grid, the third one that is on none.
TEST_F(ParquetFile, PricesOfManyInstrumentsAreADictionary) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) { return column.type != ColumnType::kFloat64; });
  ASSERT_EQ(schema.columns.size(), 2U);
  ASSERT_TRUE(!schema.columns[0].nullable && schema.columns[1].nullable);
  std::mt19937_64 random(18);
  arrow::DoubleBuilder dense, sparse;
  constexpr int64_t kRows = 3 * 262'144;
  int64_t cents = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    if (row % 250 == 0) cents = 100 + static_cast<int64_t>(random() % 40'000);
    double price = static_cast<double>(cents + static_cast<int64_t>(random() % 60)) / 100;
    if (row > 300'000 && row % 1000 == 0) price += 0.0025;
    ASSERT_TRUE(dense.Append(row == kRows - 1 ? 1.0 / 3 : price).ok());
    ASSERT_TRUE((row % 5 < 3 ? sparse.AppendNull() : sparse.Append(static_cast<double>(random() % 600) / 4)).ok());
  }
  const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), kRows, {*dense.Finish(), *sparse.Finish()});
  StringPool strings;
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  const auto table = ReadWithArrow(Path("x"));
  for (int i = 0; i < 2; ++i) {
    for (int group = 0; group < 3; ++group) {
      EXPECT_EQ(ValueEncodings(Path("x"), group, i), Encodings{parquet::Encoding::RLE_DICTIONARY}) << group << i;
    }
    EXPECT_TRUE(arrow::ChunkedArray(batch->column(i)).Equals(*table->column(i)));
  }
  // Blocks of zstd that fit the instruments save a tenth: 2.03 MB without.
  EXPECT_LT(std::filesystem::file_size(Path("x")), 1'900'000U);
}

// Values where the first sample looks and none where the larger one does.
TEST_F(ParquetFile, ALargerSampleMayBeNullsAlone) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) {
    return !column.nullable || (column.type != ColumnType::kFloat64 && column.type != ColumnType::kInt64);
  });
  ASSERT_EQ(schema.columns.size(), 2U);
  for (const int64_t rows : {1, 7, 8, 9, 100, 1600, 4000, 8000, 16'000}) {
    const int64_t block = std::max<int64_t>(rows / 8, 1);
    for (const int64_t nulls : {block - 1, block * 3 / 4, block / 2, std::min(rows / 64 + 1, block / 2), int64_t{0}}) {
      SCOPED_TRACE(fmt::format("{} of {} in {} rows", nulls, block, rows));
      arrow::ArrayVector columns;
      for (const Column& column : schema.columns) {
        arrow::DoubleBuilder doubles;
        arrow::Int64Builder integers;
        for (int64_t row = 0; row < rows; ++row) {
          const bool is_null = row % block < nulls;
          ASSERT_TRUE((is_null ? doubles.AppendNull() : doubles.Append(static_cast<double>(row % 50) / 4)).ok());
          ASSERT_TRUE((is_null ? integers.AppendNull() : integers.Append(row % 50 * 7)).ok());
        }
        columns.push_back(column.type == ColumnType::kFloat64 ? *doubles.Finish() : *integers.Finish());
      }
      const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), rows, columns);
      StringPool strings;
      ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
      const auto table = ReadWithArrow(Path("x"));
      for (int i = 0; i < 2; ++i) EXPECT_TRUE(arrow::ChunkedArray(batch->column(i)).Equals(*table->column(i)));
    }
  }
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

// Ascending, falling, up and down, with equal ones: the greatest is told from the one before where that can be.
TEST_F(ParquetFile, StatisticsOfDistinctTextAreItsRange) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns,
                [](const Column& column) { return column.type != ColumnType::kText || column.nullable; });
  schema.columns[0].distinct = true;
  std::mt19937_64 random(4);
  for (int kind = 0; kind < 60; ++kind) {
    SCOPED_TRACE(kind);
    std::vector<std::string> texts;
    for (int i = 0; i < 2 + kind; ++i) {
      const int step = kind % 3 == 0 ? 0 : kind % 3 == 1 ? i : -i;
      const int number = 100 + step + static_cast<int>(random() % 5);
      texts.push_back(kind % 2 == 0 ? fmt::format("{}", number)
                                    : fmt::format("{}{}", number % 3 == 0 ? "\xC3\xA9" : "z",
                                                  std::string(static_cast<size_t>(number), 'y')));
    }
    StringPool strings;
    arrow::Int32Builder builder;
    for (const std::string& text : texts) ASSERT_TRUE(builder.Append(*strings.Append(text)).ok());
    const auto batch = arrow::RecordBatch::Make(PhysicalSchema(schema), std::ssize(texts), {*builder.Finish()});
    ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
    const auto reader = parquet::ParquetFileReader::OpenFile(Path("x").string(), false);
    const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(0)->encoded_statistics();
    EXPECT_EQ(chunk->min(), *std::ranges::min_element(texts));
    EXPECT_EQ(chunk->max(), *std::ranges::max_element(texts));
  }
}

TEST_F(ParquetFile, StatisticsOfAPageAreOfAllItsBatches) {
  TableSchema schema = AllTypes();
  std::erase_if(schema.columns, [](const Column& column) {
    return (column.type != ColumnType::kInt64 && column.type != ColumnType::kText) || column.nullable;
  });
  ASSERT_EQ(schema.columns.size(), 2u);
  StringPool strings;
  std::vector<int32_t> ids;
  for (const char* text : {"a", "b", "c", "d", "e", "f"}) ids.push_back(*strings.Intern(text));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const int middle : {3, 1, 4, 2}) {  // neither the least nor the greatest is in the first or last batch
    arrow::Int64Builder numbers;
    arrow::Int32Builder texts;
    for (int i = 0; i < 999; ++i) {
      const int value = middle + (middle == 1 || middle == 4 ? i % 3 - 1 : 0);
      ASSERT_TRUE(numbers.Append(value * 1'000'000'007LL).ok());
      ASSERT_TRUE(texts.Append(ids[static_cast<size_t>(value)]).ok());
    }
    arrow::ArrayVector columns;
    for (const Column& column : schema.columns) {
      columns.push_back(column.type == ColumnType::kText ? *texts.Finish() : *numbers.Finish());
    }
    batches.push_back(arrow::RecordBatch::Make(PhysicalSchema(schema), 999, columns));
  }
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, batches));
  const auto reader = parquet::ParquetFileReader::OpenFile(Path("x").string(), false);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ValueEncodings(Path("x"), 0, i), Encodings{parquet::Encoding::RLE_DICTIONARY});
    const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(i)->encoded_statistics();
    if (schema.columns[static_cast<size_t>(i)].type == ColumnType::kText) {
      EXPECT_EQ(chunk->min() + chunk->max(), "af");
    } else {
      int64_t least = -1, greatest = -1;
      std::memcpy(&least, chunk->min().data(), 8);
      std::memcpy(&greatest, chunk->max().data(), 8);
      EXPECT_EQ(least, 0);
      EXPECT_EQ(greatest, 5'000'000'035LL);
    }
  }
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
