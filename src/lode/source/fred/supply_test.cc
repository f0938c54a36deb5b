#include "lode/source/fred/supply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>

#include "lode/codec/byte_source.h"
#include "lode/net/testing/fetch.h"
#include "lode/store/local_disk.h"

namespace lode::source::fred {
namespace {

using net::testing::Answer;
using net::testing::Connection;
using net::testing::ReceivedRequest;
using net::testing::ScriptServer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kKey[] = "0123456789abcdef0123456789abcdef";

Day At(std::string_view text) { return *ParseDay(text); }

std::string Error400(std::string_view message) {
  return Answer(400, fmt::format(R"({{"error_code":400,"error_message":"Bad Request.  {}"}})", message));
}

std::string SeriesAnswer(std::string_view first = "2020-03-01", std::string_view last = "2022-02-01",
                         std::string_view updated = "2022-03-04") {
  return Answer(200, fmt::format(R"({{"seriess":[{{"id":"UNRATE","observation_start":"{}","observation_end":"{}",)"
                                 R"("last_updated":"{} 08:02:01-06"}}]}})",
                                 first, last, updated));
}

std::string VintagesAnswer(int count = 1, int offset = 0, std::string_view dates = R"("2020-04-03")") {
  return Answer(200,
                fmt::format(R"({{"count":{},"offset":{},"limit":10000,"vintage_dates":[{}]}})", count, offset, dates));
}

struct PageFacts {
  std::string start = "1776-07-04", end = "9999-12-31", first = "2020-01-01", last = "2022-12-31";
  int count = 4, offset = 0, limit = 2;
};

std::string PageAnswer(const PageFacts& facts, const std::vector<std::string>& dates) {
  std::string rows;
  for (const std::string& date : dates) {
    rows += fmt::format(R"({}{{"realtime_start":"2020-04-03","realtime_end":"9999-12-31","date":"{}","value":"1"}})",
                        rows.empty() ? "" : ",", date);
  }
  return Answer(
      200, fmt::format(R"({{"realtime_start":"{}","realtime_end":"{}","observation_start":"{}",)"
                       R"("observation_end":"{}","count":{},"offset":{},"limit":{},"observations":[{}]}})",
                       facts.start, facts.end, facts.first, facts.last, facts.count, facts.offset, facts.limit, rows));
}

std::string FirstPage() { return PageAnswer({}, {"2020-03-01", "2020-04-01"}); }
std::string SecondPage() { return PageAnswer({.offset = 2}, {"2021-01-01", "2022-02-01"}); }

class FredSupplyTest : public ::testing::Test {
 protected:
  FredSupplyTest() {
    ::setenv("LODE_TEST_FRED_KEY", kKey, 1);
    std::string name = (std::filesystem::temp_directory_path() / "lode-fred-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FredSupplyTest() override { std::filesystem::remove_all(folder_); }

  // A supply of a vendor that gives these answers in turn, the last one for ever.
  Supply& Serve(std::vector<std::string> answers) {
    server_ = std::make_unique<ScriptServer>(net::testing::Each(std::move(answers)));
    client_ = net::Client::Make(net::testing::Quick()).value();
    config_ = Config::Parse(fmt::format("[sources.fred]\nbase_url = \"{}\"\nkey = \"env:LODE_TEST_FRED_KEY\"\n"
                                        "[datasets.rates]\nsource = \"fred\"\nseries = [\"UNRATE\"]\n",
                                        server_->Url("/fred")),
                            "lode.toml")
                  .value();
    supply_ = OpenSupply(config_, *config_.FindDataset("rates"), *client_).value();
    return *supply_;
  }

  // Expects, then fetches all of it.
  FetchOutcome Fetch(Supply& supply) {
    const Expectation expectation = supply.Expect({"UNRATE"}, At("1776-07-04"), At("2024-01-01")).value();
    plan::Request request{{"UNRATE"}, expectation.more.at(0).days};
    std::optional<FetchOutcome> outcome;
    supply.Fetch(request, file(), [&](FetchOutcome o) { outcome = std::move(o); });
    EXPECT_TRUE(client_->Run());
    EXPECT_TRUE(outcome);
    return outcome.value_or(FetchOutcome{});
  }

  std::filesystem::path file() const { return folder_ / "x.part"; }
  std::string Fetched() const {
    auto bytes = codec::OpenDecompressed(file());
    if (!bytes) return bytes.error().ToString();
    std::string text(1 << 16, '\0');
    const auto size = (*bytes)->Read(std::as_writable_bytes(std::span(text)));
    return text.substr(0, size.value_or(0));
  }
  std::vector<std::string> Targets() const {
    std::vector<std::string> targets;
    for (const ReceivedRequest& request : server_->requests()) targets.push_back(request.target);
    return targets;
  }

  std::filesystem::path folder_;
  std::unique_ptr<ScriptServer> server_;
  std::unique_ptr<net::Client> client_;
  Config config_;
  std::unique_ptr<Supply> supply_;
};

TEST_F(FredSupplyTest, ACellIsAYearOfObservationsDatedByTheLastUpdate) {
  Supply& supply = Serve({SeriesAnswer()});
  const Expectation all = supply.Expect({"UNRATE"}, At("1776-07-04"), At("2024-01-01")).value();
  EXPECT_THAT(all.listings, IsEmpty());
  ASSERT_EQ(all.more.size(), 1u);
  using plan::VendorDay;
  EXPECT_THAT(all.more[0].days,
              ElementsAre(VendorDay{At("2020-01-01"), VendorDay::State::kAvailable, At("2022-03-04")},
                          VendorDay{At("2021-01-01"), VendorDay::State::kAvailable, At("2022-03-04")},
                          VendorDay{At("2022-01-01"), VendorDay::State::kAvailable, At("2022-03-04")}));
  // Asked once a run; a range cuts whole years.
  EXPECT_EQ(supply.Expect({"UNRATE"}, At("2021-06-05"), At("2021-06-06"))->more[0].days.size(), 1u);
  EXPECT_EQ(Targets().size(), 1u);
}

TEST_F(FredSupplyTest, WhatTheVendorDoesNotHaveIsNamedAndStopsNothing) {
  Supply& supply = Serve({Error400("The series does not exist.")});
  const Expectation all = supply.Expect({"COPPER", "UNRATE", "../x"}, At("1776-07-04"), At("2024-01-01")).value();
  ASSERT_EQ(all.more.size(), 3u);
  EXPECT_EQ(all.more[0].listings[0].unresolved, "FRED's ids are not names (try PCOPPUSDM)");
  EXPECT_EQ(all.more[1].listings[0].unresolved, "the vendor has no such series");
  EXPECT_EQ(all.more[2].listings[0].unresolved, "no FRED series id");
  EXPECT_EQ(Targets().size(), 2u);
}

TEST_F(FredSupplyTest, AWrongKeyEndsTheRun) {
  Supply& supply = Serve({Error400("The value for variable api_key is not registered.")});
  const auto refused = supply.Expect({"UNRATE"}, At("1776-07-04"), At("2024-01-01"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().ToString(), AllOf(HasSubstr("api_key is not registered"), Not(HasSubstr(kKey))));
}

TEST_F(FredSupplyTest, PagesFollowEachOtherIntoOneFile) {
  const FetchOutcome outcome = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), FirstPage(), SecondPage()}));
  ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
  EXPECT_EQ(outcome.end_ns, At("2023-01-01").start_ns());
  uint32_t crc32c = 0;
  EXPECT_EQ(outcome.size, store::HashLargeFile(file(), &crc32c).value().size);
  EXPECT_EQ(outcome.crc32c, crc32c);
  EXPECT_EQ(std::ranges::count(Fetched(), '\n'), 2);
  EXPECT_THAT(Fetched(), AllOf(HasSubstr("2020-03-01"), HasSubstr("2022-02-01")));
  EXPECT_THAT(Targets()[3], HasSubstr("offset=2"));
  for (const std::string& target : Targets()) EXPECT_THAT(target, HasSubstr(std::string("api_key=") + kKey));
}

TEST_F(FredSupplyTest, ASeriesWithoutVintagesIsAskedForAsItStands) {
  const FetchOutcome outcome =
      Fetch(Serve({SeriesAnswer(), Error400("The series does not exist in ALFRED but may exist in FRED."),
                   PageAnswer({.start = "2024-01-02", .end = "2024-01-02", .count = 1}, {"2020-03-01"})}));
  ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
  EXPECT_THAT(Targets()[2], Not(HasSubstr("realtime")));
}

// Sound pages, but not the ones that were asked for: asked for again, never taken.
TEST_F(FredSupplyTest, PagesThatDoNotFollowAreAskedForAgain) {
  const std::vector<std::string> wrong = {
      FirstPage(),                                                          // the page before, once more
      PageAnswer({.offset = 3}, {"2021-01-01", "2022-02-01"}),              // one left out
      PageAnswer({.count = 5, .offset = 2}, {"2021-01-01", "2022-02-01"}),  // the series changed
      PageAnswer({.offset = 2}, {"2021-01-01"}),                            // cut short
      PageAnswer({.offset = 2}, {"2020-02-01", "2020-03-01"}),              // in another order
      PageAnswer({.offset = 2}, {"2021-01-01", "2023-01-01"}),              // outside the range
      PageAnswer({.start = "2020-01-01", .offset = 2}, {"2021-01-01", "2022-02-01"}),
      PageAnswer({.last = "2021-12-31", .offset = 2}, {"2021-01-01", "2021-02-01"}),
      Answer(200, "{}"),
      Answer(200, "[]")};
  for (const std::string& page : wrong) {
    const FetchOutcome again = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), FirstPage(), page, SecondPage()}));
    EXPECT_EQ(again.kind, FetchOutcome::Kind::kFetched) << again.error.ToString();
    EXPECT_EQ(std::ranges::count(Fetched(), '\n'), 2);
    EXPECT_EQ(again.tries, 2);
    const FetchOutcome never = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), FirstPage(), page}));
    EXPECT_EQ(never.kind, FetchOutcome::Kind::kFailed) << page;
    EXPECT_THAT(never.error.ToString(), HasSubstr("not the page that was asked for"));
  }
}

