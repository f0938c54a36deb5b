#include "lode/codec/vendor_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lode/base/time.h"
#include "lode/codec/testing/decoded_rows.h"
#include "lode/codec/testing/parquet_test.h"

namespace lode::codec {
namespace {

using fixture::Decoded;
using fixture::DecodedRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Decoded Decode(std::string_view schema, const std::string& text, int64_t batch_rows = 65'536) {
  return fixture::DecodeAll(
      [&](const DecodeContext& context) {
        return OpenVendorCsv(FromMemory(std::as_bytes(std::span(text.data(), text.size()))), *FindSchema(schema),
                             context);
      },
      batch_rows);
}

// The only record's row.
DecodedRow Row(std::string_view schema, const std::string& text) {
  const Decoded decoded = Decode(schema, text);
  EXPECT_EQ(decoded.error_text(), "");
  for (const BadRecord& bad : decoded.bad.kept()) ADD_FAILURE() << bad.reason;
  if (decoded.rows.empty() || decoded.only().size() != 1) {
    ADD_FAILURE() << "not one row";
    return {};
  }
  return decoded.only()[0];
}

// Why the only record is bad; "" when it is good.
std::string Verdict(std::string_view schema, const std::string& text) {
  const Decoded decoded = Decode(schema, text);
  EXPECT_EQ(decoded.error_text(), "");
  EXPECT_EQ(decoded.facts.records, 1);
  return decoded.bad.count() == 0 ? "" : decoded.bad.kept()[0].reason;
}

std::string Error(std::string_view schema, const std::string& text) {
  const Decoded decoded = Decode(schema, text);
  EXPECT_TRUE(!decoded.error || decoded.error->kind == ErrorKind::kBadInput);
  return decoded.error_text();
}

int32_t Days(std::string_view day) { return ParseDay(day)->since_epoch; }

const std::string kTrades = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
const std::string kBars = "ticker,volume,open,close,high,low,window_start,transactions\n";
constexpr std::string_view kStockBars = "us_stocks_sip/day_aggs_v1";

std::string Trade(std::string_view price = "1.5", std::string_view time = "1700000000000001") {
  return fmt::format("{}x,Y,{},1700000000000002,7,buy,{},2\n", kTrades, time, price);
}
std::string Bar(std::string_view ticker, std::string_view volume = "100",
                std::string_view start = "1704171600000000000") {
  return fmt::format("{}{},{},1.5,2.5,3,1,{},4\n", kBars, ticker, volume, start);
}

TEST(VendorCsv, TardisTrades) {
  EXPECT_EQ(Row("tardis/trades", kTrades + "bit-mex,XBT/USD,1583020803145000,1583020803307160,"
                                           "ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf,sell,8531.5,2152\n"),
            (DecodedRow{{"exchange", "bit-mex"},
                        {"symbol", "XBT/USD"},
                        {"timestamp", "1583020803145000"},
                        {"local_timestamp", "1583020803307160"},
                        {"id", "ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf"},
                        {"side", "sell"},
                        {"price", "8531.5"},
                        {"amount", "2152"},
                        {"_extra", "null"},
                        {"source_row", "0"}}));
}

TEST(VendorCsv, StockBars) {
  // 2024-01-02 00:00 in New York
  EXPECT_EQ(Row(kStockBars, Bar("BRK.A", "0.25")), (DecodedRow{{"ticker", "BRK.A"},
                                                               {"volume", "0.25"},
                                                               {"open", "1.5"},
                                                               {"close", "2.5"},
                                                               {"high", "3"},
                                                               {"low", "1"},
                                                               {"window_start", "1704171600000000"},
                                                               {"transactions", "4"},
                                                               {"session_date", std::to_string(Days("2024-01-02"))},
                                                               {"_extra", "null"},
                                                               {"source_row", "0"}}));
  const DecodedRow minute = Row("us_stocks_sip/minute_aggs_v1", Bar("A", "1", "1704243540000000000"));
  EXPECT_EQ(minute.at("session_date"), std::to_string(Days("2024-01-02"))) << "19:59 in New York, next day in UTC";
}

TEST(VendorCsv, OptionBarsHaveThePartsOfTheirTicker) {
  const Decoded decoded =
      Decode("us_options_opra/day_aggs_v1", kBars +
                                                "O:SPY230327P00390500,1,1,1,1,1,1679889600000000000,1\n"
                                                "O:SPX1230120C04000000,1,1,1,1,1,1679889600000000000,1\n"
                                                "O:odd,1,1,1,1,1,1679889600000000000,1\n"
                                                "O:SPX1230120C04000000,1,1,1,1,1,1679889600000000000,1\n");
  ASSERT_EQ(decoded.only().size(), 4U) << decoded.error_text();
  const auto parts = [&](size_t row) {
    const DecodedRow& values = decoded.only()[row];
    return values.at("underlying") + " " + values.at("expiry") + " " + values.at("option_type") + " " +
           values.at("strike");
  };
  EXPECT_EQ(parts(0), fmt::format("SPY {} P 390.5", Days("2023-03-27")));
  EXPECT_EQ(parts(1), fmt::format("SPX1 {} C 4000", Days("2023-01-20")));
  EXPECT_EQ(parts(2), "null null null null");
  EXPECT_EQ(parts(3), parts(1));
}

TEST(VendorCsv, IndexBarsHaveNoVolume) {
  const DecodedRow row = Row("us_indices/day_aggs_v1",
                             "ticker,open,close,high,low,window_start\nI:SPX,4700.5,1,2,3,1704171600000000000\n");
  EXPECT_EQ(row.at("ticker"), "I:SPX");
  EXPECT_EQ(row.at("open"), "4700.5");
  EXPECT_FALSE(row.contains("volume"));
}

TEST(VendorCsv, StockTradesHaveQuotedConditionsAndZeroForNoTime) {
  const std::string header =
      "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,"
      "trf_id,trf_timestamp\n";
  const DecodedRow row =
      Row("us_stocks_sip/trades_v1",
          header + "A,\"12,37\",0,11,x-1,1704205800000000001,10.25,17,1704205800000000002,0.5,1,0,0\n");
  EXPECT_EQ(row.at("conditions"), "12,37");
  EXPECT_EQ(row.at("id"), "x-1");
  EXPECT_EQ(row.at("participant_timestamp"), "1704205800000000001");
  EXPECT_EQ(row.at("sip_timestamp"), "1704205800000000002");
  EXPECT_EQ(row.at("session_date"), std::to_string(Days("2024-01-02")));
  EXPECT_EQ(row.at("trf_id"), "0");
  EXPECT_EQ(row.at("trf_timestamp"), "null");
  EXPECT_EQ(row.at("size"), "0.5");
  const DecodedRow sparse = Row("us_stocks_sip/trades_v1", header + "A,,,,,,,,1704205800000000002,,,,\n");
  for (const char* column : {"conditions", "correction", "exchange", "id", "participant_timestamp", "price",
                             "sequence_number", "size", "tape", "trf_id", "trf_timestamp"}) {
    EXPECT_EQ(sparse.at(column), "null") << column;
  }
  EXPECT_THAT(Verdict("us_stocks_sip/trades_v1", header + "A,,,,,,,,0,,,,\n"),
              HasSubstr("line 2: column sip_timestamp: '0' is not a time in nanoseconds (19 digits)"));
}

TEST(VendorCsv, QuotesAndOptionEvents) {
  EXPECT_EQ(Row("us_stocks_sip/quotes_v1",
                "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,conditions,indicators,"
                "participant_timestamp,sequence_number,sip_timestamp,tape,trf_timestamp\n"
                "A,1,2.5,3,4,5.5,6,\"1,2\",\"604,605\",,9,1704205800000000002,1,\n")
                .at("indicators"),
            "604,605");
  const DecodedRow trade = Row("us_options_opra/trades_v1",
                               "ticker,conditions,correction,exchange,price,sip_timestamp,size\n"
                               "O:SPY230327P00390500,209,0,300,1.25,1704205800000000002,3\n");
  EXPECT_EQ(trade.at("underlying"), "SPY");
  EXPECT_EQ(trade.at("size"), "3");
  EXPECT_EQ(Row("us_options_opra/quotes_v1",
                "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,sequence_number,sip_timestamp\n"
                "O:SPY230327P00390500,1,2.5,3,4,5.5,6,7,1704205800000000002\n")
                .at("strike"),
            "390.5");
}

TEST(VendorCsv, TardisBooks) {
  const DecodedRow level = Row("tardis/incremental_book_L2",
                               "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
                               "d,B,1585699200245000,1585699200355684,true,ask,6421.5,0\n");
  EXPECT_EQ(level.at("is_snapshot"), "true");
  EXPECT_EQ(level.at("amount"), "0");
  std::string header = "exchange,symbol,timestamp,local_timestamp", values = "b,B,1598918403696000,1598918403810979";
  for (int i = 0; i < 25; ++i) {
    header += fmt::format(",asks[{0}].price,asks[{0}].amount,bids[{0}].price,bids[{0}].amount", i);
    values += fmt::format(",{0}.5,{0}.25,{0}.125,", i);
  }
  const DecodedRow row = Row("tardis/book_snapshot_25", header + "\n" + values + "\n");
  EXPECT_EQ(row.at("asks_0_price"), "0.5");
  EXPECT_EQ(row.at("asks_24_amount"), "24.25");
  EXPECT_EQ(row.at("bids_24_price"), "24.125");
  EXPECT_EQ(row.at("bids_24_amount"), "null");
  // Deeper levels than the schema's go to _extra.
  EXPECT_THAT(Row("tardis/book_snapshot_5", header + "\n" + values + "\n").at("_extra"),
              HasSubstr("\"asks[5].price\":\"5.5\""));
}

TEST(VendorCsv, BoolsAreBitsAlsoBehindABadRecord) {
  std::string text = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("d,B,1585699200245000,1585699200355684,{},ask,{},1\n", i % 3 == 0, i % 7 == 0 ? "bad" : "1");
    if (i % 7 != 0) expected.push_back(i % 3 == 0 ? "true" : "false");
  }
  std::vector<std::string> bits;
  const Decoded decoded = Decode("tardis/incremental_book_L2", text);
  for (const DecodedRow& row : decoded.only()) bits.push_back(row.at("is_snapshot"));
  EXPECT_EQ(bits, expected);
}

TEST(VendorCsv, OtherTardisTypes) {
  EXPECT_EQ(Row("tardis/quotes",
                "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
                "h,B,1588291201099000,1588291201234268,5494,8629.3,8629.2,\n")
                .at("bid_amount"),
            "null");
  const DecodedRow ticker = Row("tardis/derivative_ticker",
                                "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
                                "predicted_funding_rate,open_interest,last_price,index_price,mark_price\n"
                                "b,X,1583020803145000,1583020803307160,,-1.5e-05,,1000000,9500.5,9500.0,\n");
  EXPECT_EQ(ticker.at("funding_timestamp"), "null");
  EXPECT_EQ(ticker.at("funding_rate"), "-1.5e-05");
  const DecodedRow option = Row(
      "tardis/options_chain",
      "exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,last_price,bid_price,"
      "bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,"
      "vega,theta,rho\n"
      "d,BTC-9JUN20-9875-P,1591574399413000,1591574400196008,put,9875,1591689600000000,0.1,0.0295,,,55.91,0.0235,15.2,"
      "68.94,0.02210436,62.89,SYN.BTC-9JUN20,9756.36,-0.61752,0.00103,2.24964,-53.05655,-0.22796\n");
  EXPECT_EQ(option.at("symbol"), "BTC-9JUN20-9875-P");
  EXPECT_EQ(option.at("expiration"), "1591689600000000");
  EXPECT_EQ(option.at("mark_price"), "0.02210436");
  EXPECT_EQ(option.at("bid_price"), "null");
}

TEST(VendorCsv, ColumnsAreFoundByName) {
  const DecodedRow row = Row("tardis/trades",
                             "\xEF\xBB\xBFprice,side,amount,id,local_timestamp,timestamp,symbol,exchange\r\n"
                             "1.5,buy,2,9,1700000000000002,1700000000000001,\"S\"\"Y\",x\r\n");
  EXPECT_EQ(row.at("price"), "1.5");
  EXPECT_EQ(row.at("timestamp"), "1700000000000001");
  EXPECT_EQ(row.at("symbol"), "S\"Y");
  EXPECT_EQ(row.at("exchange"), "x");
}

TEST(VendorCsv, TickersStayAsTheyAre) {
  for (const char* ticker : {"NA", "NAN", "nan", "TRUE", "NULL", "null", "None", "inf", "1E5", "0012", "BRK.A", "KIMpL",
                             "ABCw", "BRK/B", " A", "A "}) {
    EXPECT_EQ(Row(kStockBars, Bar(ticker)).at("ticker"), ticker);
  }
  EXPECT_EQ(Row("tardis/trades", kTrades + "x,NA,1700000000000001,1700000000000002,00017,unknown,1,2\n").at("id"),
            "00017");
}

TEST(VendorCsv, UnknownColumnsGoToExtra) {
  const DecodedRow row = Row(kStockBars,
                             "\"new \"\"key\"\"\",ticker,volume,open,close,high,low,window_start,transactions,otc,"
                             "session_date\n,A,1,1,1,1,1,1704171600000000000,1,true,x\n");
  EXPECT_EQ(row.at("_extra"), R"({"new \"key\"":null,"otc":"true","session_date":"x"})");
  EXPECT_EQ(row.at("session_date"), std::to_string(Days("2024-01-02")));
}

