// Whole streams: what the writer wrote, the decoder gives back, in every schema and version.
#include "lode/codec/dbn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "lode/base/decimal.h"
#include "lode/codec/testing/dbn_writer.h"
#include "lode/codec/testing/decoded_rows.h"

namespace lode::codec {
namespace {

using fixture::CompressZstd;
using fixture::DbnWriter;
using fixture::Decoded;
using fixture::DecodeDbn;
using fixture::DecodedRow;
using fixture::Field;

constexpr uint64_t kNoon = 1'704'196'800'000'000'000;  // 2024-01-02T12:00:00Z

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

uint64_t Seed() {
  const char* given = std::getenv("LODE_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// Random records of a schema together with the rows they must become.
class RecordMaker {
 public:
  RecordMaker(std::string schema, int version, bool ts_out, uint64_t seed)
      : schema_(*FindDatabentoSchema(schema)), version_(version), ts_out_(ts_out), random_(seed) {}

  std::vector<Field> Make(DecodedRow& row) {
    std::vector<Field> fields;
    row.clear();
    for (const Column& column : schema_.columns) {
      const bool decoded = column.origin == ColumnOrigin::kVendor || column.origin == ColumnOrigin::kExtra;
      if (decoded) row[column.name] = Absent(column);
    }
    std::vector<fixture::FieldLayout> layout = fixture::LayoutOf(schema_.name, version_);
    layout.push_back({"publisher_id", 'H', 2, 2});
    layout.push_back({"instrument_id", 'I', 4, 4});
    layout.push_back({"ts_event", 'Q', 8, 8});
    if (ts_out_) layout.push_back({"ts_out", 'Q', 0, 8});
    for (const fixture::FieldLayout& field : layout) AddField(field, fields, row);
    return fields;
  }

 private:
  bool bars() const { return schema_.name.starts_with("ohlcv"); }

  static std::string Absent(const Column& column) {
    if (column.name == "leg_side") return "N";
    if (column.nullable) return "null";
    return column.type == ColumnType::kText ? "" : "0";
  }

  std::string Text(size_t width) {
    std::string text(random_() % (width + 1), ' ');
    for (char& c : text) c = static_cast<char>('!' + random_() % 94);
    return text;
  }

  int64_t Price() { return static_cast<int64_t>(random_() % (2 * uint64_t{kDecimal9Max} + 1)) - kDecimal9Max; }

  void AddField(const fixture::FieldLayout& field, std::vector<Field>& fields, DecodedRow& row) {
    const int at = schema_.Find(field.name);
    if (at < 0) {  // ts_out of a bar has no column
      fields.push_back({field.name, random_()});
      return;
    }
    const Column& column = schema_.columns[static_cast<size_t>(at)];
    const bool undefined = column.nullable && random_() % 8 == 0;
    std::string& cell = row[column.name];
    if (field.type == 's') {
      cell = Text(field.size);
      fields.push_back({field.name, cell});
      return;
    }
    uint64_t bits = 0;
    if (column.type == ColumnType::kText) {
      bits = undefined ? 0 : '!' + random_() % 94;
      cell = std::string(1, static_cast<char>(bits));
    } else if (column.type == ColumnType::kPrice) {
      bits = static_cast<uint64_t>(undefined ? fixture::kUndefPrice : Price());
      cell = std::to_string(static_cast<int64_t>(bits));
    } else if (bars() && column.name == "ts_event") {
      bits = random_() % (uint64_t{1} << 43) * 1'000;
      cell = std::to_string(bits / 1'000);
    } else if (column.type == ColumnType::kTimestampNs) {
      // The day column alone decides whether the other may be undefined.
      bits = undefined && field.name != "ts_event" ? fixture::kUndefTimestamp : random_() >> 1;
      cell = bits == fixture::kUndefTimestamp ? "null" : std::to_string(bits);
      fields.push_back({field.name, bits});
      return;
    } else {
      AddInteger(field, undefined, bits, cell);
      fields.push_back({field.name, bits});
      return;
    }
    if (undefined) cell = "null";
    fields.push_back({field.name, bits});
  }

  void AddInteger(const fixture::FieldLayout& field, bool undefined, uint64_t& bits, std::string& cell) {
    bits = random_();
    switch (field.type) {
      case 'B': cell = std::to_string(static_cast<uint8_t>(bits)); break;
      case 'b': cell = std::to_string(static_cast<int8_t>(bits)); break;
      case 'H': cell = std::to_string(static_cast<uint16_t>(bits)); break;
      case 'h': cell = std::to_string(static_cast<int16_t>(bits)); break;
      case 'I':
        if (undefined) bits = fixture::kUndefSize;
        cell = undefined ? "null" : std::to_string(static_cast<uint32_t>(bits));
        break;
      case 'i':
        if (undefined) bits = INT32_MAX;
        cell = undefined ? "null" : std::to_string(static_cast<int32_t>(bits));
        break;
      case 'q':
        if (undefined) bits = INT64_MAX;
        cell = undefined ? "null" : std::to_string(static_cast<int64_t>(bits));
        break;
      case 'Q':
        if (bars()) bits >>= 1;  // volume
        cell = std::to_string(bits);
        break;
      default: FAIL() << field.type;
    }
  }

  const TableSchema& schema_;
  int version_;
  bool ts_out_;
  std::mt19937_64 random_;
};

uint8_t RtypeOf(const std::string& bytes, size_t offset) { return static_cast<uint8_t>(bytes[offset + 1]); }

class EveryDbnSchema : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryDbnSchema, InEveryVersionRawAndZstdWithAndWithoutTsOut) {
  const uint64_t seed = Seed();
  SCOPED_TRACE(fmt::format("LODE_TEST_SEED={}", seed));
  for (int version = 1; version <= 3; ++version) {
    for (const bool ts_out : {false, true}) {
      SCOPED_TRACE(fmt::format("version {} ts_out {}", version, ts_out));
      RecordMaker maker(GetParam(), version, ts_out, seed + static_cast<uint64_t>(version));
      DbnWriter writer({.version = version, .schema = GetParam(), .ts_out = ts_out});
      std::vector<DecodedRow> expected(300);
      for (size_t i = 0; i < expected.size(); ++i) {
        writer.Add(GetParam(), maker.Make(expected[i]));
        expected[i]["source_row"] = std::to_string(i);
        if (expected[i].contains("rtype")) {
          expected[i]["rtype"] = std::to_string(RtypeOf(writer.bytes(), writer.record_offsets().back()));
        }
      }
      const std::string compressed = CompressZstd(writer.bytes(), {.frame_bytes = 10'001, .skippable = true});
      for (const int64_t batch_rows : {65'536, 97}) {
        const Decoded raw = DecodeDbn(writer.bytes(), {}, batch_rows);
        ASSERT_EQ(raw.error_text(), "");
        ASSERT_EQ(raw.bad.count(), 0) << raw.bad.kept()[0].reason;
        ASSERT_EQ(raw.only().size(), expected.size());
        for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(raw.only()[i], expected[i]) << "row " << i;
        EXPECT_EQ(raw.facts.records, 300);
        EXPECT_TRUE(raw.facts.ended);
        EXPECT_EQ(raw.facts.schema, GetParam());
        EXPECT_EQ(raw.batches.size(), batch_rows == 97 ? 4U : 1U);
      }
      const Decoded zstd = DecodeDbn(OpenZstd(FromMemory(Bytes(compressed))));
      ASSERT_EQ(zstd.error_text(), "");
      EXPECT_EQ(zstd.only(), expected);
    }
  }
}

// Fragments say neither version nor ts_out: the record's length does.
TEST_P(EveryDbnSchema, AsAFragmentOfAnyVersion) {
  const uint64_t seed = Seed();
  SCOPED_TRACE(fmt::format("LODE_TEST_SEED={}", seed));
  for (int version = 1; version <= 3; ++version) {
    for (const bool ts_out : {false, true}) {
      RecordMaker maker(GetParam(), version, ts_out, seed);
      DbnWriter writer = DbnWriter::Fragment(version, ts_out);
      std::vector<DecodedRow> expected(3);
      for (DecodedRow& row : expected) writer.Add(GetParam(), maker.Make(row));
      const Decoded decoded = DecodeDbn(writer.bytes(), {.fragment = true, .schema_hint = GetParam()});
      ASSERT_EQ(decoded.error_text(), "");
      ASSERT_EQ(decoded.bad.count(), 0);
      ASSERT_EQ(decoded.only().size(), 3U);
      for (size_t i = 0; i < 3; ++i) {
        for (const auto& [name, value] : expected[i]) {
          if (name != "rtype") {
            EXPECT_EQ(decoded.only()[i].at(name), value) << name;
          }
        }
      }
      EXPECT_EQ(decoded.facts.schema, GetParam());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dbn, EveryDbnSchema, ::testing::ValuesIn(fixture::WritableSchemas()),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Dbn, FactsComeFromTheMetadata) {
  for (int version = 1; version <= 3; ++version) {
    DbnWriter writer({.version = version,
                      .dataset = "XNAS.ITCH",
                      .schema = "ohlcv-1d",
                      .start_ns = 5,
                      .limit = 9,
                      .symbols = {"ES.FUT", "NQ.FUT"},
                      .not_found = {"XX.FUT"}});
    const Decoded decoded = DecodeDbn(writer.bytes());
    ASSERT_EQ(decoded.error_text(), "");
    EXPECT_EQ(decoded.facts.dataset, "XNAS.ITCH");
    EXPECT_EQ(decoded.facts.schema, "ohlcv-1d");
    EXPECT_EQ(decoded.facts.stype_in, "parent");
    EXPECT_EQ(decoded.facts.start_ns, 5);
    EXPECT_EQ(decoded.facts.end_ns, std::nullopt);
    EXPECT_EQ(decoded.facts.limit, 9U);
    EXPECT_THAT(decoded.facts.symbols, ::testing::ElementsAre("ES.FUT", "NQ.FUT"));
    EXPECT_THAT(decoded.facts.not_found, ::testing::ElementsAre("XX.FUT"));
    EXPECT_EQ(decoded.facts.records, 0);
    EXPECT_TRUE(decoded.facts.ended);
    EXPECT_TRUE(decoded.batches.empty()) << "no batch without rows";
  }
}

fixture::Bar BarAt(uint64_t ns) { return {ns, 1, 2, 3, 4, 5}; }

std::vector<std::string> Symbols(const Decoded& decoded) {
  std::vector<std::string> symbols;
  for (const DecodedRow& row : decoded.only()) symbols.push_back(row.at("symbol"));
  return symbols;
}

TEST(Dbn, SymbolsByDayWhenAnInstrumentIdIsReused) {
  constexpr uint64_t kDay = 86'400'000'000'000;
  for (int version = 1; version <= 3; ++version) {
    DbnWriter writer({.version = version,
                      .schema = "ohlcv-1m",
                      .mappings = {{"NQH4", {{20240101, 20240103, "7"}, {20240104, 20240105, "8"}}},
                                   {"NQM4", {{20240103, 20240105, "7"}, {20240105, 20240106, ""}}}}});
    writer.AddBar("ohlcv-1m", 1, 7, BarAt(kNoon))
        .AddBar("ohlcv-1m", 1, 8, BarAt(kNoon))
        .AddBar("ohlcv-1m", 1, 7, BarAt(kNoon + kDay))
        .AddBar("ohlcv-1m", 1, 8, BarAt(kNoon + 2 * kDay))
        .AddBar("ohlcv-1m", 1, 7, BarAt(kNoon + 3 * kDay))
        .AddBar("ohlcv-1m", 1, 7, BarAt(kNoon));
    EXPECT_THAT(Symbols(DecodeDbn(writer.bytes())),
                ::testing::ElementsAre("NQH4", "null", "NQM4", "NQH4", "null", "NQH4"));
  }
}

TEST(Dbn, SymbolsWhenTheIdIsTheInputSide) {
  DbnWriter writer({.schema = "ohlcv-1m",
                    .stype_in = fixture::kStypeInstrumentId,
                    .stype_out = fixture::kStypeRawSymbol,
                    .mappings = {{"7", {{20240101, 20240103, "ESH4"}, {20240103, 20240104, "ESM4"}}}}});
  writer.AddBar("ohlcv-1m", 1, 7, BarAt(kNoon)).AddBar("ohlcv-1m", 1, 7, BarAt(kNoon + 86'400'000'000'000));
  EXPECT_THAT(Symbols(DecodeDbn(writer.bytes())), ::testing::ElementsAre("ESH4", "ESM4"));
}

TEST(Dbn, TheReceiveDayDecidesAndTheEventDayStandsIn) {
  DbnWriter writer(
      {.schema = "trades", .mappings = {{"A", {{20240102, 20240103, "7"}}}, {"B", {{20240103, 20240104, "7"}}}}});
  const auto trade = [&](uint64_t ts_event, uint64_t ts_recv) {
    writer.Add("trades", {{"instrument_id", 7}, {"ts_event", ts_event}, {"ts_recv", ts_recv}});
  };
  trade(0, kNoon);
  trade(kNoon, kNoon + 86'400'000'000'000);
  trade(kNoon, fixture::kUndefTimestamp);
  EXPECT_THAT(Symbols(DecodeDbn(writer.bytes())), ::testing::ElementsAre("A", "B", "A"));
}

TEST(Dbn, ASymbolWithDotsAndSlashesIsJustText) {
  DbnWriter writer({.schema = "ohlcv-1m", .mappings = {{"../../etc/passwd", {{20240102, 20240103, "7"}}}}});
  writer.AddBar("ohlcv-1m", 1, 7, BarAt(kNoon));
  EXPECT_THAT(Symbols(DecodeDbn(writer.bytes())), ::testing::ElementsAre("../../etc/passwd"));
}

TEST(Dbn, DeprecatedBarsHaveTheMetadatasWidth) {
  DbnWriter writer({.version = 1, .schema = "ohlcv-1h"});
  writer.Add("ohlcv-1h", {{"rtype", 0x11}, {"ts_event", kNoon}, {"open", 5}})
      .AddBar("ohlcv-1h", 1, 7, BarAt(kNoon))
      .Add("ohlcv-1h", {{"rtype", 0x11}, {"ts_event", kNoon}, {"open", 6}});
  const Decoded decoded = DecodeDbn(writer.bytes());
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.rows.at("ohlcv-1h").size(), 3U);
  EXPECT_EQ(decoded.only()[2].at("open"), "6");
  EXPECT_EQ(decoded.only()[2].at("source_row"), "2");
}

}  // namespace
}  // namespace lode::codec
