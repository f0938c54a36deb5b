#include "lode/source/tardis/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace lode::source::tardis {
namespace {

using testing::ElementsAre;

constexpr std::string_view kTerms = R"([
 {"id":"BTC-29MAR24-50000-C","datasetId":"BTC-29MAR24-50000-C","exchange":"deribit","baseCurrency":"BTC","quoteCurrency":"USD",
  "type":"option","active":false,"availableSince":"2023-10-01T00:00:00.000Z","expiry":"2024-03-29T08:00:00.000Z",
  "priceIncrement":0.0005 ,"amountIncrement":0.1,"minTradeAmount":1e-1,"makerFee":0.0003,"takerFee":0.0003,"inverse":true,
  "contractType":"call_option","contractMultiplier":1,"strikePrice":50000,"optionType":"call",
  "changes":[{"until":"2023-12-01","priceIncrement":0.001}]},
 {"id":"BTC_USDC","baseCurrency":"BTC","quoteCurrency":"USDC","type":"spot","priceIncrement":null,"settlementCurrency":"X"}])";

// Feeds a body in pieces; what was visited, in few letters.
struct Visited {
  Status status = Ok();
  std::vector<std::string> terms;
};
Visited Read(std::string_view text, size_t step) {
  Visited visited;
  TermsBody body([&](const Terms& terms) {
    visited.terms.push_back(fmt::format("{} {}/{} {} {} {} tick {} min {} strike {} x {}", terms.id, terms.base,
                                        terms.quote, terms.settlement, terms.contract_type, terms.option_type,
                                        terms.tick, terms.min_size, terms.strike, terms.multiplier.value_or(-1)));
    return Ok();
  });
  visited.status = body.Begin({}, 0);
  for (size_t at = 0; at < text.size() && visited.status; at += step) {
    visited.status = body.Write(std::as_bytes(std::span(text.substr(at, step))));
  }
  if (visited.status) visited.status = body.End();
  return visited;
}

TEST(TardisTerms, NumbersAreKeptAsTheyWereSent) {
  for (const size_t step : {1, 17, 4000}) {
    const Visited visited = Read(kTerms, step);
    ASSERT_TRUE(visited.status) << visited.status.error().ToString();
    EXPECT_THAT(visited.terms,
                ElementsAre("BTC-29MAR24-50000-C BTC/USD  call_option call tick 0.0005 min 1e-1 strike 50000 x 1",
                            "BTC_USDC BTC/USDC X   tick  min  strike  x -1"));
  }
  EXPECT_TRUE(Read("[]", 1).status);
}

TEST(TardisTerms, WhatIsNoListOfInstrumentsIsAskedForAgain) {
  for (const char* bad :
       {"", "{}", "[{}]", "[1]", "[{\"id\":7}]", "[{\"id\":\"A\"}", "[{\"id\":\"A\"}]]", "\"text\""}) {
    const Visited visited = Read(bad, 3);
    ASSERT_FALSE(visited.status) << bad;
    EXPECT_EQ(visited.status.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(TardisTerms, DamagedAnswersAreTakenOrAskedForAgain) {
  std::random_device device;
  const uint64_t seed = device();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    std::string text(kTerms);
    for (uint64_t n = 1 + random() % 3; n > 0; --n) text[random() % text.size()] = static_cast<char>(random());
    const Visited visited = Read(text, 1 + random() % 100);
    if (visited.status) continue;
    EXPECT_EQ(visited.status.error().kind, ErrorKind::kCorrupt) << "seed " << seed << ": " << text;
  }
}

}  // namespace
}  // namespace lode::source::tardis
