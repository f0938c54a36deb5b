#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/schema.h"
#include "lode/source/polygon/rest_chain.h"

namespace lode::source::polygon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "a-secret-key-of-the-rest-api";

Day At(std::string_view text) { return *ParseDay(text); }

RestChain ChainOf(std::string_view table = "dividends", const std::string& ticker = "ALL_SYMBOLS") {
  static const RestAccess access{
      .base_url = "https://api.massive.com", .origin = "https://api.massive.com", .key = kKey};
  return RestChain(*FindEndpoint(table), access, ticker, At("2024-01-01"), At("2024-01-31"));
}

std::string Page(const std::vector<std::string>& days, const std::string& next = "") {
  std::string rows;
  for (size_t i = 0; i < days.size(); ++i) {
    rows += fmt::format(R"({}{{"id":"{}-{}","ticker":"A","ex_dividend_date":"{}"}})", i == 0 ? "" : ",", days[i], i,
                        days[i]);
  }
  return fmt::format(R"({{"status":"OK","results":[{}]{}}})", rows,
                     next.empty() ? "" : fmt::format(R"(,"next_url":"{}")", next));
}

const std::string kNext = "https://api.massive.com/v3/reference/dividends?cursor=";

TEST(PolygonRest, EveryEndpointHasItsTable) {
  for (const Endpoint& endpoint : Endpoints()) {
    const codec::TableSchema* schema = codec::FindSchema(fmt::format("polygon/{}", endpoint.name));
    ASSERT_NE(schema, nullptr) << endpoint.name;
    const std::string_view day = endpoint.is_snapshot() ? "as_of" : endpoint.day == "t" ? "session_date" : endpoint.day;
    EXPECT_EQ(schema->day_column, day);
    EXPECT_EQ(schema->merge,
              endpoint.is_per_ticker() ? codec::MergeRule::kReplaceSymbol : codec::MergeRule::kReplaceDays);
    EXPECT_EQ(endpoint.is_per_ticker(), schema->symbol_column == "ticker") << endpoint.name;
    EXPECT_TRUE(endpoint.second_url.empty() || endpoint.second_url != endpoint.url);
  }
  EXPECT_EQ(codec::SchemasOf("polygon_rest").size(), Endpoints().size());
}

TEST(PolygonRest, AsksForDaysWithTheKeyInAHeader) {
  const net::Request request = ChainOf().First();
  EXPECT_EQ(
      request.url,
      "https://api.massive.com/v3/reference/dividends?ex_dividend_date.gte=2024-01-01&ex_dividend_date.lt=2024-02-01"
      "&sort=ex_dividend_date&order=asc&limit=1000");
  EXPECT_EQ(request.credential.kind, net::Credential::Kind::kBearer);
  EXPECT_EQ(request.credential.origin, "https://api.massive.com");
  EXPECT_THAT(request.url + request.label, Not(HasSubstr(kKey)));
}

TEST(PolygonRest, PagesFollowTheirNextUrlToTheEnd) {
  RestChain chain = ChainOf();
  const PageStep first = chain.Read(Page({"2024-01-02", "2024-01-03"}, kNext + "x&limit=2")).value();
  ASSERT_TRUE(first.next);
  EXPECT_EQ(first.next->url, kNext + "x&limit=2");
  EXPECT_EQ(first.next->credential.origin, "https://api.massive.com");
  // The vendor's older name: the same place of the configured one.
  const PageStep second =
      chain.Read(Page({"2024-01-03"}, "https://api.polygon.io/v3/reference/dividends?cursor=y")).value();
  EXPECT_EQ(second.next->url, kNext + "y");
  EXPECT_FALSE(chain.Read(Page({})).value().next);
}

