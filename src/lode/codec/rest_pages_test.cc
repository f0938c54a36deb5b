#include "lode/codec/rest_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/testing/decoded_rows.h"

namespace lode::codec {
namespace {

using fixture::Decoded;
using fixture::DecodedRow;
using ::testing::HasSubstr;

Decoded Decode(std::string_view schema, const std::string& text, const RestRequest& asked = {}) {
  return fixture::DecodeAll([&](const DecodeContext& context) {
    return OpenRestPages(FromMemory(std::as_bytes(std::span(text.data(), text.size()))), asked, *FindSchema(schema),
                         context);
  });
}

std::string Days(std::string_view day) { return std::to_string(ParseDay(day)->since_epoch); }

TEST(RestPages, RowsOfAllPagesWithTheirTypes) {
  const Decoded decoded = Decode(
      "polygon/dividends",
      R"({"status":"OK","results":[{"id":"E1","ticker":"NA","ex_dividend_date":"2024-01-02","cash_amount":0.24,"frequency":4},)"
      R"({"id":"E2","ticker":"KIMpL","ex_dividend_date":"2024-01-02","cash_amount":1,"currency":null}]})"
      "\n"
      R"({"results":[{"ticker":"TRUE","id":"E3","ex_dividend_date":"2024-01-03","cash_amount":"0.5","pay_date":"2024-02-01"}]})"
      "\n"
      R"({"status":"OK"})"
      "\n");
  EXPECT_EQ(decoded.error_text(), "");
  EXPECT_EQ(decoded.bad.count(), 0);
  ASSERT_EQ(decoded.only().size(), 3u);
  const DecodedRow& first = decoded.only()[0];
  EXPECT_EQ(first.at("ticker"), "NA");
  EXPECT_EQ(first.at("ex_dividend_date"), Days("2024-01-02"));
  EXPECT_EQ(first.at("cash_amount"), "0.24");
  EXPECT_EQ(first.at("frequency"), "4");
  EXPECT_EQ(first.at("pay_date"), "null");
  EXPECT_EQ(first.at("_extra"), "null");
  EXPECT_EQ(decoded.only()[1].at("cash_amount"), "1");
  EXPECT_EQ(decoded.only()[2].at("cash_amount"), "0.5");
  EXPECT_EQ(decoded.only()[2].at("pay_date"), Days("2024-02-01"));
}

TEST(RestPages, InnerObjectsListsAndUnknownMembers) {
  const Decoded decoded =
      Decode("polygon/news", R"({"results":[{"id":"a","published_utc":"2024-01-02T03:04:05Z","title":"one\ntwo",)"
                             R"("publisher":{"name":"P","country":"US"},"tickers":["A","B"],"rating":{"x":1}}]})"
                             "\n");
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.bad.count(), 0);
  const DecodedRow& row = decoded.only().at(0);
  EXPECT_EQ(row.at("published_utc"), std::to_string(ParseIsoNs("2024-01-02T03:04:05Z").value() / 1000));
  EXPECT_EQ(row.at("title"), "one\ntwo");
  EXPECT_EQ(row.at("publisher_name"), "P");
  EXPECT_EQ(row.at("tickers"), R"(["A","B"])");
  EXPECT_EQ(row.at("_extra"), R"({"publisher.country":"US","rating":{"x":1}})");
}

TEST(RestPages, WhatRowsDoNotSayComesFromTheRequest) {
  const RestRequest asked{.ticker = "BRK.A", .day = *ParseDay("2024-01-02")};
  // 19:59 in New York, the next day by UTC.
  const Decoded bars = Decode(
      "polygon/aggregates_minute",
      R"({"ticker":"BRK.A","results":[{"o":1,"c":2.5,"h":3,"l":0.5,"v":10.5,"vw":1.25,"t":1704243540000,"n":7}]})"
      "\n",
      asked);
  ASSERT_EQ(bars.bad.count(), 0);
  const DecodedRow& bar = bars.only().at(0);
  EXPECT_EQ(bar.at("ticker"), "BRK.A");
  EXPECT_EQ(bar.at("window_start"), std::to_string(ParseIsoNs("2024-01-03T00:59:00Z").value() / 1000));
  EXPECT_EQ(bar.at("session_date"), Days("2024-01-02"));
  EXPECT_EQ(bar.at("close"), "2.5");
  EXPECT_EQ(bar.at("volume"), "10.5");
  EXPECT_EQ(bar.at("transactions"), "7");
  const Decoded related = Decode("polygon/related_companies",
                                 R"({"results":[{"ticker":"MSFT"},{"score":1}]})"
                                 "\n",
                                 asked);
  ASSERT_EQ(related.bad.count(), 1);  // it names none
  EXPECT_EQ(related.only().at(0).at("ticker"), "BRK.A");
  EXPECT_EQ(related.only().at(0).at("related_ticker"), "MSFT");
  EXPECT_EQ(related.only().at(0).at("as_of"), Days("2024-01-02"));
}

TEST(RestPages, ABarWithoutATimeIsBad) {
  const Decoded decoded =
      Decode("polygon/grouped_daily", R"({"results":[{"T":"A","c":1},{"T":"A","t":"soon"},{"T":"A","t":9e18},)"
                                      R"({"T":"NA","t":1704229200000,"otc":true}]})"
                                      "\n");
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.bad.count(), 3);
  EXPECT_EQ(decoded.only().at(0).at("ticker"), "NA");
  EXPECT_EQ(decoded.only().at(0).at("session_date"), Days("2024-01-02"));
}

