#include "lode/source/polygon/flat_file_supply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "lode/base/hashing.h"
#include "lode/net/testing/fetch.h"
#include "lode/source/polygon/flat_file.h"

namespace lode::source::polygon {
namespace {

using net::testing::Answer;
using net::testing::ScriptServer;
using testing::HasSubstr;

const Day kDay = ToDay({2024, 1, 2});
constexpr std::string_view kObject = "not looked into here";

std::string Listing(uint64_t size) {
  return Answer(200,
                fmt::format("<r><IsTruncated>false</IsTruncated><Contents>"
                            "<Key>us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz</Key><Size>{}</Size>"
                            "<LastModified>2024-01-03T16:00:00Z</LastModified><ETag>\"first\"</ETag></Contents></r>",
                            size));
}

std::string Object(std::string_view bytes, std::string_view etag = "\"first\"") {
  return Answer(200, bytes, {fmt::format("ETag: {}", etag)});
}

std::string Refusal(std::string_view code) {
  return Answer(403, fmt::format("<Error><Code>{}</Code><Message>no</Message></Error>", code));
}

class FlatFileSupplyTest : public testing::Test {
 protected:
  FlatFileSupplyTest() {
    ::setenv("LODE_TEST_S3_KEY", "a-key-of-a-test", 1);
    std::string name = (std::filesystem::temp_directory_path() / "lode-flat-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FlatFileSupplyTest() override { std::filesystem::remove_all(folder_); }

  // What becomes of the listed object where the vendor gives these answers in turn, the last one for ever.
  FetchOutcome Fetch(std::vector<std::string> answers, uint64_t size = kObject.size()) {
    answers.insert(answers.begin(), Listing(size));
    return FetchFrom(net::testing::Each(std::move(answers)));
  }
  FetchOutcome FetchFrom(ScriptServer::Script script) {
    const ScriptServer server(std::move(script));
    const auto client = net::Client::Make(net::testing::Quick()).value();
    const Config config =
        Config::Parse(fmt::format("[sources.polygon]\ns3_endpoint = \"{}\"\ns3_key_id = \"env:LODE_TEST_S3_KEY\"\n"
                                  "s3_secret = \"env:LODE_TEST_S3_KEY\"\n[datasets.daily]\nsource = \"polygon\"\n"
                                  "flat_file = \"us_stocks_sip/day_aggs_v1\"\n",
                                  server.origin()),
                      "lode.toml")
            .value();
    const auto supply = OpenFlatFiles(config, *config.FindDataset("daily"), *client).value();
    const Expectation expectation = supply->Expect({kAllSymbols}, kDay, kDay).value();
    std::optional<FetchOutcome> outcome;
    supply->Fetch({{kAllSymbols}, expectation.days}, folder_ / "part", [&](FetchOutcome o) { outcome = std::move(o); });
    EXPECT_TRUE(client->Run());
    return outcome.value_or(FetchOutcome{});
  }
  std::string Held() const {
    std::ifstream in(folder_ / "part", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(FlatFileSupplyTest, AnObjectIsTakenAsItWasListed) {
  const FetchOutcome outcome = Fetch({Object(kObject)});
  ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
  EXPECT_EQ(outcome.size, kObject.size());
  EXPECT_EQ(outcome.crc32c, Crc32c(kObject));
  EXPECT_EQ(outcome.end_ns, (kDay + 1).start_ns());
  EXPECT_EQ(outcome.bytes, kObject);
}

TEST_F(FlatFileSupplyTest, WhatCameOfASmallObjectIsContinuedByTheNextRun) {
  const auto broken = [](const net::testing::ReceivedRequest& request, net::testing::Connection& connection) {
    if (request.number == 0) return connection.Send(Listing(kObject.size()));
    const std::string whole = Object(kObject);
    connection.Send(std::string_view(whole).substr(0, whole.size() - 5));
    connection.Close();
  };
  EXPECT_EQ(FetchFrom(broken).kind, FetchOutcome::Kind::kFailed);
  EXPECT_EQ(Held(), kObject.substr(0, kObject.size() - 5));
  const FetchOutcome outcome = Fetch({Answer(206, " here", {"Content-Range: bytes 15-19/20"})});
  ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
  EXPECT_EQ(outcome.crc32c, Crc32c(kObject));
  EXPECT_FALSE(outcome.bytes);
  EXPECT_EQ(Held(), kObject);
}

TEST_F(FlatFileSupplyTest, ALargeObjectGoesIntoItsFile) {
  const std::string large(300 << 10, 'x');
  std::ofstream(folder_ / "part", std::ios::binary) << large.substr(0, 1000);  // of an earlier run
  const FetchOutcome outcome =
      Fetch({Answer(206, large.substr(1000), {"Content-Range: bytes 1000-307199/307200"})}, large.size());
  ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
  EXPECT_EQ(outcome.size, large.size());
  EXPECT_EQ(outcome.crc32c, Crc32c(large));
  EXPECT_FALSE(outcome.bytes);
  EXPECT_EQ(Held(), large);
  EXPECT_EQ(Fetch({Answer(200, large + "x")}, large.size()).kind, FetchOutcome::Kind::kFailed);
}

// A proper HTTP answer all the same.
TEST_F(FlatFileSupplyTest, AnotherSizeThanListedIsAskedForAgain) {
  for (const char* bytes : {"not looked into her", "not looked into here, and more", ""}) {
    EXPECT_EQ(Fetch({Object(bytes), Object(kObject)}).bytes, kObject);
    const FetchOutcome never = Fetch({Object(bytes)});
    EXPECT_EQ(never.kind, FetchOutcome::Kind::kFailed);
    EXPECT_THAT(never.error.ToString(), HasSubstr(std::to_string(kObject.size())));
  }
}

TEST_F(FlatFileSupplyTest, AnObjectThatWasReplacedSinceIsNotTaken) {
  const FetchOutcome outcome = Fetch({Object(kObject, "\"second\"")});
  EXPECT_EQ(outcome.kind, FetchOutcome::Kind::kFailed);
  EXPECT_THAT(outcome.error.ToString(), HasSubstr("replaced the object"));
}

TEST_F(FlatFileSupplyTest, ForbiddenIsThePlanOrTheKey) {
  const FetchOutcome plan = Fetch({Refusal("AccessDenied")});
  EXPECT_EQ(plan.kind, FetchOutcome::Kind::kSettled);
  EXPECT_EQ(plan.state, ledger::CellState::kNotEntitled);
  for (const char* code : {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}) {
    EXPECT_EQ(Fetch({Refusal(code)}).kind, FetchOutcome::Kind::kStop) << code;
  }
}

}  // namespace
}  // namespace lode::source::polygon
