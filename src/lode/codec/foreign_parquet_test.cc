#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "lode/codec/foreign_column.h"
#include "lode/codec/parquet_file.h"

namespace lode::codec {
namespace {

using Columns = std::map<std::string, std::shared_ptr<arrow::Array>>;

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> Values(Builder&& builder, const std::vector<std::optional<T>>& values) {
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Doubles(const std::vector<std::optional<double>>& values) {
  return Values<arrow::DoubleBuilder, double>(arrow::DoubleBuilder(), values);
}

std::shared_ptr<arrow::Array> Integers(const std::vector<std::optional<int64_t>>& values) {
  return Values<arrow::Int64Builder, int64_t>(arrow::Int64Builder(), values);
}

std::shared_ptr<arrow::Array> Texts(const std::vector<std::optional<std::string>>& values) {
  return Values<arrow::StringBuilder, std::string>(arrow::StringBuilder(), values);
}

std::shared_ptr<arrow::Array> Times(arrow::TimeUnit::type unit, const std::string& zone,
                                    const std::vector<std::optional<int64_t>>& values) {
  arrow::TimestampBuilder builder(arrow::timestamp(unit, zone), arrow::default_memory_pool());
  return Values<arrow::TimestampBuilder&, int64_t>(builder, values);
}

std::shared_ptr<arrow::Array> Decimals(int precision, int scale,
                                       const std::vector<std::optional<std::string>>& values) {
  arrow::Decimal128Builder builder(arrow::decimal128(precision, scale));
  for (const auto& value : values) {
    if (!value) {
      EXPECT_TRUE(builder.AppendNull().ok());
      continue;
    }
    arrow::Decimal128 decimal;
    int32_t parsed_scale = 0;
    EXPECT_TRUE(arrow::Decimal128::FromString(*value, &decimal, nullptr, &parsed_scale).ok());
    EXPECT_TRUE(builder.Append(*decimal.Rescale(parsed_scale, scale)).ok());
  }
  return *builder.Finish();
}

constexpr int64_t kStartUs = 1'704'153'600'000'000;  // 2024-01-02

// Three bars as pandas would hold them.
Columns Bars() {
  Columns bars;
  bars["ts_event"] =
      Times(arrow::TimeUnit::NANO, "UTC", {kStartUs * 1000, kStartUs * 1000 + 60'000'000'000, kStartUs * 1000});
  bars["publisher_id"] = Integers({1, 1, 2});
  bars["instrument_id"] = Integers({5, 5, 6});
  for (const char* price : {"open", "high", "low", "close"}) bars[price] = Doubles({17016.25, -0.5, 1e8});
  bars["volume"] = Integers({10, 20, 30});
  bars["symbol"] = Texts({"NQH4", "NQH4-NQM4", std::nullopt});
  return bars;
}

class ForeignParquet : public testing::Test {
 protected:
  ForeignParquet() {
    std::string folder = (std::filesystem::temp_directory_path() / "lode-foreign-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
  }
  ~ForeignParquet() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const Columns& columns, int64_t row_group_rows = 1 << 20, bool keep_types = true) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [name, array] : columns) {
      fields.push_back(arrow::field(name, array->type()));
      arrays.push_back(array);
    }
    const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
    const auto path = folder_ / "foreign.parquet";
    auto arrow_properties = parquet::ArrowWriterProperties::Builder();
    if (keep_types) arrow_properties.store_schema();
    const auto status = parquet::arrow::WriteTable(*table, arrow::default_memory_pool(),
                                                   *arrow::io::FileOutputStream::Open(path.string()), row_group_rows,
                                                   parquet::default_writer_properties(), arrow_properties.build());
    EXPECT_TRUE(status.ok()) << status.ToString();
    return path;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Decode(const std::filesystem::path& path,
                                                     const ColumnMapping& mapping = {}) {
    DecodeContext context{.strings = &strings_, .bad_records = &bad_, .batch_rows = batch_rows_};
    LODE_TRY(const auto decoder, OpenForeignParquet(path, *FindDatabentoSchema("ohlcv-1m"), mapping, context));
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    while (true) {
      LODE_TRY(const auto batch, decoder->Next());
      if (!batch) break;
      EXPECT_LE(batch->rows->num_rows(), batch_rows_);
      EXPECT_TRUE(batch->rows->ValidateFull().ok());
      batches.push_back(batch->rows);
    }
    EXPECT_TRUE(decoder->facts().ended);
    records_ = decoder->facts().records;
    return *(*arrow::Table::FromRecordBatches(DecodedSchema(*FindDatabentoSchema("ohlcv-1m")), batches))
                ->CombineChunksToBatch();
  }
  Result<std::shared_ptr<arrow::RecordBatch>> DecodeColumns(const Columns& columns, const ColumnMapping& mapping = {}) {
    return Decode(Write(columns), mapping);
  }

  static std::vector<std::optional<int64_t>> Column(const arrow::RecordBatch& batch, const std::string& name) {
    std::vector<std::optional<int64_t>> values;
    const auto array = batch.GetColumnByName(name);
    for (int64_t i = 0; i < array->length(); ++i) {
      if (array->IsNull(i)) {
        values.push_back(std::nullopt);
      } else if (array->type()->byte_width() == 4) {
        values.push_back(array->data()->GetValues<int32_t>(1)[i]);
      } else {
        values.push_back(array->data()->GetValues<int64_t>(1)[i]);
      }
    }
    return values;
  }

  void ExpectRefused(const Columns& columns, ErrorKind kind, std::string_view text, const ColumnMapping& mapping = {}) {
    const auto batch = DecodeColumns(columns, mapping);
    ASSERT_FALSE(batch) << text;
    EXPECT_EQ(batch.error().kind, kind) << batch.error().ToString();
    EXPECT_NE(batch.error().message.find(text), std::string::npos) << batch.error().message;
  }

  std::filesystem::path folder_;
  StringPool strings_;
  BadRecords bad_;
  int64_t batch_rows_ = 65'536;
  int64_t records_ = 0;
};

using Slots = std::vector<std::optional<int64_t>>;

TEST_F(ForeignParquet, PandasBars) {
  const auto batch = DecodeColumns(Bars());
  ASSERT_TRUE(batch) << batch.error().ToString();
  EXPECT_TRUE((*batch)->schema()->Equals(*DecodedSchema(*FindDatabentoSchema("ohlcv-1m"))));
  EXPECT_EQ(Column(**batch, "ts_event"), (Slots{kStartUs, kStartUs + 60'000'000, kStartUs}));
  EXPECT_EQ(Column(**batch, "open"), (Slots{17016'250'000'000, -500'000'000, 100'000'000'000'000'000}));
  EXPECT_EQ(Column(**batch, "volume"), (Slots{10, 20, 30}));
  EXPECT_EQ(Column(**batch, "_extra"), (Slots{std::nullopt, std::nullopt, std::nullopt}));
  EXPECT_EQ(Column(**batch, "source_row"), (Slots{0, 1, 2}));
  const Slots symbols = Column(**batch, "symbol");
  EXPECT_EQ(strings_.Get(static_cast<int32_t>(*symbols[1])), "NQH4-NQM4");
  EXPECT_FALSE(symbols[2]);
  EXPECT_EQ(bad_.count(), 0);
}

TEST_F(ForeignParquet, EveryTimeBecomesUtcMicroseconds) {
  const int64_t second = kStartUs / 1'000'000;
  const std::vector<std::shared_ptr<arrow::Array>> forms = {
      Times(arrow::TimeUnit::MILLI, "", {second * 1000, second * 1000, second * 1000}),
      Times(arrow::TimeUnit::MICRO, "America/New_York", {kStartUs, kStartUs, kStartUs}),
      Times(arrow::TimeUnit::SECOND, "+05:30", {second, second, second}),
      Values<arrow::Date32Builder, int32_t>(arrow::Date32Builder(), {19724, 19724, 19724}),
      Values<arrow::Date64Builder, int64_t>(arrow::Date64Builder(), {second * 1000, second * 1000, second * 1000})};
  for (const auto& times : forms) {
    SCOPED_TRACE(times->type()->ToString());
    Columns bars = Bars();
    bars["ts_event"] = times;
    const auto batch = DecodeColumns(bars);
    ASSERT_TRUE(batch) << batch.error().ToString();
    EXPECT_EQ(Column(**batch, "ts_event"), (Slots{kStartUs, kStartUs, kStartUs}));
  }
}

TEST_F(ForeignParquet, DecimalsOfAnyScaleAreExact) {
  Columns bars = Bars();
  bars["open"] = Decimals(38, 18, {"1.5", "-0.000000001", std::nullopt});
  bars["high"] = Decimals(9, 2, {"1.25", "99999.99", "0"});
  bars["low"] = Decimals(19, 9, {"9223372036.854775807", "1", "2"});  // UNDEF_PRICE
  bars["close"] = Decimals(30, 12, {"1.0000000001", "1000000000", "3"});
  const auto batch = DecodeColumns(bars);
  ASSERT_TRUE(batch) << batch.error().ToString();
  ASSERT_EQ((*batch)->num_rows(), 1) << "a tenth digit and ten digits before the point are bad records";
  EXPECT_EQ(bad_.count(), 2);
  EXPECT_EQ(bad_.kept()[0].source_row, 0);
  EXPECT_NE(bad_.kept()[0].reason.find("close '1.0000000001"), std::string::npos) << bad_.kept()[0].reason;
  EXPECT_EQ(Column(**batch, "source_row"), (Slots{2}));
  EXPECT_EQ(Column(**batch, "open"), (Slots{std::nullopt}));
  EXPECT_EQ(Column(**batch, "close"), (Slots{3'000'000'000}));
}

TEST_F(ForeignParquet, BadValuesAreNamedByRow) {
  Columns bars = Bars();
  bars["ts_event"] = Times(arrow::TimeUnit::NANO, "UTC", {kStartUs * 1000 + 1, std::nullopt, kStartUs * 1000});
  const auto times = DecodeColumns(bars);
  ASSERT_TRUE(times);
  EXPECT_EQ(Column(**times, "source_row"), (Slots{2}));
  ASSERT_EQ(bad_.count(), 2);
  EXPECT_NE(bad_.kept()[0].reason.find("not a whole microsecond"), std::string::npos);
  EXPECT_EQ(bad_.kept()[1].reason, "ts_event is null");
  EXPECT_NE(bad_.kept()[1].raw.find("volume=20"), std::string::npos) << bad_.kept()[1].raw;

  bad_ = {};
  bars = Bars();
  bars["volume"] = Doubles({1, 2.5, std::nan("")});
  bars["symbol"] = Texts({std::string("a\0b", 3), "ok", std::string(257, 'x')});
  const auto none = DecodeColumns(bars);
  ASSERT_TRUE(none);
  EXPECT_EQ((*none)->num_rows(), 0);
  EXPECT_EQ(bad_.count(), 3);
  EXPECT_EQ(records_, 3);

  bad_ = {};
  bars = Bars();
  bars["publisher_id"] = Integers({1, int64_t{1} << 40, -1});
  const auto ids = DecodeColumns(bars);
  ASSERT_TRUE(ids);
  EXPECT_EQ(Column(**ids, "publisher_id"), (Slots{1, -1}));
}

TEST_F(ForeignParquet, TextInEveryDress) {
  Columns bars = Bars();
  const auto expect_symbols = [&] {
    for (const bool keep_types : {true, false}) {
      const auto batch = Decode(Write(bars, 2, keep_types));
      ASSERT_TRUE(batch) << batch.error().ToString();
      const Slots symbols = Column(**batch, "symbol");
      ASSERT_EQ(symbols.size(), 3u);
      EXPECT_EQ(strings_.Get(static_cast<int32_t>(*symbols[0])), "B");
      EXPECT_FALSE(symbols[1]);
      EXPECT_EQ(strings_.Get(static_cast<int32_t>(*symbols[2])), "A");
    }
  };
  bars["symbol"] =
      Values<arrow::LargeStringBuilder, std::string>(arrow::LargeStringBuilder(), {"B", std::nullopt, "A"});
  expect_symbols();
  bars["symbol"] = Values<arrow::BinaryBuilder, std::string>(arrow::BinaryBuilder(), {"B", std::nullopt, "A"});
  expect_symbols();
  arrow::StringDictionary32Builder categorical;
  ASSERT_TRUE(categorical.Append("B").ok() && categorical.AppendNull().ok() && categorical.Append("A").ok());
  bars["symbol"] = *categorical.Finish();
  expect_symbols();
}

TEST_F(ForeignParquet, MappedNamesAndLiterals) {
  Columns bars = Bars();
  for (const char* name : {"publisher_id", "instrument_id", "symbol", "volume"}) bars.erase(name);
  bars["Ticker"] = Texts({"ZLZ4", "ZLZ4", "ZLF5"});
  ColumnMapping mapping;
  mapping.columns = {{"symbol", "Ticker"}, {"high", "open"}, {"volume", "=7"}, {"low", "=-1.25"}, {"close", "="}};
  const auto batch = DecodeColumns(bars, mapping);
  ASSERT_TRUE(batch) << batch.error().ToString();
  EXPECT_EQ(Column(**batch, "publisher_id"), (Slots{0, 0, 0}));
  EXPECT_EQ(Column(**batch, "instrument_id"), (Slots{0, 0, 0}));
  EXPECT_EQ(Column(**batch, "high"), Column(**batch, "open"));
  EXPECT_EQ(Column(**batch, "volume"), (Slots{7, 7, 7}));
  EXPECT_EQ(Column(**batch, "low"), (Slots{-1'250'000'000, -1'250'000'000, -1'250'000'000}));
  EXPECT_EQ(Column(**batch, "close"), (Slots{std::nullopt, std::nullopt, std::nullopt}));
}

TEST_F(ForeignParquet, RefusalsSayWhatToDo) {
  Columns bars = Bars();
  bars.erase("open");
  bars.erase("volume");
  ExpectRefused(bars, ErrorKind::kBadInput, "no column for open, volume of ohlcv-1m");
  bars = Bars();
  bars.erase("symbol");
  bars.erase("instrument_id");
  ExpectRefused(bars, ErrorKind::kBadInput, "no column for instrument_id");
  bars = Bars();
  bars["open"] = Integers({1, 2, 3});
  ExpectRefused(bars, ErrorKind::kUnsupported, "whole units or 1e-9");
  bars["open"] = Texts({"1", "2", "3"});
  ExpectRefused(bars, ErrorKind::kUnsupported, "its type string is neither a decimal nor a double");
  bars = Bars();
  bars["ts_event"] = Integers({1, 2, 3});
  ExpectRefused(bars, ErrorKind::kUnsupported, "neither a timestamp nor a date");
  bars = Bars();
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::DoubleBuilder>());
  ASSERT_TRUE(lists.AppendEmptyValues(3).ok());
  bars["nested"] = *lists.Finish();
  ExpectRefused(bars, ErrorKind::kUnsupported, "nested is nested", {.schema = "", .columns = {{"open", "nested"}}});
}

TEST_F(ForeignParquet, MappingsThatDoNotFitAreRefused) {
  ExpectRefused(Bars(), ErrorKind::kConfig, "no vendor column opne", {.schema = "", .columns = {{"opne", "open"}}});
  ExpectRefused(Bars(), ErrorKind::kConfig, "no vendor column root", {.schema = "", .columns = {{"root", "open"}}});
  ExpectRefused(Bars(), ErrorKind::kBadInput, "no column Open", {.schema = "", .columns = {{"open", "Open"}}});
  ExpectRefused(Bars(), ErrorKind::kConfig, "'x' is not a value of open", {.schema = "", .columns = {{"open", "=x"}}});
  ExpectRefused(Bars(), ErrorKind::kConfig, "not a value of publisher_id",
                {.schema = "", .columns = {{"publisher_id", "=3000000000"}}});
}

TEST_F(ForeignParquet, StreamsRowGroupsInBatches) {
  Columns bars;
  std::vector<std::optional<int64_t>> times, numbers;
  std::vector<std::optional<double>> prices;
  std::vector<std::optional<std::string>> symbols;
  for (int64_t i = 0; i < 5000; ++i) {
    times.push_back(kStartUs + i * 60'000'000);
    numbers.push_back(i);
    prices.push_back(i == 4321 ? 1.0 / 3 : static_cast<double>(i) / 4);
    symbols.push_back(fmt::format("S{}", i / 700));
  }
  bars["ts_event"] = Times(arrow::TimeUnit::MICRO, "", times);
  bars["volume"] = Integers(numbers);
  for (const char* price : {"open", "high", "low", "close"}) bars[price] = Doubles(prices);
  bars["symbol"] = Texts(symbols);
  batch_rows_ = 300;
  const auto batch = Decode(Write(bars, 1000));
  ASSERT_TRUE(batch) << batch.error().ToString();
  EXPECT_EQ(records_, 5000);
  ASSERT_EQ((*batch)->num_rows(), 4999);
  ASSERT_EQ(bad_.count(), 1);
  EXPECT_EQ(bad_.kept()[0].source_row, 4321);
  EXPECT_EQ(Column(**batch, "source_row")[4321], 4322);
  EXPECT_EQ(Column(**batch, "volume")[4321], 4322);
  EXPECT_EQ(strings_.Get(static_cast<int32_t>(*Column(**batch, "symbol")[4998])), "S7");
}

TEST_F(ForeignParquet, OtherFilesAreRefused) {
  const auto write = [&](const std::string& bytes) {
    std::ofstream(folder_ / "x", std::ios::binary) << bytes;
    return folder_ / "x";
  };
  EXPECT_EQ(Decode(write("")).error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(Decode(write("PAR1 this is no footer")).error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(Decode(write(std::string("PAR1\xFF\xFF\xFF\x7FPAR1", 12))).error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(Decode(write(std::string("PAR1\0\0\0\0PARE", 12))).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(Decode(folder_ / "none").error().kind, ErrorKind::kStorage);
}

TEST_F(ForeignParquet, DamageIsAnErrorOrHarmless) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const auto path = Write(Bars());
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    for (uint64_t i = 0; i <= random() % 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    std::filesystem::remove(folder_ / "damaged");  // rewriting in place makes ext4 flush
    std::ofstream(folder_ / "damaged", std::ios::binary) << damaged;
    DecodeContext context{.strings = &strings_, .bad_records = &bad_};
    auto decoder = OpenForeignParquet(folder_ / "damaged", *FindDatabentoSchema("ohlcv-1m"), {}, context);
    while (decoder) {
      const auto batch = (*decoder)->Next();
      if (!batch || !*batch) break;
      ASSERT_TRUE((*batch)->rows->ValidateFull().ok());
    }
  }
}

TEST(PriceOfDouble, TakesExactlyTheDecimalsADoubleStandsFor) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    // Any price of nine decimals below a million, and of quarter ticks up to the bound.
    const auto fine = static_cast<int64_t>(random() % 1'000'000'000'000'000) - 500'000'000'000'000;
    EXPECT_EQ(PriceOfDouble(static_cast<double>(fine) / 1e9), fine);
    const auto ticks = static_cast<int64_t>(random() % 3'999'999'999);
    EXPECT_EQ(PriceOfDouble(static_cast<double>(ticks) * 0.25), ticks * 250'000'000);
  }
  EXPECT_EQ(PriceOfDouble(0.1 + 0.2), 300'000'000);
  EXPECT_EQ(PriceOfDouble(-0.0), 0);
  EXPECT_EQ(PriceOfDouble(987654321.1), 987654321'100'000'000);
  EXPECT_EQ(PriceOfDouble(999'999'999.5), 999'999'999'500'000'000);
  EXPECT_FALSE(PriceOfDouble(1.0 / 3));
  EXPECT_FALSE(PriceOfDouble(1e9));
  EXPECT_FALSE(PriceOfDouble(-2e300));
  EXPECT_FALSE(PriceOfDouble(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(PriceOfDouble(1e-12));
  EXPECT_EQ(PriceOfFloat(4000.1f), 4000'100'000'000);
  EXPECT_EQ(PriceOfFloat(1.0f / 3), 333'333'340);  // all a float says
  EXPECT_FALSE(PriceOfFloat(0.01f / 3));
}

}  // namespace
}  // namespace lode::codec