TEST_F(FredSupplyTest, VintageDatesThatDoNotFollowAreAskedForAgain) {
  const std::string first = VintagesAnswer(4, 0, R"("2020-04-03","2020-05-08")"),
                    second = VintagesAnswer(4, 2, R"("2020-06-05","2020-07-02")");
  for (const std::string& wrong : {first, VintagesAnswer(4, 3, R"("2020-06-05","2020-07-02")"),
                                   VintagesAnswer(4, 2, R"("2020-05-08","2020-07-02")"),
                                   VintagesAnswer(4, 2, R"("2020-07-02","2020-06-05")"), VintagesAnswer(4, 2, "")}) {
    const FetchOutcome again = Fetch(Serve({SeriesAnswer(), first, wrong, second, FirstPage(), SecondPage()}));
    EXPECT_EQ(again.kind, FetchOutcome::Kind::kFetched) << again.error.ToString();
    EXPECT_EQ(again.tries, 2);
    EXPECT_THAT(Targets()[3], AllOf(HasSubstr("vintagedates"), HasSubstr("offset=2")));
    const FetchOutcome never = Fetch(Serve({SeriesAnswer(), first, wrong}));
    EXPECT_EQ(never.kind, FetchOutcome::Kind::kFailed) << wrong;
    EXPECT_THAT(never.error.ToString(), HasSubstr("not the page that was asked for"));
  }
}

