#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/testing/databento_text_writer.h"

namespace lode::codec {
namespace {

using fixture::DecodedText;
using fixture::DecodeNdjson;
using fixture::TextRow;
using ::testing::HasSubstr;

constexpr std::string_view kBar =
    R"({"hd":{"ts_event":"2024-03-04T00:01:00.000000000Z","rtype":33,"publisher_id":1,"instrument_id":750},)"
    R"("open":"101.250000000","high":"102.000000000","low":"-1.500000000","close":"0.000000001",)"
    R"("volume":"5","symbol":"ESH4"})";

// kBar with `from` replaced.
std::string Bar(std::string_view from = "", std::string_view to = "") {
  std::string line(kBar);
  const size_t at = line.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return line.replace(at, from.size(), to) + "\n";
}

// The reason of the only record, which must be bad; "" when it is good. Both ways of reading must agree.
std::string Verdict(const std::string& line) {
  const DecodedText alone = DecodeNdjson("ohlcv-1m", line);
  const DecodedText company = DecodeNdjson("ohlcv-1m", Bar() + line);
  EXPECT_FALSE(alone.error);
  EXPECT_EQ(alone.rows.size() + alone.bad.size(), 1U);
  EXPECT_EQ(company.bad.size(), alone.bad.size());
  if (alone.bad.empty()) return "";
  EXPECT_EQ(company.bad.at(0).reason.substr(7), alone.bad[0].reason.substr(7));
  return alone.bad[0].reason;
}

TextRow OnlyRow(const std::string& line, std::string_view schema = "ohlcv-1m") {
  const DecodedText decoded = DecodeNdjson(schema, line);
  EXPECT_FALSE(decoded.error);
  EXPECT_EQ(decoded.rows.size(), 1U) << (decoded.bad.empty() ? "" : decoded.bad[0].reason);
  return decoded.rows.empty() ? TextRow() : decoded.rows[0];
}

const TextRow kBarRow = {
    {"publisher_id", "1"},    {"instrument_id", "750"}, {"symbol", "\"ESH4\""}, {"ts_event", "1709510460000000"},
    {"open", "101250000000"}, {"high", "102000000000"}, {"low", "-1500000000"}, {"close", "1"},
    {"volume", "5"},          {"_extra", "null"},       {"source_row", "0"}};

TEST(DatabentoNdjson, NestedFlatAndPlainNumbers) {
  EXPECT_EQ(OnlyRow(Bar()), kBarRow);
  EXPECT_EQ(OnlyRow(R"({"symbol":"ESH4","ts_event":"2024-03-04T00:01:00Z","rtype":"33","publisher_id":1,)"
                    R"("instrument_id":"750","open":101.25,"high":102.0,"low":-1.5,"close":"0.000000001","volume":5})"
                    "\n"),
            kBarRow);
  EXPECT_EQ(OnlyRow(R"({"ts_event":1709510460000000000,"publisher_id":1,"instrument_id":750,"open":101250000000,)"
                    R"("high":"102000000000","low":-1500000000,"close":1,"volume":5,"symbol":"ESH4"})"
                    "\n"),
            kBarRow);
}

TEST(DatabentoNdjson, SpacesEscapesAndByteOrderMark) {
  EXPECT_EQ(OnlyRow("\xEF\xBB\xBF " + Bar("\"open\":", "\t\"o\\u0070en\" : ")), kBarRow);
  EXPECT_EQ(OnlyRow(Bar("ESH4", "ES\\u0048\\u0034")), kBarRow);
  EXPECT_EQ(OnlyRow(Bar("ESH4\"}", "ESH4\"} \r")), kBarRow);
}

TEST(DatabentoNdjson, BadRecords) {
  EXPECT_EQ(Verdict(Bar()), "");
  EXPECT_EQ(Verdict(Bar("101.250000000", "12,5")), "line 1: column open: '12,5' is not a price");
  EXPECT_EQ(Verdict(Bar("\"101.250000000\"", "1e2")), "line 1: column open: '1e2' is not a number");
  EXPECT_EQ(Verdict(Bar("\"101.250000000\"", "0123")), "line 1: column open: '0123' is not a number");
  EXPECT_EQ(Verdict(Bar("\"101.250000000\"", "true")), "line 1: column open: 'true' is not a number");
  EXPECT_EQ(Verdict(Bar("\"ESH4\"", "7")), "line 1: column symbol: '7' is not text");
  EXPECT_EQ(Verdict(Bar("\"2024-03-04T00:01:00.000000000Z\"", "null")), "line 1: column ts_event is empty");
  EXPECT_EQ(Verdict(Bar("\"2024-03-04T00:01:00.000000000Z\"", "2024-03-04")),
            "line 1: column ts_event: '2024-03-04' is not a number");
  EXPECT_EQ(Verdict(Bar("\"volume\":\"5\",", "")), "line 1: column volume is missing");
  EXPECT_EQ(Verdict(Bar("\"volume\":\"5\",", "\"volume\":\"5\",\"volume\":\"5\",")),
            "line 1: column volume comes twice");
  EXPECT_EQ(Verdict(Bar("{\"hd\":{", "{\"ts_event\":\"0\",\"hd\":{")), "line 1: column ts_event comes twice");
  EXPECT_EQ(Verdict(Bar("33", "34")), "line 1: column rtype: '34' contradicts schema ohlcv-1m");
  EXPECT_THAT(Verdict(Bar("ESH4", "A\\u0000B")), HasSubstr("column symbol: 'A?B' holds a control character"));
  EXPECT_THAT(Verdict(Bar("ESH4", "A\xFF")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("ESH4", std::string(5000, 'X'))), HasSubstr("is longer than 256 bytes"));
  EXPECT_THAT(Verdict(Bar("\"ESH4\"}", "\"ESH4\"")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("\"ESH4\"}", "\"ESH4\"}}")), HasSubstr("text follows the JSON object"));
  EXPECT_THAT(Verdict(Bar("\"ESH4\"}", "\"ESH4\",}")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("\"open\":", "\"open\" ")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict("\n"), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict("[]\n"), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict("7\n"), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict("{}\n"), HasSubstr("is missing"));
  EXPECT_THAT(
      Verdict(
          Bar("{\"ts_event\":\"2024-03-04T00:01:00.000000000Z\",\"rtype\":33,\"publisher_id\":1,\"instrument_id\":750}",
              "7")),
      HasSubstr("not JSON"));
}

TEST(DatabentoNdjson, NullsWhereTheSchemaHasThem) {
  EXPECT_EQ(OnlyRow(Bar("\"101.250000000\"", "null")).at("open"), "null");
  EXPECT_EQ(OnlyRow(Bar("\"ESH4\"", "null")).at("symbol"), "null");
  EXPECT_EQ(OnlyRow(Bar(",\"symbol\":\"ESH4\"", "")).at("symbol"), "null");
  EXPECT_EQ(Verdict(Bar("\"5\"", "null")), "line 1: column volume is empty");
}

TEST(DatabentoNdjson, UnknownKeysAreKeptAndNoticedOnce) {
  const std::string line = Bar("\"rtype\":33", R"("rtype":33,"zeta": {"b" : [1.50, "x y"], "a":null})");
  ::testing::internal::CaptureStderr();
  const DecodedText decoded =
      DecodeNdjson("ohlcv-1m", line + Bar() + line + Bar("\"volume\"", "\"eta\":12345678901234567890,\"volume\""));
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_EQ(decoded.rows.size(), 4U);
  EXPECT_EQ(decoded.rows[0].at("_extra"), R"("{"zeta":{"b":[1.50,"x y"],"a":null}}")");
  EXPECT_EQ(decoded.rows[1].at("_extra"), "null");
  EXPECT_EQ(decoded.rows[2].at("_extra"), decoded.rows[0].at("_extra"));
  EXPECT_EQ(decoded.rows[3].at("_extra"), R"("{"eta":12345678901234567890}")");
  EXPECT_NE(log.find("'zeta'"), std::string::npos) << log;
  EXPECT_EQ(log.find("'zeta'"), log.rfind("'zeta'")) << log;
}

TEST(DatabentoNdjson, UnknownKeysMustBeJsonAndFew) {
  EXPECT_THAT(Verdict(Bar("{\"hd\"", "{\"zeta\":tru,\"hd\"")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("{\"hd\"", "{\"zeta\":[1,],\"hd\"")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("{\"hd\"", "{\"zeta\":1,\"zeta\":2,\"hd\"")), HasSubstr("column zeta comes twice"));
  std::string many = "{";
  for (int i = 0; i < 300; ++i) many += fmt::format("\"k{}\":1,", i);
  EXPECT_THAT(Verdict(Bar("{\"hd\"", many + "\"hd\"")), HasSubstr("more than 256 unknown keys"));
}

TEST(DatabentoNdjson, DepthBombsAreBadRecords) {
  const std::string bomb = std::string(300'000, '[') + std::string(300'000, ']');
  EXPECT_THAT(Verdict(Bar("{\"hd\"", "{\"zeta\":" + bomb + ",\"hd\"")), HasSubstr("not JSON"));
  EXPECT_THAT(Verdict(Bar("\"101.250000000\"", bomb)), HasSubstr("column open"));
  EXPECT_THAT(Verdict(bomb + "\n"), HasSubstr("not JSON"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"hd\":";
  EXPECT_THAT(Verdict(objects + "\n"), HasSubstr("not JSON"));
}

TEST(DatabentoNdjson, LevelsMissingAndTooMany) {
  const auto quote = [](std::string_view levels) {
    return fmt::format(
        R"({{"ts_recv":"1","hd":{{"ts_event":"1","rtype":1,"publisher_id":1,"instrument_id":2}},"action":"A",)"
        R"("side":"B","depth":0,"price":"1.0","size":4294967295,"flags":0,"ts_in_delta":-5,)"
        R"("sequence":9,"levels":[{}]}})"
        "\n",
        levels);
  };
  constexpr std::string_view kLevel = R"({"bid_px":"1.0","ask_px":null,"bid_sz":1,"ask_sz":2,"bid_ct":3,"ask_ct":4})";
  const TextRow row = OnlyRow(quote(kLevel), "mbp-1");
  EXPECT_EQ(row.at("bid_px_00"), "1000000000");
  EXPECT_EQ(row.at("ask_px_00"), "null");
  EXPECT_EQ(row.at("ask_ct_00"), "4");
  EXPECT_EQ(row.at("size"), "null");
  EXPECT_EQ(row.at("ts_in_delta"), "-5");
  EXPECT_EQ(row.at("side"), "\"B\"");
  const TextRow two = OnlyRow(quote(fmt::format("{},{{\"bid_px\":\"7\"}}", kLevel)), "mbp-1");
  EXPECT_EQ(two.at("_extra"), R"("{"bid_px_01":"7"}")");
  const DecodedText none = DecodeNdjson("mbp-1", quote(""));
  ASSERT_EQ(none.bad.size(), 1U);
  EXPECT_EQ(none.bad[0].reason, "line 1: column bid_px_00 is missing");
  EXPECT_EQ(DecodeNdjson("mbp-1", quote("7")).bad.size(), 1U);
  EXPECT_EQ(DecodeNdjson("mbp-1", quote(fmt::format("{},{}", kLevel, kLevel)).replace(0, 1, "{\"bid_px_00\":\"1\","))
                .bad.size(),
            1U);
}

TEST(DatabentoNdjson, CharactersAreOneAsciiCharacter) {
  constexpr std::string_view kStatus =
      R"({"ts_recv":"1","hd":{"ts_event":"1","rtype":18,"publisher_id":1,"instrument_id":2},"action":7,"reason":1,)"
      R"("trading_event":0,"is_trading":"Y","is_quoting":null,"is_short_sell_restricted":"~"})"
      "\n";
  const TextRow row = OnlyRow(std::string(kStatus), "status");
  EXPECT_EQ(row.at("is_trading"), "\"Y\"");
  EXPECT_EQ(row.at("is_quoting"), "null");
  for (const char* bad : {"YN", "\xC3\xA9", "\\u0001"}) {
    std::string line(kStatus);
    line.replace(line.find("\"Y\"") + 1, 1, bad);
    EXPECT_EQ(DecodeNdjson("status", line).bad.size(), 1U) << bad;
  }
}

TEST(DatabentoNdjson, EmptyAndTruncatedFiles) {
  for (const std::string& text : {std::string(), Bar() + Bar().substr(0, 50), std::string(kBar)}) {
    const DecodedText decoded = DecodeNdjson("ohlcv-1m", text);
    ASSERT_TRUE(decoded.error);
    EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
    EXPECT_FALSE(decoded.facts.ended);
  }
  EXPECT_EQ(DecodeNdjson("ohlcv-1m", "").error->message, "empty file");
  EXPECT_EQ(DecodeNdjson("ohlcv-1m", Bar() + "{").error->message, "line 2: no line end: the file is cut short");
  EXPECT_EQ(DecodeNdjson("ohlcv-1m", Bar() + std::string(2 << 20, ' ') + "\n").error->message,
            "line 2: longer than 1 MiB");
}

}  // namespace
}  // namespace lode::codec
