#include "lode/source/polygon/rest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/schema.h"

namespace lode::source::polygon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "a-secret-key-of-the-rest-api";

Day At(std::string_view text) { return *ParseDay(text); }

RestChain ChainOf(std::string_view table = "dividends") {
  return RestChain(*FindEndpoint(table), "https://api.massive.com", "https://api.massive.com", kKey, At("2024-01-01"),
                   At("2024-01-31"));
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
    EXPECT_EQ(schema->day_column, endpoint.day);
    EXPECT_EQ(schema->merge, codec::MergeRule::kReplaceDays);
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

TEST(PolygonRest, FilesSayTheirTableAndDays) {
  const auto facts = ParseRestFileName("short_interest-2024-01-01-2024-01-31.0123456789abcdef.json.zst");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->schema, "polygon/short_interest");
  EXPECT_EQ(facts->first, At("2024-01-01"));
  EXPECT_EQ(facts->last, At("2024-01-31"));
  for (const char* name :
       {"short_interest-2024-01-01.0123456789abcdef.json.zst", "x-2024-01-01-2024-01-31.0123456789abcdef.json.zst",
        "news-2024-02-01-2024-01-31.0123456789abcdef.json.zst", "news.json.zst", ""}) {
    EXPECT_FALSE(ParseRestFileName(name)) << name;
  }
}

}  // namespace
}  // namespace lode::source::polygon