TEST_F(FredSupplyTest, RefusalsEndARequestAsTheirWordsSay) {
  const FetchOutcome gone = Fetch(Serve({SeriesAnswer(), Error400("The series does not exist.")}));
  EXPECT_EQ(gone.kind, FetchOutcome::Kind::kSettled);
  EXPECT_EQ(gone.state, ledger::CellState::kNotListed);
  const FetchOutcome key = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), Error400("Variable api_key is not set.")}));
  EXPECT_EQ(key.kind, FetchOutcome::Kind::kStop);
  EXPECT_EQ(key.error.kind, ErrorKind::kRefused);
  const FetchOutcome other = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), Error400("Something else.")}));
  EXPECT_EQ(other.kind, FetchOutcome::Kind::kFailed);
  EXPECT_THAT(other.error.message, HasSubstr("Something else"));
  const FetchOutcome slow = Fetch(Serve({SeriesAnswer(), VintagesAnswer(), Answer(504, "")}));
  EXPECT_EQ(slow.kind, FetchOutcome::Kind::kTooMuch);
}

TEST_F(FredSupplyTest, AFileIsKeptUnderTheNameOfItsSeries) {
  Supply& supply = Serve({SeriesAnswer(), VintagesAnswer(), FirstPage(), SecondPage()});
  const FetchOutcome outcome = Fetch(supply);
  const plan::Request request{{"UNRATE"}, supply.Expect({"UNRATE"}, At("1776-07-04"), At("2024-01-01"))->more[0].days};
  const files::Delivery delivery = supply.Deliver(request, file(), outcome.end_ns).value();
  const std::string& name = delivery.data.at(0).name;
  EXPECT_THAT(name, ::testing::MatchesRegex("UNRATE\\.observations\\.[0-9a-f]+\\.json\\.zst"));
  EXPECT_EQ(ParseFileName(name)->symbol, "UNRATE");
  EXPECT_EQ(ParseFileName(name)->schema, "fred/observations");
  EXPECT_FALSE(ParseFileName("observations.json.zst"));
  EXPECT_FALSE(ParseFileName("UNRATE.observations.json"));
  EXPECT_EQ(delivery.conditions.size(), 3u);
  EXPECT_THAT(delivery.query->json, Not(HasSubstr(kKey)));
}

}  // namespace
}  // namespace lode::source::fred