TEST(PolygonRest, APageThatIsNotOfTheChainIsNotTaken) {
  const std::string first = Page({"2024-01-02", "2024-01-10"}, kNext + "x");
  for (const auto& [page, why] : std::vector<std::pair<std::string, std::string>>{
           {first, "a page that came before"},
           {Page({"2024-01-05"}), "a row of 2024-01-05 after one of 2024-01-10"},
           {Page({"2024-01-12", "2024-01-11"}), "a row of 2024-01-11 after one of 2024-01-12"},
           {Page({"2024-02-01"}), "which was not asked for"},
           {Page({"soon"}), "a row without a day"},
           {Page({"2024-01-11"}, kNext + "x"), "a chain without end"},
           {Page({"2024-01-11"}, "https://evil.example/v3/reference/dividends?cursor=x"), "another host"},
           {Page({"2024-01-11"}, "https://api.massive.com/v3/reference/splits?cursor=z"), "another table"},
           {Page({"2024-01-11"}, "ftp://x"), ""},
           {R"({"status":"ERROR","error":"no"})", "status 'ERROR'"},
           {R"({"status":"OK","results":{}})", "'results' is no list"},
           {"[]", "not a JSON object"},
           {"<html>", "not a JSON object"}}) {
    RestChain chain = ChainOf();
    ASSERT_TRUE(chain.Read(first));
    const auto step = chain.Read(page);
    ASSERT_FALSE(step) << page;
    EXPECT_THAT(step.error().ToString(), HasSubstr(why));
    // What was refused left no trace: the right page still goes in.
    EXPECT_TRUE(chain.Read(Page({"2024-01-11"}))) << page;
  }
}

std::string UrlOf(std::string_view table, const std::string& ticker = "ALL_SYMBOLS") {
  return ChainOf(table, ticker).First().url.substr(std::string_view("https://api.massive.com").size());
}

TEST(PolygonRest, UrlsNameTickerAndDays) {
  EXPECT_EQ(UrlOf("grouped_daily"), "/v2/aggs/grouped/locale/us/market/stocks/2024-01-01?adjusted=false");
  EXPECT_EQ(UrlOf("aggregates_minute", "BRK/A"),
            "/v2/aggs/ticker/BRK%2FA/range/1/minute/2024-01-01/2024-01-31?adjusted=false&sort=asc&limit=50000");
  EXPECT_EQ(UrlOf("ticker_events", "KIMpL"), "/vX/reference/tickers/KIMpL/events");
  EXPECT_EQ(UrlOf("market_holidays"), "/v1/marketstatus/upcoming");
}

constexpr int64_t kFirstBar = 1'704'171'600'000;  // 2024-01-02T05:00:00Z: midnight in New York

std::string Bars(const std::vector<int64_t>& times, const std::string& more = "") {
  std::string rows;
  for (const int64_t ms : times) rows += fmt::format(R"({}{{"t":{},"c":1.5}})", rows.empty() ? "" : ",", ms);
  return fmt::format(R"({{"status":"OK","ticker":"A","adjusted":false,"resultsCount":{},"results":[{}]{}}})",
                     times.size(), rows, more);
}

TEST(PolygonRest, BarsAreOfTheirDayInNewYork) {
  constexpr int64_t kHour = 3'600'000;
  EXPECT_TRUE(ChainOf("aggregates_hour", "A").Read(Bars({kFirstBar, kFirstBar + kHour})));
  // The evening of the last day is the next month by UTC; an hour later it is the next day.
  EXPECT_TRUE(ChainOf("aggregates_hour", "A").Read(Bars({kFirstBar + 29 * 24 * kHour + 23 * kHour})));
  for (const auto& [page, why] : std::vector<std::pair<std::string, std::string>>{
           {Bars({kFirstBar + 30 * 24 * kHour}), "a row of 2024-02-01, which was not asked for"},
           {Bars({kFirstBar + 24 * kHour, kFirstBar}), "a row of 2024-01-02 after one of 2024-01-03"},
           {Bars({INT64_MAX}), "a row without a day in 't'"},
           {R"({"status":"OK","ticker":"a","resultsCount":0})", "of another ticker"},
           {R"({"status":"OK","ticker":"A","resultsCount":1,"results":[]})", "fewer or more rows"},
           {R"({"status":"OK","ticker":"A","adjusted":true,"resultsCount":0})", "adjusted for splits"}}) {
    const auto step = ChainOf("aggregates_hour", "A").Read(page);
    ASSERT_FALSE(step) << page;
    EXPECT_THAT(step.error().ToString(), HasSubstr(why));
  }
}