TEST(VendorCsv, DecimalsAreTheNearestDouble) {
  const auto price = [](std::string_view text) { return Row("tardis/trades", Trade(text)).at("price"); };
  for (const char* text : {"0", "-0", "0.1", "8531.5", "-12.75", "9007199254740993", "0.1234567890123456789012345",
                           "123456789012345678901234567890", "1.7976931348623157e308", "5e-324", "1e22", "1e23", "1E-8",
                           "2.5e+3", "0.000000000000000000000000000000123", ".5", "5.", "00012.50"}) {
    EXPECT_EQ(price(text), fmt::format("{}", std::strtod(text, nullptr))) << text;
  }
  std::mt19937_64 random(20240102);
  std::string text = kTrades;
  std::vector<double> expected;
  for (int i = 0; i < 20'000; ++i) {
    const int digits = 1 + static_cast<int>(random() % 20), decimals = static_cast<int>(random() % 24);
    std::string number = random() % 2 ? "-" : "";
    for (int d = 0; d < digits; ++d) number += static_cast<char>('0' + random() % 10);
    if (decimals > 0) number += '.';
    for (int d = 0; d < decimals; ++d) number += static_cast<char>('0' + random() % 10);
    text += fmt::format("x,Y,1700000000000001,1700000000000002,7,buy,{},2\n", number);
    expected.push_back(std::strtod(number.c_str(), nullptr));
  }
  const Decoded decoded = Decode("tardis/trades", text, 1000);
  ASSERT_EQ(decoded.only().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(decoded.only()[i].at("price"), fmt::format("{}", expected[i]));
}

TEST(VendorCsv, NumbersThatAreNone) {
  for (const char* text : {"nan", "NaN", "inf", "-inf",  "Infinity", "x",  "1,5x", "--1",   "+1", "-",       ".",
                           "1e",  "1e+", "e5",  "1.2.3", "0x10",     "1 ", " 1",   "1_000", "NA", "\xC2\xA0"}) {
    EXPECT_EQ(Verdict("tardis/trades", Trade(fmt::format("\"{}\"", text))),
              fmt::format("line 2: column price: '{}' is not a number", std::string_view(text)[0] < 0 ? "??" : text));
  }
  for (const char* text : {"1e400", "-1e400", "1e-400"}) {
    EXPECT_EQ(Verdict("tardis/trades", Trade(text)),
              fmt::format("line 2: column price: '{}' is out of the range of a double", text));
  }
  EXPECT_EQ(Verdict(kStockBars, kBars + "A,1,1,1,1,1,1704171600000000000,1.5\n"),
            "line 2: column transactions: '1.5' is not an integer");
}

TEST(VendorCsv, TimesHaveTheirUnitsNumberOfDigits) {
  EXPECT_EQ(Verdict("tardis/trades", Trade("1", "1700000000000001")), "");
  for (const char* time :
       {"1700000000000", "170000000000000", "17000000000000010", "1700000000000000001", "-700000000000001",
        "1.70000000000E15", "0000000000000001", "170000000000000x", "2024-01-02T00:00"}) {
    EXPECT_EQ(Verdict("tardis/trades", Trade("1", time)),
              fmt::format("line 2: column timestamp: '{}' is not a time in microseconds (16 digits)", time));
  }
  EXPECT_EQ(Verdict("tardis/trades", Trade("1", "")), "line 2: column timestamp is empty");
  for (const char* time : {"16799904000000000", "1679990400000", "1.6799904E+18", "167999040000000000x", "0"}) {
    EXPECT_EQ(Verdict(kStockBars, Bar("A", "1", time)),
              fmt::format("line 2: column window_start: '{}' is not a time in nanoseconds (19 digits)", time));
  }
  EXPECT_EQ(Verdict(kStockBars, Bar("A", "1", "9223372036854775808")),
            "line 2: column window_start: '9223372036854775808' is a time past 2262");
  EXPECT_EQ(Verdict(kStockBars, Bar("A", "1", "1704171600000000001")),
            "line 2: column window_start: '1704171600000000001' is not a whole microsecond");
}

TEST(VendorCsv, EveryDigitCounts) {
  constexpr std::string_view kSchema = "us_stocks_sip/trades_v1";
  const auto line = [](std::string_view time, std::string_view sequence, std::string_view size) {
    return fmt::format(
        "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,"
        "trf_id,trf_timestamp\nA,,,,,{},,{},1704205800000000002,{},,,\n",
        time, sequence, size);
  };
  const std::string digits = "1234567891234567893";
  for (size_t count = 1; count <= digits.size(); ++count) {
    const std::string number = digits.substr(digits.size() - count);
    const DecodedRow row = Row(kSchema, line(digits, number, number.substr(0, 15)));
    EXPECT_EQ(row.at("participant_timestamp"), digits);
    EXPECT_EQ(row.at("sequence_number"), number);
    EXPECT_EQ(row.at("size"), number.substr(0, 15));
    for (size_t at = 0; at < count; ++at) {
      for (const char wrong : {'x', '/', ':', ' '}) {
        std::string text = number;
        text[at] = wrong;
        EXPECT_THAT(Verdict(kSchema, line(digits, text, "1")), HasSubstr("is not an integer")) << text;
        EXPECT_THAT(Verdict(kSchema, line(digits, "1", text)), HasSubstr("is not a number")) << text;
        if (count < digits.size()) continue;
        EXPECT_THAT(Verdict(kSchema, line(text, "1", "1")), HasSubstr("is not a time in nanoseconds")) << text;
      }
    }
  }
}

TEST(VendorCsv, OtherBadRecords) {
  EXPECT_EQ(Verdict(kStockBars, Bar("")), "line 2: column ticker is empty");
  EXPECT_EQ(Verdict(kStockBars, Bar("A\tB")),
            "line 2: column ticker: 'A?B' holds a control character or bytes that are not UTF-8");
  EXPECT_THAT(Verdict(kStockBars, Bar(std::string(257, 'A'))), HasSubstr("is longer than 256 bytes"));
  EXPECT_EQ(Verdict(kStockBars, kBars + "A,1,1\n"), "line 2: fewer fields than the header");
  EXPECT_EQ(Verdict(kStockBars, kBars + "A,1,1,1,1,1,1704171600000000000,1,\n"), "line 2: more fields than the header");
  EXPECT_EQ(Verdict(kStockBars, kBars + "\n"), "line 2: fewer fields than the header");
  EXPECT_EQ(Verdict(kStockBars, kBars + "\"A,1,1,1,1,1,1704171600000000000,1\n"),
            "line 2: a quoted field does not end on its line");
  EXPECT_EQ(Verdict("tardis/incremental_book_L2",
                    "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
                    "d,B,1585699200245000,1585699200355684,True,ask,1,1\n"),
            "line 2: column is_snapshot: 'True' is neither true nor false");
  EXPECT_THAT(Verdict("us_stocks_sip/day_aggs_v1",
                      "x,ticker,volume,open,close,high,low,window_start,transactions\n"
                      "\x01,A,1,1,1,1,1,1704171600000000000,1\n"),
              HasSubstr("column x: '?' holds a control character"));
}

TEST(VendorCsv, BadRecordsKeepTheirTextAndPlaceAndLeaveNoTrace) {
  const Decoded decoded = Decode("tardis/trades", kTrades +
                                                      "x,Y,1700000000000001,1700000000000002,7,,,2\n"
                                                      "x,Y,1700000000000001,1700000000000002,,,bad,\n"
                                                      "x,Y,1700000000000003,1700000000000002,8,sell,4,5\n");
  ASSERT_EQ(decoded.only().size(), 2U);
  EXPECT_EQ(decoded.facts.records, 3);
  EXPECT_TRUE(decoded.facts.ended);
  ASSERT_EQ(decoded.bad.count(), 1);
  EXPECT_EQ(decoded.bad.kept()[0].raw, "x,Y,1700000000000001,1700000000000002,,,bad,");
  EXPECT_EQ(decoded.bad.kept()[0].source_row, 1);
  EXPECT_EQ(decoded.bad.kept()[0].offset, static_cast<int64_t>(kTrades.size()) + 44);
  EXPECT_EQ(decoded.only()[0].at("price"), "null");
  const DecodedRow& last = decoded.only()[1];
  EXPECT_EQ(last.at("source_row"), "2");
  EXPECT_EQ(last.at("id"), "8");
  EXPECT_EQ(last.at("side"), "sell");
  EXPECT_EQ(last.at("price"), "4");
  EXPECT_EQ(last.at("amount"), "5");
}

// A text equal to the one before takes its place in the pool: equal in every byte.
TEST(VendorCsv, TextsThatDifferInOneByteStayApart) {
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      std::string one(size, 'a'), other = one;
      other[at] = 'b';
      std::string text = kTrades;
      for (const std::string& symbol : {one, other, one, one + "a"}) {
        text += fmt::format("x,{},1700000000000001,1700000000000002,7,buy,1,2\n", symbol);
      }
      const Decoded decoded = Decode("tardis/trades", text);
      ASSERT_EQ(decoded.only().size(), 4U) << decoded.error_text();
      EXPECT_EQ(decoded.only()[0].at("symbol"), one);
      EXPECT_EQ(decoded.only()[1].at("symbol"), other);
      EXPECT_EQ(decoded.only()[2].at("symbol"), one);
      EXPECT_EQ(decoded.only()[3].at("symbol"), one + "a");
    }
  }
}

