#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/testing/databento_text_writer.h"

namespace lode::codec {
namespace {

using fixture::DecodeCsv;
using fixture::DecodedText;
using fixture::TextRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kHeader = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";

std::string Bar(std::string_view ts = "2024-03-04T00:01:00.000000000Z", std::string_view rtype = "33",
                std::string_view price = "101.250000000", std::string_view volume = "5",
                std::string_view symbol = "ESH4") {
  return fmt::format("{},{},1,750,{},102.000000000,-1.500000000,0.000000001,{},{}\n", ts, rtype, price, volume, symbol);
}

// The reason of the only record, which must be bad; "" when it is good.
std::string Verdict(std::string_view line, std::string_view schema = "ohlcv-1m") {
  const DecodedText decoded = DecodeCsv(schema, std::string(kHeader) + std::string(line));
  EXPECT_FALSE(decoded.error);
  EXPECT_EQ(decoded.rows.size() + decoded.bad.size(), 1U);
  return decoded.bad.empty() ? "" : decoded.bad[0].reason;
}

TEST(DatabentoCsv, Bars) {
  const DecodedText decoded = DecodeCsv("ohlcv-1m", std::string(kHeader) + Bar());
  ASSERT_FALSE(decoded.error);
  ASSERT_EQ(decoded.rows.size(), 1U);
  const TextRow expected = {
      {"publisher_id", "1"},    {"instrument_id", "750"}, {"symbol", "\"ESH4\""}, {"ts_event", "1709510460000000"},
      {"open", "101250000000"}, {"high", "102000000000"}, {"low", "-1500000000"}, {"close", "1"},
      {"volume", "5"},          {"_extra", "null"},       {"source_row", "0"}};
  EXPECT_EQ(decoded.rows[0], expected);
}

TEST(DatabentoCsv, ColumnsAreFoundByName) {
  const DecodedText decoded = DecodeCsv("ohlcv-1m",
                                        "volume,close,low,high,open,instrument_id,publisher_id,ts_event\r\n"
                                        "9,4.0,3.0,2.0,1.0,750,1,1709510460000000000\r\n");
  ASSERT_EQ(decoded.rows.size(), 1U);
  EXPECT_EQ(decoded.rows[0].at("open"), "1000000000");
  EXPECT_EQ(decoded.rows[0].at("volume"), "9");
  EXPECT_EQ(decoded.rows[0].at("symbol"), "null");
}

TEST(DatabentoCsv, AHeaderAloneHasNoRecords) {
  const DecodedText decoded = DecodeCsv("ohlcv-1m", kHeader);
  EXPECT_FALSE(decoded.error);
  EXPECT_TRUE(decoded.rows.empty());
  EXPECT_TRUE(decoded.facts.ended);
}

TEST(DatabentoCsv, EmptyFile) {
  const DecodedText decoded = DecodeCsv("ohlcv-1m", "");
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
  EXPECT_EQ(decoded.error->message, "empty file");
}

TEST(DatabentoCsv, BadRecordsNameLineAndColumn) {
  EXPECT_EQ(Verdict(Bar()), "");
  EXPECT_EQ(Verdict(Bar("today")), "line 2: column ts_event: 'today' is not a time");
  EXPECT_EQ(Verdict(Bar("")), "line 2: column ts_event is empty");
  EXPECT_EQ(Verdict(Bar("18446744073709551615")), "line 2: column ts_event is empty");
  EXPECT_EQ(Verdict(Bar("1709510460000000001")),
            "line 2: column ts_event: '1709510460000000001' is not a whole microsecond");
  EXPECT_EQ(Verdict(Bar("1709510460000000000", "34")), "line 2: column rtype: '34' contradicts schema ohlcv-1m");
  EXPECT_EQ(Verdict(Bar("1709510460000000000", "17")), "");  // the bar type of 2022 tells no width
  EXPECT_THAT(Verdict(Bar("0", "33", "1000000000.0")), HasSubstr("column open: '1000000000.0' is not a price"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1000000000000000000")), HasSubstr("does not fit DECIMAL(18,9)"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "9223372036854775808")),
              HasSubstr("column volume: '9223372036854775808' is out of range"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "-1")), HasSubstr("column volume: '-1' is not an unsigned integer"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "")), HasSubstr("column volume is empty"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "1", std::string(5000, 'X'))), HasSubstr("column symbol: 'XXXX"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "1", std::string_view("A\0B", 3))), HasSubstr("control character"));
  EXPECT_THAT(Verdict(Bar("0", "33", "1.0", "1", "A\xFF")), HasSubstr("not UTF-8"));
  EXPECT_EQ(Verdict(Bar("0", "33", "1.0", "1", "../../x")), "");
  EXPECT_EQ(Verdict("1,2,3\n"), "line 2: fewer fields than the header");
  EXPECT_EQ(Verdict("\n"), "line 2: fewer fields than the header");
}

