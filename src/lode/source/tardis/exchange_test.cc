#include "lode/source/tardis/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lode::source::tardis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kDetails = R"({"id":"deribit","name":"Deribit","enabled":true,
 "availableSince":"2019-03-30T00:00:00.000Z","availableChannels":["trades"],
 "availableSymbols":[{"id":"BTC-PERPETUAL","type":"perpetual","availableSince":"2019-03-30T00:00:00.000Z"},
   {"id":"BTC-29MAR24-50000-C","type":"option","availableSince":"2023-10-01T00:00:00.000Z",
    "availableTo":"2024-03-30T00:00:00.000Z","name":"a \"name\""}],
 "incidentReports":[{"from":"2024-02-14T03:10:00.000Z","to":"2024-02-14T03:55:00.000Z","status":"resolved"},
   {"from":"2024-03-01T00:00:00.000Z","status":"unresolved"},{"from":"yesterday"}],
 "datasets":{"formats":["csv"],"exportedFrom":"2019-03-30T00:00:00.000Z","exportedUntil":"2024-03-04T00:00:00.000Z",
   "symbols":[{"id":"OPTIONS","type":"option","availableSince":"2019-03-30T00:00:00.000Z","availableTo":null,
     "dataTypes":["trades","options_chain"]}]}})";

// Feeds a body in pieces; what was visited, as "id type since to types".
struct Visited {
  Status status = Ok();
  ExchangeInfo info;
  std::vector<std::string> available, datasets;
};
Visited Read(std::string_view text, size_t step, int tries = 1) {
  Visited visited;
  ExchangeVisitor visitor;
  const auto note = [](std::vector<std::string>& list) {
    return [&list](const SymbolInfo& symbol) {
      list.push_back(fmt::format("{} {} {} {} {}", symbol.id, symbol.type, symbol.available_since.substr(0, 10),
                                 symbol.available_to.substr(0, 10), symbol.data_types));
      return Ok();
    };
  };
  visitor.available = note(visited.available);
  visitor.dataset = note(visited.datasets);
  ExchangeBody body(visitor, [&] {
    visited.available.clear();
    visited.datasets.clear();
  });
  for (int i = 0; i < tries; ++i) {
    visited.status = body.Begin({}, 0);
    for (size_t at = 0; at < text.size() && visited.status; at += step) {
      visited.status = body.Write(std::as_bytes(std::span(text.substr(at, step))));
    }
    if (visited.status) visited.status = body.End();
  }
  visited.info = body.info();
  return visited;
}

TEST(TardisExchange, DetailsAreReadWhileTheyArriveAndOnceATry) {
  for (const size_t step : {1, 13, 5000}) {
    const Visited visited = Read(kDetails, step, 2);
    ASSERT_TRUE(visited.status) << visited.status.error().ToString();
    EXPECT_THAT(visited.available, ElementsAre("BTC-PERPETUAL perpetual 2019-03-30  ",
                                               "BTC-29MAR24-50000-C option 2023-10-01 2024-03-30 "));
    EXPECT_THAT(visited.datasets, ElementsAre("OPTIONS option 2019-03-30  trades,options_chain"));
    EXPECT_EQ(visited.info.id, "deribit");
    EXPECT_TRUE(visited.info.has_datasets);
    EXPECT_EQ(FormatIsoNs(visited.info.exported_until_ns), "2024-03-04T00:00:00.000000000Z");
    ASSERT_EQ(visited.info.incidents.size(), 2u);  // the third one says nothing
    EXPECT_EQ(FormatIsoNs(visited.info.incidents[0].to_ns), "2024-02-14T03:55:00.000000000Z");
    EXPECT_EQ(visited.info.incidents[1].to_ns, INT64_MAX);
  }
}

TEST(TardisExchange, AnExchangeMayHaveNoFiles) {
  const Visited visited = Read(R"({"id":"x","availableSymbols":[]})", 4);
  ASSERT_TRUE(visited.status);
  EXPECT_FALSE(visited.info.has_datasets);
}

TEST(TardisExchange, WhatIsNotSuchADocumentIsAskedForAgain) {
  const auto replaced = [](std::string_view what, std::string_view with) {
    std::string text(kDetails);
    text.replace(text.find(what), what.size(), with);
    return text;
  };
  for (const std::string& bad :
       {std::string(kDetails.substr(0, kDetails.size() - 1)), std::string("[]"), std::string("{}"),
        replaced(R"("id":"BTC-PERPETUAL",)", ""), replaced(R"("id":"OPTIONS")", R"("id":7)"),
        replaced(R"("exportedUntil":"2024-03-04T00:00:00.000Z")", R"("exportedUntil":"soon")"),
        replaced(R"(["trades","options_chain"])", R"("trades")"),
        replaced(R"({"id":"OPTIONS")", R"(,{"id":"OPTIONS")")}) {
    const Visited visited = Read(bad, 100);
    ASSERT_FALSE(visited.status) << bad;
    EXPECT_EQ(visited.status.error().kind, ErrorKind::kCorrupt) << visited.status.error().ToString();
  }
}

}  // namespace
}  // namespace lode::source::tardis