TEST(VendorCsv, BatchesHaveAtMostTheirRowsInTheFilesOrder) {
  std::string text = kTrades;
  for (int i = 0; i < 10'000; ++i) {
    text += fmt::format("x,Y{},{},{},{},{},{},2\n", i % 3, 1700000000000001 - i, 1700000000000002 - i % 7, i,
                        i % 2 ? "buy" : "", i % 5 ? std::to_string(i) : "");
  }
  for (const int64_t batch_rows : {1, 64, 1000, 65'536}) {
    const Decoded decoded = Decode("tardis/trades", text, batch_rows);
    ASSERT_EQ(decoded.only().size(), 10'000U) << decoded.error_text();
    EXPECT_GE(decoded.batches.size(), static_cast<size_t>(10'000 / batch_rows));
    for (size_t i = 0; i < 10'000; ++i) {
      const DecodedRow& row = decoded.only()[i];
      ASSERT_EQ(row.at("source_row"), std::to_string(i));
      ASSERT_EQ(row.at("id"), std::to_string(i));
      ASSERT_EQ(row.at("symbol"), fmt::format("Y{}", i % 3));
      ASSERT_EQ(row.at("price"), i % 5 ? std::to_string(i) : "null");
      ASSERT_EQ(row.at("side"), i % 2 ? "buy" : "null");
    }
  }
}

TEST(VendorCsv, EmptyFiles) {
  for (const std::string& text : {std::string(), std::string("\xEF\xBB\xBF"), kTrades}) {
    const Decoded decoded = Decode("tardis/trades", text);
    EXPECT_EQ(decoded.error_text(), "");
    EXPECT_TRUE(decoded.rows.empty());
    EXPECT_TRUE(decoded.facts.ended);
    EXPECT_EQ(decoded.facts.records, 0);
  }
  EXPECT_EQ(Error(kStockBars, ""), "empty file");
  EXPECT_EQ(Error(kStockBars, kBars), "");
}

TEST(VendorCsv, ALastLineWithoutItsEndIsTakenAndSaid) {
  const std::string line = "x,Y,1700000000000001,1700000000000002,7,buy,1,2";
  const Decoded open = Decode("tardis/trades", kTrades + line + "\n" + line);
  EXPECT_EQ(open.error_text(), "");
  EXPECT_EQ(open.facts.records, 2);
  EXPECT_TRUE(open.facts.ended_open);
  const Decoded closed = Decode("tardis/trades", kTrades + line + "\n" + line + "\n");
  EXPECT_EQ(closed.facts.records, 2);
  EXPECT_FALSE(closed.facts.ended_open);
}

TEST(VendorCsv, StructuralFaults) {
  EXPECT_EQ(Error(kStockBars, "ticker,volume,open,close,high,low,start,transactions\n"),
            "line 1: header: column 'window_start' of schema us_stocks_sip/day_aggs_v1 is missing");
  EXPECT_EQ(Error("tardis/trades", kTrades.substr(0, 30)), "line 1: no line end: the file is cut short");
  EXPECT_EQ(Error("tardis/trades", "symbol," + kTrades), "line 1: header: column 'symbol' comes twice");
  std::string header = "exchange,symbol,timestamp,local_timestamp";
  for (const int i : {0, 1, 3, 4}) {
    header += fmt::format(",asks[{0}].price,asks[{0}].amount,bids[{0}].price,bids[{0}].amount", i);
  }
  EXPECT_EQ(Error("tardis/book_snapshot_5", header + "\n"),
            "line 1: header: column 'asks[3].price' without 'asks[2].price': a gap in the book's levels");
  EXPECT_EQ(Error("tardis/trades", kTrades.substr(0, kTrades.size() - 1) + ",bids[7].price\n"),
            "line 1: header: column 'bids[7].price' without 'bids[6].price': a gap in the book's levels");
}

std::string Inferred(const std::string& text) {
  const TableSchema* schema = InferVendorCsvSchema(text);
  return schema == nullptr ? "none" : schema->name;
}

std::string HeaderOf(const TableSchema& schema) {
  std::string header;
  for (const Column& column : schema.columns) {
    if (column.origin == ColumnOrigin::kVendor && !column.computed) {
      header += (header.empty() ? "" : ",") + column.vendor_name();
    }
  }
  return header + "\n";
}

TEST(VendorCsv, TardisTypesAreToldByTheirHeader) {
  for (const TableSchema* schema : SchemasOf("tardis")) {
    const std::string expected = schema->name == "tardis/liquidations"  ? "tardis/trades"
                                 : schema->name == "tardis/book_ticker" ? "tardis/quotes"
                                                                        : schema->name;
    EXPECT_EQ(Inferred(HeaderOf(*schema)), expected);
    EXPECT_EQ(Inferred("\xEF\xBB\xBF" + HeaderOf(*schema)), expected);
  }
  EXPECT_EQ(Inferred("exchange,symbol,timestamp,local_timestamp\n"), "none");
  EXPECT_EQ(Inferred(""), "none");
  EXPECT_EQ(Inferred(kTrades.substr(0, 40)), "none");
  EXPECT_EQ(Inferred("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"), "none");
}

TEST(VendorCsv, PolygonTypesAreToldByHeaderTickerAndFirstBar) {
  EXPECT_EQ(Inferred(Bar("A")), "us_stocks_sip/day_aggs_v1");
  EXPECT_EQ(Inferred(Bar("A", "1", "1704171660000000000")), "us_stocks_sip/minute_aggs_v1");
  EXPECT_EQ(Inferred(Bar("A", "1", "16799904000000000")), "us_stocks_sip/minute_aggs_v1") << "mangled, so no midnight";
  EXPECT_EQ(Inferred(Bar("O:SPY230327P00390000", "1", "1679889600000000000")), "us_options_opra/day_aggs_v1");
  EXPECT_EQ(Inferred(Bar("O:SPY230327P00390000", "1", "1678715580000000000")), "us_options_opra/minute_aggs_v1");
  const std::string days = Bar("A", "1", "1680033600000000000") + "AA,1,1,1,1,1,1680033600000000000,1\n";
  EXPECT_EQ(Inferred(days + "B,1,1,1,1,1,1680033600000000000,1\n"), "us_stocks_sip/day_aggs_v1") << "16:00, all";
  EXPECT_EQ(Inferred(days + "B,1,1,1,1,1,1680033660000000000,1\n"), "us_stocks_sip/minute_aggs_v1");
  EXPECT_EQ(Inferred(days), "us_stocks_sip/minute_aggs_v1") << "two may be by chance";
  EXPECT_EQ(Inferred(Bar("A") + "A,1,1,1,1,1,1704171660000000000,1\n"), "us_stocks_sip/minute_aggs_v1");
  const std::string index = "ticker,open,close,high,low,window_start\n";
  EXPECT_EQ(Inferred(index + "I:SPX,1,1,1,1,1704171600000000000\n"), "us_indices/day_aggs_v1");
  EXPECT_EQ(Inferred(index + "I:SPX,1,1,1,1,1704205860000000000\n"), "us_indices/minute_aggs_v1");
  EXPECT_EQ(Inferred(index + "SPX,1,1,1,1,1704205860000000000\n"), "none");
  EXPECT_EQ(Inferred(kBars), "none");
  for (const TableSchema* schema : SchemasOf("polygon")) {
    if (schema->merge != MergeRule::kReplaceCells) continue;
    std::string row = schema->name.starts_with("us_options") ? "O:SPY230327P00390000" : "A";
    const std::string header = HeaderOf(*schema);
    row.append(static_cast<size_t>(std::ranges::count(header, ',')), ',');
    EXPECT_EQ(Inferred(header + row + "\n"), schema->name);
  }
}

class VendorParquet : public fixture::ParquetTest {};

// Rows as the lake stores them: with the raw file's name in the schema's place for it.
fixture::Batch WithSourceFile(const DecodedBatch& decoded, int32_t source_file) {
  arrow::ArrayVector columns;
  const auto schema = PhysicalSchema(*decoded.schema);
  for (const auto& field : schema->fields()) {
    columns.push_back(decoded.rows->GetColumnByName(field->name()));
    if (columns.back() != nullptr) continue;
    arrow::Int32Builder names;
    EXPECT_TRUE(names.AppendValues(std::vector(static_cast<size_t>(decoded.rows->num_rows()), source_file)).ok());
    columns.back() = names.Finish().ValueOrDie();
  }
  return arrow::RecordBatch::Make(schema, decoded.rows->num_rows(), std::move(columns));
}

TEST_F(VendorParquet, DistinctTextGoesThroughParquetWithoutThePoolsLimit) {
  constexpr int kRows = 60'000;
  const TableSchema& schema = *FindSchema("tardis/trades");
  std::string text = kTrades;
  for (int i = 0; i < kRows; ++i) {
    const std::string id = i % 1000 == 7 ? "" : fmt::format("{:036}", i);
    text += fmt::format("x,Y,1700000000000001,1700000000000002,{},buy,{}.5,2\n", id, i);
  }
  StringPool written(size_t{2} << 20), read(size_t{2} << 20);
  for (StringPool* strings : {&written, &read}) ASSERT_TRUE(strings->SpillTo(::testing::TempDir()));
  BadRecords bad;
  auto decoder =
      OpenVendorCsv(FromMemory(std::as_bytes(std::span(text.data(), text.size()))), schema, {&written, &bad, 65'536});
  std::vector<fixture::Batch> batches;
  for (;;) {
    auto batch = (*decoder)->Next();
    ASSERT_TRUE(batch) << batch.error().ToString();
    if (!*batch) break;
    batches.push_back(WithSourceFile(**batch, *written.Intern("a.csv.gz")));
  }
  ASSERT_TRUE(fixture::WriteRows(Path("a.parquet"), schema, written, batches));
  const auto back = fixture::ReadAll(Path("a.parquet"), schema, read);
  ASSERT_TRUE(back) << back.error().ToString();
  int row = 0;
  for (const fixture::Batch& batch : *back) {
    const auto& ids = static_cast<const arrow::Int32Array&>(*batch->GetColumnByName("id"));
    const auto& prices = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("price"));
    for (int64_t i = 0; i < batch->num_rows(); ++i, ++row) {
      ASSERT_EQ(ids.IsNull(i) ? "" : read.Get(ids.Value(i)), row % 1000 == 7 ? "" : fmt::format("{:036}", row));
      ASSERT_EQ(prices.Value(i), row + 0.5);
    }
  }
  EXPECT_EQ(row, kRows);
}

TEST(VendorCsv, DistinctTextNeedsNoMemoryWhenThePoolSpills) {
  std::string text = kTrades;
  for (int i = 0; i < 50'000; ++i) {
    text += fmt::format("x,Y,1700000000000001,1700000000000002,{:036},buy,1,2\n", i);
  }
  StringPool strings(size_t{2} << 20);
  ASSERT_TRUE(strings.SpillTo(::testing::TempDir()));
  BadRecords bad;
  auto decoder = OpenVendorCsv(FromMemory(std::as_bytes(std::span(text.data(), text.size()))),
                               *FindSchema("tardis/trades"), {&strings, &bad, 65'536});
  int64_t rows = 0;
  for (;;) {
    auto batch = (*decoder)->Next();
    ASSERT_TRUE(batch) << batch.error().ToString();
    if (!*batch) break;
    rows += (*batch)->rows->num_rows();
  }
  EXPECT_EQ(rows, 50'000);
  EXPECT_EQ(strings.size(), 3U);
}

}  // namespace
}  // namespace lode::codec