TEST(RestPages, EventsOfOneTicker) {
  const Decoded decoded = Decode("polygon/ticker_events",
                                 R"({"results":{"name":"Meta","cik":"0001326801","sector":"x","events":[)"
                                 R"({"ticker_change":{"ticker":"META"},"type":"ticker_change","date":"2022-06-09"},)"
                                 R"({"ticker_change":{"ticker":"FB"},"type":"ticker_change","date":"2012-05-18"}]}})"
                                 "\n"
                                 R"([{"date":"2001-01-01"}])"
                                 "\n",
                                 {.ticker = "META", .day = *ParseDay("2024-01-02")});
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.only().size(), 3u);
  const DecodedRow& row = decoded.only()[1];
  EXPECT_EQ(row.at("ticker"), "META");
  EXPECT_EQ(row.at("new_ticker"), "FB");
  EXPECT_EQ(row.at("date"), Days("2012-05-18"));
  EXPECT_EQ(row.at("name"), "Meta");
  EXPECT_EQ(row.at("_extra"), R"({"sector":"x"})");
  EXPECT_EQ(decoded.only()[2].at("name"), "null") << "of the page before";
}

TEST(RestPages, StatementsKeepTheirJson) {
  const Decoded decoded =
      Decode("polygon/financials",
             R"({"results":[{"cik":"1","filing_date":"2024-01-03","tickers":["A"],"financials":{"balance_sheet":)"
             R"({"assets":{"value":352583000000.0,"unit":"USD"}},"income_statement":{},"segments":{}}}]})"
             "\n");
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.bad.count(), 0);
  const DecodedRow& row = decoded.only().at(0);
  EXPECT_EQ(row.at("balance_sheet"), R"({"assets":{"value":352583000000.0,"unit":"USD"}})");
  EXPECT_EQ(row.at("cash_flow_statement"), "null");
  EXPECT_EQ(row.at("tickers"), R"(["A"])");
  EXPECT_EQ(row.at("_extra"), R"({"financials.segments":{}})");
}

TEST(RestPages, MalformedRowsAreNamed) {
  const Decoded decoded =
      Decode("polygon/splits", R"({"results":[{"id":"a","ticker":"A","execution_date":"2024-13-02"},)"
                               R"({"id":"b","execution_date":"2024-01-02"},7,)"
                               R"({"id":"c","ticker":"C","execution_date":"2024-01-02","split_to":"many"},)"
                               R"({"id":"d","ticker":"D","execution_date":"2024-01-02","split_to":2.5}]})"
                               "\n");
  EXPECT_EQ(decoded.error_text(), "");
  ASSERT_EQ(decoded.bad.count(), 4);
  EXPECT_THAT(decoded.bad.kept()[0].reason, HasSubstr("execution_date: '2024-13-02' is not a day"));
  EXPECT_THAT(decoded.bad.kept()[1].reason, HasSubstr("ticker is missing"));
  EXPECT_THAT(decoded.bad.kept()[2].reason, HasSubstr("is no object"));
  EXPECT_THAT(decoded.bad.kept()[3].reason, HasSubstr("split_to: 'many' is not a number"));
  ASSERT_EQ(decoded.only().size(), 1u);
  EXPECT_EQ(decoded.only()[0].at("ticker"), "D");
}

TEST(RestPages, WhatIsNoPageEndsTheStream) {
  for (const char* text : {"", "{]\n", "7\n", "{\"results\":{}}\n", "{\"results\":[]}"}) {
    const Decoded decoded = Decode("polygon/splits", text);
    ASSERT_TRUE(decoded.error) << text;
    EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput) << text;
  }
  EXPECT_FALSE(Decode("polygon/splits", "[]\n").error);
}

}  // namespace
}  // namespace lode::codec