TEST(DatabentoCsv, UndefinedPricesAreNull) {
  for (const char* undefined : {"", "9223372036854775807", "9223372036.854775807"}) {
    const DecodedText decoded = DecodeCsv("ohlcv-1m", std::string(kHeader) + Bar("0", "33", undefined));
    ASSERT_EQ(decoded.rows.size(), 1U);
    EXPECT_EQ(decoded.rows[0].at("open"), "null");
    EXPECT_EQ(decoded.rows[0].at("ts_event"), "0");
  }
}

TEST(DatabentoCsv, TheBadNumberAmongManyLinesIsNamed) {
  std::string text(kHeader);
  const std::string good = Bar();
  for (int i = 0; i < 120'000; ++i) {
    text += i == 100'000 ? Bar("0", "33", "12,5") : i == 110'000 ? Bar("0", "33", "1x") : good;
  }
  const DecodedText decoded = DecodeCsv("ohlcv-1m", text);
  ASSERT_FALSE(decoded.error);
  ASSERT_EQ(decoded.bad.size(), 2U);
  EXPECT_EQ(decoded.bad[0].reason, "line 100002: more fields than the header");
  EXPECT_EQ(decoded.bad[0].source_row, 100'000);
  EXPECT_EQ(decoded.bad[0].offset, static_cast<int64_t>(kHeader.size() + 100'000 * good.size()));
  EXPECT_EQ(decoded.bad[1].reason, "line 110002: column open: '1x' is not a price");
  ASSERT_EQ(decoded.rows.size(), 119'998U);
  EXPECT_EQ(decoded.rows.back().at("source_row"), "119999");
  EXPECT_EQ(decoded.facts.records, 120'000);
}

TEST(DatabentoCsv, UnknownColumnsAreKeptAndNoticedOnce) {
  const std::string header = "zeta," + std::string(kHeader.substr(0, kHeader.size() - 1)) + ",note\n";
  const std::string bar = Bar();
  std::string text = header;
  for (int i = 0; i < 3; ++i) text += "7," + bar.substr(0, bar.size() - 1) + ",\"say \"\"hi\"\"\"\n";
  text += "," + bar.substr(0, bar.size() - 1) + ",\n";
  ::testing::internal::CaptureStderr();
  const DecodedText decoded = DecodeCsv("ohlcv-1m", text);
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_EQ(decoded.rows.size(), 4U);
  EXPECT_EQ(decoded.rows[2].at("_extra"), R"("{"zeta":"7","note":"say \"hi\""}")");
  EXPECT_EQ(decoded.rows[3].at("_extra"), R"("{"zeta":null,"note":null}")");
  EXPECT_NE(log.find("'zeta'"), std::string::npos) << log;
  EXPECT_EQ(log.find("'zeta'"), log.rfind("'zeta'")) << log;
}

TEST(DatabentoCsv, SymbolsComeFromTheSymbologyByUtcDay) {
  // No symbol in the text, and one instrument that changes its symbol at midnight.
  const std::string text =
      "ts_event,publisher_id,instrument_id,open,high,low,close,volume\n"
      "2024-03-04T23:59:59.999999000Z,1,750,1.0,1.0,1.0,1.0,1\n"
      "2024-03-05T00:00:00.000000000Z,1,750,1.0,1.0,1.0,1.0,1\n"
      "2024-03-05T00:00:00.000000000Z,1,751,1.0,1.0,1.0,1.0,1\n";
  StringPool strings;
  SymbologyMap map;
  map.Add(750, *ParseDay("2024-03-04"), *ParseDay("2024-03-05"), 0);
  map.Add(750, *ParseDay("2024-03-05"), *ParseDay("2024-03-06"), 1);
  BadRecords bad_records;
  ASSERT_EQ(*strings.Intern("OLD"), 0);
  ASSERT_EQ(*strings.Intern("NEW"), 1);
  TextOptions options;
  options.schema = FindDatabentoSchema("ohlcv-1s");
  options.symbology = &map;
  auto decoder = OpenDatabentoCsv(FromMemory(std::as_bytes(std::span(text))), options,
                                  {.strings = &strings, .bad_records = &bad_records});
  ASSERT_TRUE(decoder);
  const auto batch = (*decoder)->Next();
  ASSERT_TRUE(batch && *batch);
  const auto symbols = (*batch)->rows->GetColumnByName("symbol");
  EXPECT_EQ(symbols->data()->GetValues<int32_t>(1)[0], 0);
  EXPECT_EQ(symbols->data()->GetValues<int32_t>(1)[1], 1);
  EXPECT_TRUE(symbols->IsNull(2));
}

TEST(DatabentoCsv, DefinitionsOfOldVersions) {
  // DBN 1 and 2 had no legs, and columns that version 3 dropped.
  std::string header = "trading_reference_price,trading_reference_date", line = "1.5,19000";
  for (const Column& column : FindDatabentoSchema("definition")->columns) {
    const bool is_old = column.name.starts_with("trading_reference_") || column.name == "settl_price_type" ||
                        column.name == "md_security_trading_status";
    if (column.origin != ColumnOrigin::kVendor || is_old || column.name.starts_with("leg_")) continue;
    header += "," + column.name;
    line += column.name == "rtype" ? ",19" : column.type == ColumnType::kPrice ? ",0.25" : ",1";
  }
  const DecodedText decoded = DecodeCsv("definition", header + "\n" + line + "\n");
  ASSERT_FALSE(decoded.error);
  ASSERT_TRUE(decoded.bad.empty()) << decoded.bad[0].reason;
  const TextRow& row = decoded.rows.at(0);
  EXPECT_EQ(row.at("leg_count"), "0");
  EXPECT_EQ(row.at("leg_raw_symbol"), "\"\"");
  EXPECT_EQ(row.at("leg_side"), "\"N\"");  // as the vendor's own upgrade of old records fills it
  EXPECT_EQ(row.at("leg_instrument_class"), "null");
  EXPECT_EQ(row.at("leg_price"), "null");
  EXPECT_EQ(row.at("trading_reference_price"), "1500000000");
  EXPECT_EQ(row.at("trading_reference_date"), "19000");
  EXPECT_EQ(row.at("md_security_trading_status"), "null");
}

TEST(DatabentoCsv, AFullStringPoolEndsTheStream) {
  StringPool strings(1000);
  BadRecords bad_records;
  std::string text(kHeader);
  for (int i = 0; i < 100; ++i) text += Bar("0", "33", "1.0", "1", fmt::format("SYMBOL{}", i));
  TextOptions options;
  options.schema = FindDatabentoSchema("ohlcv-1m");
  auto decoder = OpenDatabentoCsv(FromMemory(std::as_bytes(std::span(text))), options,
                                  {.strings = &strings, .bad_records = &bad_records});
  ASSERT_TRUE(decoder);
  const auto batch = (*decoder)->Next();
  ASSERT_FALSE(batch);
  EXPECT_THAT(batch.error().message, HasSubstr("distinct text"));
  EXPECT_FALSE((*decoder)->Next());
}

}  // namespace
}  // namespace lode::codec
