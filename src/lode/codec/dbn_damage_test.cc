// Bad input: truncation anywhere, lying counts, records that contradict the stream, values no column holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "lode/base/decimal.h"
#include "lode/codec/dbn.h"
#include "lode/codec/testing/dbn_writer.h"
#include "lode/codec/testing/decoded_rows.h"

namespace lode::codec {
namespace {

using fixture::CompressZstd;
using fixture::DbnWriter;
using fixture::Decoded;
using fixture::DecodeDbn;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kNoon = 1'704'196'800'000'000'000;  // 2024-01-02T12:00:00Z
constexpr fixture::Bar kBar{kNoon, 1, 2, 3, 4, 5};

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

void PutU32(std::string& bytes, size_t offset, uint32_t value) { std::memcpy(bytes.data() + offset, &value, 4); }

DbnWriter SmallStream(int version) {
  DbnWriter writer({.version = version,
                    .schema = "trades",
                    .symbols = {"NQ.FUT"},
                    .mappings = {{"NQH4", {{20240101, 20240103, "7"}}}}});
  for (int i = 0; i < 4; ++i) writer.Add("trades", {{"instrument_id", 7}, {"ts_recv", kNoon}, {"action", 'T'}});
  return writer;
}

TEST(DbnTruncated, RawStreamCutAtEveryByte) {
  for (int version = 1; version <= 3; ++version) {
    const DbnWriter writer = SmallStream(version);
    for (size_t size = 0; size < writer.bytes().size(); ++size) {
      const Decoded decoded = DecodeDbn(std::string_view(writer.bytes()).substr(0, size));
      // Between two records nothing in the stream tells that more was to come.
      const bool between = size >= writer.metadata_size() && (size - writer.metadata_size()) % 48 == 0;
      EXPECT_EQ(!decoded.error.has_value(), between) << "version " << version << " cut at " << size;
      EXPECT_EQ(decoded.facts.ended, between);
      if (decoded.error) {
        EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
      }
    }
  }
}

TEST(DbnTruncated, ZstdStreamCutAtEveryByte) {
  const DbnWriter writer = SmallStream(3);
  const std::string compressed = CompressZstd(writer.bytes());
  for (size_t size = 0; size < compressed.size(); ++size) {
    const Decoded decoded = DecodeDbn(OpenZstd(FromMemory(Bytes(std::string_view(compressed).substr(0, size)))));
    ASSERT_TRUE(decoded.error.has_value()) << "cut at " << size;
    EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
    EXPECT_FALSE(decoded.facts.ended);
  }
}

TEST(DbnTruncated, FragmentCutAtEveryByte) {
  DbnWriter writer = DbnWriter::Fragment(3);
  writer.AddBar("ohlcv-1m", 1, 7, kBar).AddBar("ohlcv-1m", 1, 7, kBar);
  for (size_t size = 0; size < writer.bytes().size(); ++size) {
    const Decoded decoded = DecodeDbn(std::string_view(writer.bytes()).substr(0, size), {.fragment = true});
    EXPECT_EQ(decoded.error.has_value(), size != 56) << size;
  }
}

TEST(DbnTruncated, Version1MayCountItsRecords) {
  std::string bytes = SmallStream(1).bytes();
  const uint64_t count = 5;
  std::memcpy(bytes.data() + 50, &count, 8);
  EXPECT_THAT(DecodeDbn(bytes).error_text(), HasSubstr("4 of the 5 records"));
}

TEST(DbnMetadata, RefusesWhatIsNotDbn) {
  EXPECT_THAT(DecodeDbn("").error_text(), HasSubstr("empty"));
  EXPECT_THAT(DecodeDbn("ts_event,rtype,publisher_id\n1,2,3\n").error_text(), HasSubstr("does not begin with 'DBN'"));
  std::string bytes = SmallStream(3).bytes();
  for (const char version : {'\0', '\4', '\11'}) {
    bytes[3] = version;
    EXPECT_THAT(DecodeDbn(bytes).error_text(), HasSubstr("version"));
  }
  const Decoded dbz = DecodeDbn(std::string("\x50\x2A\x4D\x18\x08\0\0\0DBZ\x01\0\0\0\0", 16));
  EXPECT_EQ(dbz.error->kind, ErrorKind::kUnsupported);
  EXPECT_THAT(dbz.error_text(), HasSubstr("DBZ"));
}

TEST(DbnMetadata, RefusesLengthsAndCountsThatOverrun) {
  const std::string good = SmallStream(3).bytes();
  for (const uint32_t length : {0U, 99U, 0x7FFF'FFFFU, 0xFFFF'FFFFU}) {
    std::string bytes = good;
    PutU32(bytes, 4, length);
    EXPECT_THAT(DecodeDbn(bytes).error_text(), HasSubstr("metadata length")) << length;
  }
  // Offsets: 112 symbols (1), 187 partial, 191 not found, 195 mappings (1), 199 its symbol, 270 its intervals.
  for (const size_t offset : {112U, 187U, 191U, 195U, 270U}) {
    for (const uint32_t count : {0xFFFF'FFFFU, 0x0100'0000U, 9U}) {
      std::string bytes = good;
      PutU32(bytes, offset, count);
      const Decoded decoded = DecodeDbn(bytes);
      ASSERT_TRUE(decoded.error.has_value()) << offset;
      EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
    }
  }
}

TEST(DbnMetadata, RefusesSymbolsWithoutWidthDaysThatAreNoneAndIdsThatAreNoNumbers) {
  std::string bytes = SmallStream(3).bytes();
  bytes[53] = bytes[54] = '\0';
  EXPECT_THAT(DecodeDbn(bytes).error_text(), HasSubstr("no bytes"));
  EXPECT_THAT(DecodeDbn(DbnWriter({.mappings = {{"A", {{20240230, 20240301, "7"}}}}}).bytes()).error_text(),
              HasSubstr("20240230"));
  EXPECT_THAT(DecodeDbn(DbnWriter({.mappings = {{"A", {{20240101, 20240301, "x7"}}}}}).bytes()).error_text(),
              HasSubstr("'x7'"));
  bytes = SmallStream(3).bytes();
  bytes[24] = 77;
  EXPECT_THAT(DecodeDbn(bytes).error_text(), HasSubstr("schema number 77"));
}

TEST(DbnRecords, ALengthBelowTheHeaderEndsTheStream) {
  for (const char words : {'\0', '\1', '\3'}) {
    std::string bytes = SmallStream(3).bytes();
    bytes[SmallStream(3).record_offsets()[2]] = words;
    const Decoded decoded = DecodeDbn(bytes);
    EXPECT_THAT(decoded.error_text(), HasSubstr("less than its header"));
    EXPECT_FALSE(decoded.facts.ended);
  }
}

std::vector<std::string> Reasons(const Decoded& decoded) {
  std::vector<std::string> reasons;
  for (const BadRecord& bad : decoded.bad.kept()) reasons.push_back(bad.reason);
  return reasons;
}

TEST(DbnRecords, BadBarsAreNamedAndTheRestGoesOn) {
  DbnWriter writer({.schema = "ohlcv-1m", .mappings = {{"N\x01Q", {{20240101, 20240103, "13"}}}}});
  const auto add = [&](fixture::Bar bar, uint32_t instrument_id = 7) {
    writer.AddBar("ohlcv-1m", 1, instrument_id, bar);
  };
  add(kBar);
  add({fixture::kUndefTimestamp, 1, 2, 3, 4, 5});
  add({uint64_t{1} << 63, 1, 2, 3, 4, 5});
  add({kNoon + 1, 1, 2, 3, 4, 5});
  add({kNoon, kDecimal9Max + 1, 2, 3, 4, 5});
  add({kNoon, 1, 2, 3, INT64_MIN, 5});
  add({kNoon, 1, 2, 3, 4, uint64_t{1} << 63});
  add(kBar, 13);
  add({kNoon, -kDecimal9Max, kDecimal9Max, fixture::kUndefPrice, 0, INT64_MAX});
  writer.Add("trades", {{"ts_recv", kNoon}});
  add(kBar);
  const Decoded decoded = DecodeDbn(writer.bytes());
  ASSERT_EQ(decoded.error_text(), "");
  EXPECT_THAT(Reasons(decoded),
              ElementsAre("ts_event is undefined", "ts_event is a time past 2262", HasSubstr("whole microsecond"),
                          HasSubstr("open 1000000000000000000"), HasSubstr("close -9223372036854775808"),
                          HasSubstr("volume"), HasSubstr("control character"), HasSubstr("type 0x00")));
  ASSERT_EQ(decoded.only().size(), 3U);
  EXPECT_EQ(decoded.only()[1].at("source_row"), "8");
  EXPECT_EQ(decoded.only()[1].at("high"), std::to_string(kDecimal9Max));
  EXPECT_EQ(decoded.only()[1].at("low"), "null");
  EXPECT_EQ(decoded.only()[2].at("source_row"), "10");
  EXPECT_EQ(decoded.only()[2].at("low"), "3") << "a null must not spread";
  EXPECT_EQ(decoded.facts.records, 11);
  const BadRecord& bad = decoded.bad.kept()[3];
  EXPECT_EQ(bad.source_row, 4);
  EXPECT_EQ(bad.offset, static_cast<int64_t>(writer.record_offsets()[4]));
  EXPECT_EQ(bad.raw, writer.bytes().substr(writer.record_offsets()[4], 56));
}

TEST(DbnRecords, BadEventsAreNamedAndLeaveNoTrace) {
  DbnWriter writer({.schema = "definition", .ts_out = true});
  const std::vector<fixture::Field> good = {{"ts_recv", kNoon}, {"raw_symbol", "NQH4"}, {"strike_price", 5}};
  const auto add = [&](fixture::Field field) {
    std::vector<fixture::Field> fields = good;
    fields.push_back(std::move(field));
    writer.Add("definition", fields);
  };
  writer.Add("definition", good);
  add({"strike_price", INT64_MIN});
  add({"expiration", uint64_t{1} << 63});
  add({"instrument_class", 0x80});
  add({"raw_symbol", "N\nQ"});
  add({"group", "\xFF"});
  add({"ts_out", uint64_t{1} << 63});
  writer.Add("definition", {{"ts_recv", fixture::kUndefTimestamp}, {"ts_event", fixture::kUndefTimestamp}});
  add({"strike_price", fixture::kUndefPrice});
  writer.Add("definition", good);
  const Decoded decoded = DecodeDbn(writer.bytes());
  ASSERT_EQ(decoded.error_text(), "");
  EXPECT_THAT(Reasons(decoded),
              ElementsAre(HasSubstr("strike_price"), HasSubstr("expiration"), HasSubstr("instrument_class"),
                          HasSubstr("raw_symbol"), HasSubstr("group"), HasSubstr("ts_out"), HasSubstr("which day")));
  ASSERT_EQ(decoded.only().size(), 3U);
  EXPECT_EQ(decoded.only()[0].at("strike_price"), "5");
  EXPECT_EQ(decoded.only()[1].at("strike_price"), "null");
  EXPECT_EQ(decoded.only()[2].at("strike_price"), "5");
  EXPECT_EQ(decoded.only()[2].at("source_row"), "9");
}

TEST(DbnRecords, AnUnknownTypeIsBadWhereTheStreamPromisesOneSchema) {
  DbnWriter writer({.schema = "ohlcv-1m"});
  writer.AddBar("ohlcv-1m", 1, 7, kBar).Add("ohlcv-1m", {{"rtype", 0x77}}).AddBar("ohlcv-1m", 1, 7, kBar);
  const Decoded decoded = DecodeDbn(writer.bytes());
  EXPECT_EQ(decoded.bad.count(), 1);
  EXPECT_EQ(decoded.only().size(), 2U);
}

TEST(DbnRecords, ALengthThatIsNotTheTypesIsBad) {
  DbnWriter writer({.schema = "mixed", .ts_out = true});
  std::string record(56, '\0');  // a bar without the ts_out that the stream has
  record[0] = 14;
  record[1] = 0x21;
  writer.AddRaw(record);
  const Decoded decoded = DecodeDbn(writer.bytes());
  EXPECT_THAT(Reasons(decoded), ElementsAre(HasSubstr("56 bytes")));
}

TEST(DbnLive, OneTableASchemaAndMappingsApplyFromThereOn) {
  for (int version = 1; version <= 3; ++version) {
    DbnWriter writer({.version = version, .schema = "mixed", .stype_in = fixture::kStypeMixed});
    const auto trade = [&](uint32_t instrument_id) {
      writer.Add("trades", {{"instrument_id", instrument_id}, {"ts_recv", kNoon}});
    };
    trade(7);
    writer.AddSymbolMapping(7, "NQ.FUT", "NQH4", kNoon);
    trade(7);
    writer.AddBar("ohlcv-1s", 1, 7, kBar);
    writer.AddSystem("Heartbeat", kNoon).AddError("slow\x1b[2J", kNoon);
    writer.Add("mbp-1", {{"instrument_id", 7}, {"ts_recv", kNoon}});
    writer.AddSymbolMapping(7, "NQM4", "7", kNoon);  // ids were asked for: the input side is the text
    trade(7);
    writer.Add("trades", {{"rtype", 0x77}});  // drift: skipped, no data
    trade(8);
    const Decoded decoded = DecodeDbn(writer.bytes());
    ASSERT_EQ(decoded.error_text(), "");
    EXPECT_EQ(decoded.bad.count(), 0);
    EXPECT_THAT(decoded.batches, ElementsAre("trades", "ohlcv-1s", "mbp-1"));
    std::vector<std::string> symbols;
    for (const auto& row : decoded.rows.at("trades")) symbols.push_back(row.at("symbol"));
    EXPECT_THAT(symbols, ElementsAre("null", "NQH4", "NQM4", "null"));
    EXPECT_EQ(decoded.rows.at("mbp-1")[0].at("symbol"), "NQH4");
    EXPECT_EQ(decoded.rows.at("mbp-1")[0].at("source_row"), "3");
    EXPECT_EQ(decoded.facts.records, 6) << "gateway records and drift are no data";
    EXPECT_EQ(decoded.facts.schema, "");
    EXPECT_EQ(decoded.facts.stype_in, "");
  }
}

TEST(DbnLive, AHintTellsTbboFromMbp1) {
  DbnWriter writer({.schema = "mixed"});
  writer.Add("tbbo", {{"ts_recv", kNoon}}).Add("trades", {{"ts_recv", kNoon}});
  const Decoded decoded = DecodeDbn(writer.bytes(), {.schema_hint = "tbbo"});
  EXPECT_THAT(decoded.batches, ElementsAre("tbbo", "trades"));
}

TEST(DbnFragment, WithoutHintTheTypesDecide) {
  DbnWriter writer = DbnWriter::Fragment(2);
  writer.Add("statistics", {{"ts_recv", kNoon}, {"quantity", INT32_MAX}});
  const Decoded one = DecodeDbn(writer.bytes(), {.fragment = true});
  EXPECT_EQ(one.facts.schema, "statistics");
  EXPECT_EQ(one.only()[0].at("quantity"), "null");
  writer.Add("trades", {{"ts_recv", kNoon}}).Add("ohlcv-1m", {{"rtype", 0x11}, {"ts_event", kNoon}});
  const Decoded mixed = DecodeDbn(writer.bytes(), {.fragment = true});
  EXPECT_EQ(mixed.facts.schema, "");
  EXPECT_THAT(mixed.batches, ElementsAre("statistics", "trades"));
  EXPECT_THAT(Reasons(mixed), ElementsAre(HasSubstr("0x11")));
  EXPECT_THAT(DecodeDbn(writer.bytes(), {.fragment = true, .schema_hint = "bogus"}).error_text(), HasSubstr("bogus"));
  EXPECT_THAT(DecodeDbn("", {.fragment = true}).error_text(), HasSubstr("empty"));
}

TEST(DbnRecords, RandomDamageNeverBreaksTheDecoder) {
  const char* given = std::getenv("LODE_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE(fmt::format("LODE_TEST_SEED={}", seed));
  std::mt19937_64 random(seed);
  DbnWriter writer({.schema = "mixed", .mappings = {{"NQH4", {{20240101, 20240103, "7"}}}}});
  for (const std::string& schema : fixture::WritableSchemas()) {
    writer.Add(schema, {{"instrument_id", 7}, {"ts_event", kNoon}});
  }
  writer.AddSymbolMapping(7, "a", "b", kNoon).AddSystem("x", kNoon).AddError("y", kNoon);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = writer.bytes();
    for (uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const Decoded decoded = DecodeDbn(bytes, {.fragment = round % 4 == 0}, 1 + static_cast<int64_t>(random() % 5));
    if (decoded.error) {
      ASSERT_NE(decoded.error->kind, ErrorKind::kInternal) << decoded.error_text() << " round " << round;
    }
  }
}

}  // namespace
}  // namespace lode::codec
