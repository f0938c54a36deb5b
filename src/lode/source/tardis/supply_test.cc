#include "lode/source/tardis/supply.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "lode/base/hashing.h"
#include "lode/codec/testing/deflate.h"
#include "lode/net/testing/fetch.h"

namespace lode::source::tardis {
namespace {

using codec::fixture::Gzip;
using net::testing::Answer;
using net::testing::Connection;
using net::testing::Each;
using net::testing::ReceivedRequest;
using net::testing::ScriptServer;
using testing::HasSubstr;

const Day kDay = ToDay({2024, 1, 1});  // the first of a month: open to everybody

std::string Exchange() {
  return Answer(200,
                R"({"id":"deribit","availableSymbols":[],"datasets":{"exportedFrom":"2019-03-30T00:00:00.000Z",)"
                R"("exportedUntil":"2024-02-01T00:00:00.000Z","symbols":[{"id":"BTC-PERPETUAL","type":"perpetual",)"
                R"("availableSince":"2019-03-30T00:00:00.000Z","dataTypes":["trades"]}]},"incidentReports":[]})");
}

// About `bytes` of rows, hardly compressible.
std::string File(size_t bytes) {
  std::mt19937_64 random(1);
  std::string text = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
  while (text.size() < bytes) {
    text += fmt::format("deribit,BTC-PERPETUAL,1704067200000000,1704067200000001,{},buy,{},{}\n", random(),
                        random() % 99991, random());
  }
  return Gzip(text);
}

class TardisSupplyTest : public testing::Test {
 protected:
  TardisSupplyTest() {
    std::string name = (std::filesystem::temp_directory_path() / "lode-tardis-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    ::unsetenv("LODE_TEST_NO_KEY");
  }
  ~TardisSupplyTest() override { std::filesystem::remove_all(folder_); }

  // What becomes of a day's file where the vendor answers so once it has told of its exchange.
  FetchOutcome Fetch(ScriptServer::Script script) {
    const ScriptServer server([&script](const ReceivedRequest& request, Connection& connection) {
      if (request.target.contains("/exchanges/")) return connection.Send(Exchange());
      script(request, connection);
    });
    const auto client = net::Client::Make(net::testing::Quick()).value();
    const Config config =
        Config::Parse(fmt::format("[sources.tardis]\napi_url = \"{0}/v1\"\ndatasets_url = \"{0}/v1\"\n"
                                  "key = \"env:LODE_TEST_NO_KEY\"\n[datasets.d]\nsource = \"tardis\"\n"
                                  "exchange = \"deribit\"\ndata_type = \"trades\"\n",
                                  server.origin()),
                      "lode.toml")
            .value();
    const auto supply = OpenSupply(config, *config.FindDataset("d"), *client).value();
    EXPECT_TRUE(supply->is_free());
    const Expectation expectation = supply->Expect({"BTC-PERPETUAL"}, kDay, kDay).value();
    std::optional<FetchOutcome> outcome;
    supply->Fetch({{"BTC-PERPETUAL"}, expectation.days}, folder_ / "part",
                  [&](FetchOutcome o) { outcome = std::move(o); });
    EXPECT_TRUE(client->Run());
    ranges_.clear();
    for (const ReceivedRequest& request : server.requests()) {
      if (request.headers.contains("range")) ranges_.push_back(request.Header("range"));
    }
    return outcome.value_or(FetchOutcome{});
  }
  std::string Held() const {
    std::ifstream in(folder_ / "part", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static ScriptServer::Script BreaksOff(const std::string& file, size_t after) {
    return [file, after](const ReceivedRequest&, Connection& connection) {
      const std::string whole = Answer(200, file);
      connection.Send(std::string_view(whole).substr(0, whole.size() - file.size() + after));
      connection.Close();
    };
  }
  static ScriptServer::Script Rest(const std::string& file, size_t from) {
    return Each({Answer(206, file.substr(from),
                        {fmt::format("Content-Range: bytes {}-{}/{}", from, file.size() - 1, file.size())})});
  }

  std::filesystem::path folder_;
  std::vector<std::string> ranges_;  // asked for by the last Fetch
};

TEST_F(TardisSupplyTest, ASmallFileComesInMemoryAndALargeOneInItsFile) {
  const std::string small = File(2'000), large = File(900'000);
  const FetchOutcome in_memory = Fetch(Each({Answer(200, small)}));
  ASSERT_EQ(in_memory.kind, FetchOutcome::Kind::kFetched) << in_memory.error.ToString();
  EXPECT_EQ(in_memory.bytes, small);
  EXPECT_EQ(in_memory.size, small.size());
  EXPECT_EQ(in_memory.crc32c, Crc32c(small));
  EXPECT_EQ(in_memory.end_ns, (kDay + 1).start_ns());
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  const FetchOutcome in_file = Fetch(Each({Answer(200, large)}));
  ASSERT_EQ(in_file.kind, FetchOutcome::Kind::kFetched) << in_file.error.ToString();
  EXPECT_FALSE(in_file.bytes);
  EXPECT_EQ(in_file.size, large.size());
  EXPECT_EQ(in_file.crc32c, Crc32c(large));
  EXPECT_EQ(Held(), large);
}

TEST_F(TardisSupplyTest, WhatBrokeOffIsContinuedByTheNextRun) {
  for (const size_t rows : {size_t{2'000}, size_t{900'000}}) {
    const std::string file = File(rows);
    const size_t half = file.size() / 2;
    // Continued in the same run as often as it may be; none of these answers says where it begins.
    EXPECT_EQ(Fetch(BreaksOff(file, half)).kind, FetchOutcome::Kind::kFailed);
    EXPECT_EQ(Held(), file.substr(0, half));
    const FetchOutcome outcome = Fetch(Rest(file, half));
    ASSERT_EQ(outcome.kind, FetchOutcome::Kind::kFetched) << outcome.error.ToString();
    EXPECT_THAT(ranges_, testing::ElementsAre(fmt::format("bytes={}-", half)));
    EXPECT_EQ(outcome.crc32c, Crc32c(file));
    EXPECT_EQ(Held(), file);
    std::filesystem::remove(folder_ / "part");
  }
}

TEST_F(TardisSupplyTest, WhatIsNotTheFileIsNotLeftForTheNextRun) {
  EXPECT_EQ(Fetch(Each({Answer(200, "no gzip")})).kind, FetchOutcome::Kind::kFailed);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace lode::source::tardis
