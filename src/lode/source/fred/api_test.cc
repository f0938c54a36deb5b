#include "lode/source/fred/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/net/testing/fetch.h"

namespace lode::source::fred {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Day At(std::string_view text) { return *ParseDay(text); }

TEST(FredApi, WindowsHoldAtMostTheVendorsVintages) {
  EXPECT_THAT(WindowsOf({}), ElementsAre(Window{kEarliest, kLatest}));
  std::vector<Day> vintages;
  for (int i = 0; i < 2000; ++i) vintages.push_back(At("2000-01-01") + 2 * i);
  EXPECT_THAT(WindowsOf(vintages), ElementsAre(Window{kEarliest, kLatest}));
  for (int i = 2000; i < 4500; ++i) vintages.push_back(At("2000-01-01") + 2 * i);
  const std::vector<Window> windows = WindowsOf(vintages);
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows.front().start, kEarliest);
  EXPECT_EQ(windows.back().end, kLatest);
  for (size_t i = 1; i < windows.size(); ++i) {
    EXPECT_EQ(windows[i].start, windows[i - 1].end + 1);
    EXPECT_TRUE(std::ranges::binary_search(vintages, windows[i].start));
  }
  for (const Window& window : windows) {
    EXPECT_LE(std::ranges::count_if(vintages, [&](Day day) { return day >= window.start && day <= window.end; }), 2000);
  }
}

TEST(FredApi, ReadsAnswers) {
  const Series series = ParseSeries(R"({"seriess":[{"id":"GDP","observation_start":"1947-01-01","observation_end":)"
                                    R"("2024-01-01","last_updated":"2024-03-28 07:54:02-05"}]})")
                            .value();
  EXPECT_EQ(series.id, "GDP");
  EXPECT_EQ(series.first, At("1947-01-01"));
  EXPECT_EQ(series.last, At("2024-01-01"));
  EXPECT_EQ(series.last_updated, At("2024-03-28"));
  const VintagePage vintages =
      ParseVintages(R"({"count":3,"offset":1,"vintage_dates":["2024-01-25","2024-02-28"]})").value();
  EXPECT_EQ(vintages.count, 3u);
  EXPECT_EQ(vintages.offset, 1u);
  EXPECT_THAT(vintages.dates, ElementsAre(At("2024-01-25"), At("2024-02-28")));
  const ObservationPage page =
      ParseObservations(
          R"({"realtime_start":"1776-07-04","realtime_end":"9999-12-31","observation_start":"2023-01-01",)"
          R"("observation_end":"2024-12-31","count":7,"offset":5,"limit":5,"observations":[)"
          R"({"date":"2023-01-01","value":"1"},{"date":"2024-01-01","value":"."}]})")
          .value();
  EXPECT_EQ(page.rows, 2u);
  EXPECT_EQ(page.first, At("2023-01-01"));
  EXPECT_EQ(page.last, At("2024-01-01"));
  EXPECT_EQ(page.limit, 5u);
  EXPECT_EQ(ParseErrorMessage(R"({"error_code":400,"error_message":"Bad Request.  The series does not exist."})"),
            "Bad Request.  The series does not exist.");
  EXPECT_EQ(ParseErrorMessage("<html>"), "");
}

TEST(FredApi, NamesWhatIsNotAsDocumented) {
  for (const char* text :
       {"", "[]", "{", R"({"seriess":[]})", R"({"seriess":[{"id":"GDP"}]})",
        R"({"seriess":[{"id":"GDP","observation_start":"1947-01-01","observation_end":"2024-01-01"}]})",
        R"({"seriess":[{"id":"GDP","observation_start":"1947-01-01","observation_end":"1946-01-01",)"
        R"("last_updated":"2024-03-28 07:54:02-05"}]})"}) {
    EXPECT_FALSE(ParseSeries(text)) << text;
  }
  EXPECT_FALSE(ParseVintages(R"({"count":2,"offset":0,"vintage_dates":["2024-02-28","2024-01-25"]})"));
  EXPECT_FALSE(ParseVintages(R"({"count":-2,"offset":0,"vintage_dates":[]})"));
  EXPECT_FALSE(ParseObservations(R"({"count":0,"offset":0,"limit":1,"observations":[]})"));
}

TEST(FredApi, AsksWithTheKeyInTheQueryAndNowhereElse) {
  const auto client = net::Client::Make(net::testing::Quick()).value();
  const std::string key = "0123456789abcdef0123456789abcdef";
  const Api api = Api::Make(*client, "http://127.0.0.1:1/fred/", key).value();
  const net::Request request =
      api.ObservationsRequest("GDP", At("2020-01-01"), At("2020-12-31"), Window{kEarliest, kLatest}, 50);
  EXPECT_EQ(
      request.url,
      "http://127.0.0.1:1/fred/series/observations?series_id=GDP&observation_start=2020-01-01&observation_end="
      "2020-12-31&realtime_start=1776-07-04&realtime_end=9999-12-31&sort_order=asc&limit=25000&offset=50&file_type="
      "json");
  EXPECT_EQ(request.credential.kind, net::Credential::Kind::kQuery);
  EXPECT_EQ(request.credential.query_name, "api_key");
  EXPECT_EQ(request.credential.origin, "http://127.0.0.1:1");
  EXPECT_THAT(request.label, Not(HasSubstr(key)));
  EXPECT_THAT(api.ObservationsRequest("GDP", At("2020-01-01"), At("2020-12-31"), {}, 0).url,
              Not(HasSubstr("realtime")));
  EXPECT_FALSE(Api::Make(*client, "http://127.0.0.1:1/fred?x=1", key));
  EXPECT_FALSE(Api::Make(*client, "http://127.0.0.1:1/fred", ""));
}

TEST(FredApi, OnlyPlainIdsAreAskedFor) {
  for (const char* id : {"GDP", "A191RL1Q225SBEA", "x_1-2.b"}) EXPECT_TRUE(IsSeriesId(id)) << id;
  for (const char* id : {"", "a/b", "..", ".x", "A B", "A&b", "Ä"}) EXPECT_FALSE(IsSeriesId(id)) << id;
}

}  // namespace
}  // namespace lode::source::fred