TEST(PolygonRest, BarsGoOnFromAnotherInstant) {
  const auto next_of = [](const std::string& path) {
    return ChainOf("aggregates_day", "A")
        .Read(Bars({kFirstBar}, fmt::format(R"(,"next_url":"https://api.polygon.io{}?cursor=x")", path)));
  };
  EXPECT_EQ(next_of("/v2/aggs/ticker/A/range/1/day/1704258000000/2024-01-31").value().next->url,
            "https://api.massive.com/v2/aggs/ticker/A/range/1/day/1704258000000/2024-01-31?cursor=x");
  EXPECT_FALSE(next_of("/v2/aggs/ticker/AA/range/1/day/1704258000000/2024-01-31"));
  EXPECT_FALSE(next_of("/v2/aggs/ticker/A/range/1/minute/1704258000000/2024-01-31"));
}

TEST(PolygonRest, BothListsOfTickersMustEnd) {
  const auto page = [](const std::string& ticker, const std::string& cursor) {
    const std::string next = "https://api.massive.com/v3/reference/tickers?cursor=" + cursor;
    return fmt::format(R"({{"status":"OK","results":[{{"ticker":"{}"}}]{}}})", ticker,
                       cursor.empty() ? "" : fmt::format(R"(,"next_url":"{}")", next));
  };
  RestChain chain = ChainOf("tickers");
  EXPECT_THAT(chain.First().url, HasSubstr("active=true"));
  EXPECT_THAT(chain.Read(page("A", "1")).value().next->url, HasSubstr("cursor=1"));
  EXPECT_THAT(chain.Read(page("B", "")).value().next->url, HasSubstr("active=false"));
  EXPECT_FALSE(chain.Read(page("B", "")));  // the first list's page again
  EXPECT_THAT(chain.Read(page("X", "2")).value().next->url, HasSubstr("cursor=2"));
  EXPECT_FALSE(chain.Read(page("Y", "")).value().next);
  EXPECT_EQ(chain.rows(), 4);
}

TEST(PolygonRest, AnswersOfOtherForms) {
  EXPECT_FALSE(ChainOf("market_holidays").Read(R"([{"date":"2024-03-29"}])").value().next);
  EXPECT_FALSE(ChainOf("market_holidays").Read(R"({"status":"OK","results":[]})"));
  EXPECT_FALSE(ChainOf("exchanges").Read("[]"));
  RestChain events = ChainOf("ticker_events", "A");
  EXPECT_FALSE(events.Read(R"({"status":"OK","results":{"name":"A","events":[{"date":"2024-03-29"}]}})").value().next);
  EXPECT_EQ(events.rows(), 1);
  EXPECT_FALSE(ChainOf("ticker_events", "A").Read(R"({"status":"OK","results":{"name":"A"}})"));
}

TEST(PolygonRest, FilesSayTheirTableAndDays) {
  const auto facts = ParseRestFileName("short_interest-2024-01-01-2024-01-31.0123456789abcdef.json.zst");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->schema, "polygon/short_interest");
  EXPECT_EQ(facts->first, At("2024-01-01"));
  EXPECT_EQ(facts->last, At("2024-01-31"));
  for (const char* name :
       {"short_interest-2024-01-01.0123456789abcdef.json.zst", "x-2024-01-01-2024-01-31.0123456789abcdef.json.zst",
        "news-2024-02-01-2024-01-31.0123456789abcdef.json.zst", "news.json.zst", "",
        "news-A-2024-01-01-2024-01-31.0123456789abcdef.json.zst",
        "aggregates_day-2024-01-01-2024-01-31.0123456789abcdef.json.zst",
        "aggregates_day--2024-01-01-2024-01-31.0123456789abcdef.json.zst",
        "aggregates_day-A%2-2024-01-01-2024-01-31.0123456789abcdef.json.zst"}) {
    EXPECT_FALSE(ParseRestFileName(name)) << name;
  }
}

TEST(PolygonRest, FilesOfATickerSayIt) {
  for (const char* ticker : {"A", "BRK/A", "O:SPX240119C04000000", "ABC-w", "%41"}) {
    const std::string name =
        RestFileName(*FindEndpoint("aggregates_day"), ticker, At("2024-01-01"), At("2024-12-31"), "0123456789abcdef");
    EXPECT_THAT(name, Not(HasSubstr("/")));
    const auto facts = ParseRestFileName(name);
    ASSERT_TRUE(facts) << name;
    EXPECT_EQ(facts->symbol, ticker);
    EXPECT_EQ(facts->schema, "polygon/aggregates_day");
    EXPECT_EQ(facts->last, At("2024-12-31"));
  }
}

}  // namespace
}  // namespace lode::source::polygon
