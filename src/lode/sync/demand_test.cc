#include "lode/sync/demand.h"

#include "lode/sync/fake_supply_test.h"

namespace lode::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Ten days around a month's end, partitions of months, three symbols; nothing is there yet.
class DemandTest : public testing::Test {
 protected:
  DemandTest() {
    dataset_.name = "d";
    dataset_.schema = "ohlcv-1m";
    dataset_.stype_in = "parent";
    supply_.expectation.days = Days("2024-01-27", 10);
    supply_.expectation.listings = {{.symbol = "A.FUT"}, {.symbol = "B.FUT"}, {.symbol = "C.FUT"}};
    options_ = {.symbols = {"A.FUT", "B.FUT", "C.FUT"}, .first = DayAt("2024-01-27"), .last = DayAt("2024-02-05")};
  }

  Demand Find(std::vector<Fetched> kept = {}) {
    return FindDemand({temporary_.path()}, ledger_.get(), dataset_, layout_, supply_, options_, std::move(kept))
        .value();
  }
  static Fetched Kept(const std::string& id, plan::Request request) {
    return {.id = id, .request = std::move(request), .file = id, .size = 1, .end_ns = 0, .tries = 1};
  }
  // "month=2024-01: A,B 2024-01-27+5; kept x".
  static std::vector<std::string> Lines(const Demand& demand) {
    std::vector<std::string> lines;
    for (const Batch& batch : demand.batches) {
      std::string line = batch.partition.substr(0, batch.partition.find('/')) + ":";
      for (const plan::Request& request : batch.requests) line += " " + Short(request) + ";";
      for (const Fetched& fetched : batch.kept) line += " kept " + fetched.id;
      lines.push_back(line);
    }
    return lines;
  }
  static std::vector<std::string> Ids(const std::vector<Fetched>& fetched) {
    std::vector<std::string> ids;
    for (const Fetched& one : fetched) ids.push_back(one.id);
    return ids;
  }

  TemporaryFolder temporary_;
  std::unique_ptr<ledger::Ledger> ledger_;  // none: nothing was ever taken in
  std::unique_ptr<net::Client> client_ = net::Client::Make({}).value();
  FakeSupply supply_{*client_};
  lake::Layout layout_ = lake::Layout::Parse("month={yyyy}-{mm}/data.parquet").value();
  DatasetConfig dataset_;
  DemandOptions options_;
};

TEST_F(DemandTest, RequestsAreGroupedByPartitionTheLastOneFirst) {
  EXPECT_THAT(Lines(Find()), ElementsAre("month=2024-02: A.FUT,B.FUT,C.FUT 2024-02-01+5;",
                                         "month=2024-01: A.FUT,B.FUT,C.FUT 2024-01-27+5;"));
}

// Symptom: with {symbol} in the layout every answer was paid for and then refused, run after run.
TEST_F(DemandTest, ALayoutBySymbolAsksForOneAtATime) {
  layout_ = lake::Layout::Parse("{symbol}/month={yyyy}-{mm}/data.parquet").value();
  const Demand demand = Find();
  ASSERT_EQ(demand.batches.size(), 2u);
  for (const Batch& batch : demand.batches) {
    EXPECT_EQ(batch.requests.size(), 3u);
    for (const plan::Request& request : batch.requests) EXPECT_EQ(request.symbols.size(), 1u);
  }
}

// Of two symbols that share neither days nor dates of revision only the revised one is work, as a batch of its own.
TEST_F(DemandTest, SymbolsMayHaveDaysOfTheirOwn) {
  layout_ = lake::Layout::Parse("series={symbol}/data.parquet").value();
  supply_.expectation = {};
  for (const auto& [symbol, first, count] : {std::tuple("A.FUT", "2024-01-27", 3), {"B.FUT", "2024-02-01", 4}}) {
    supply_.expectation.more.push_back({Days(first, count), {{.symbol = symbol}}, {}});
  }
  EXPECT_THAT(Lines(Find()), ElementsAre("series=A.FUT: A.FUT 2024-01-27+3;", "series=B.FUT: B.FUT 2024-02-01+4;"));
  EXPECT_EQ(Find().expected_cells, 7);
  const Demand demand = Find({Kept("b", RequestOf({"B.FUT"}, "2024-02-01", 4))});
  EXPECT_THAT(Lines(demand), ElementsAre("series=A.FUT: A.FUT 2024-01-27+3;", "series=B.FUT: kept b"));
  // A layout without the symbol: both in one batch.
  layout_ = lake::Layout::Parse("year={yyyy}/data.parquet").value();
  EXPECT_EQ(Find().batches.size(), 1u);
  EXPECT_EQ(Find().batches.at(0).requests.size(), 2u);
}

TEST_F(DemandTest, KeptFilesAreNotAskedForAgain) {
  const Demand demand = Find({Kept("x", RequestOf({"A.FUT", "B.FUT", "C.FUT"}, "2024-01-27", 5)),
                              Kept("y", RequestOf({"B.FUT"}, "2024-02-01", 5))});
  EXPECT_THAT(Lines(demand), ElementsAre("month=2024-02: A.FUT,C.FUT 2024-02-01+5; kept y", "month=2024-01: kept x"));
  EXPECT_EQ(demand.works.at(0).cells, 10);
  EXPECT_THAT(demand.useless, IsEmpty());
}

// Fetched yesterday by a run that did not end: of a snapshot that is over, and nobody will want it.
TEST_F(DemandTest, KeptFilesOfAPastSnapshotAreUseless) {
  const Day today = DayOf(NowNs());
  options_ = {.symbols = {"A.FUT"}, .first = today, .last = today};
  supply_.expectation.days = {{.day = today}};
  supply_.expectation.is_snapshot = true;
  const plan::Request past{{"A.FUT"}, {{.day = today - 1}}};
  EXPECT_THAT(Ids(Find({Kept("x", past)}).useless), ElementsAre("x"));
  supply_.expectation.is_snapshot = false;
  EXPECT_THAT(Find({Kept("x", past)}).useless, IsEmpty());
}

TEST_F(DemandTest, TwoKeptFilesOfTheSameCellsAreOneTooMany) {
  const Demand demand = Find({Kept("x", RequestOf({"A.FUT", "B.FUT"}, "2024-02-01", 3)),
                              Kept("y", RequestOf({"B.FUT", "C.FUT"}, "2024-02-02", 3))});
  EXPECT_THAT(Ids(demand.useless), ElementsAre("y"));
}

TEST_F(DemandTest, KeptFilesOfARevisedDayAreUseless) {
  plan::Request before = RequestOf({"A.FUT"}, "2024-02-01", 5);
  before.days[2].modified = DayAt("2024-02-03");
  supply_.expectation.days[7].modified = DayAt("2024-02-20");
  EXPECT_THAT(Ids(Find({Kept("x", before)}).useless), ElementsAre("x"));
  supply_.expectation.days[7] = before.days[2];
  EXPECT_THAT(Find({Kept("x", before)}).useless, IsEmpty());
}

TEST_F(DemandTest, KeptFilesAcrossTodaysPartitionsAreUseless) {
  EXPECT_THAT(Ids(Find({Kept("x", RequestOf({"A.FUT"}, "2024-01-30", 4))}).useless), ElementsAre("x"));
}

TEST_F(DemandTest, ARefetchAsksAnewForWhatWasKept) {
  options_.refetch = true;
  const Demand demand = Find({Kept("x", RequestOf({"A.FUT", "B.FUT", "C.FUT"}, "2024-01-27", 5))});
  EXPECT_THAT(Ids(demand.useless), ElementsAre("x"));
  EXPECT_EQ(demand.works.at(0).cells, 30);
}

// Paid for, and not this run's business: neither used nor thrown away.
TEST_F(DemandTest, KeptFilesOfOtherSymbolsOrDaysWait) {
  options_.symbols = {"A.FUT", "B.FUT"};
  supply_.expectation.listings = {{.symbol = "A.FUT"}, {.symbol = "B.FUT"}};
  const Demand demand = Find({Kept("other symbol", RequestOf({"B.FUT", "C.FUT"}, "2024-02-01", 5)),
                              Kept("too early", RequestOf({"A.FUT"}, "2024-01-26", 3)),
                              Kept("too late", RequestOf({"A.FUT"}, "2024-02-05", 2)),
                              Kept("ours", RequestOf({"A.FUT"}, "2024-02-01", 5))});
  EXPECT_THAT(demand.useless, IsEmpty());
  EXPECT_THAT(Lines(demand),
              ElementsAre("month=2024-02: B.FUT 2024-02-01+5; kept ours", "month=2024-01: A.FUT,B.FUT 2024-01-27+5;"));
}

// Symptom: what a refused run had paid for was thrown away by `sync --retry-failed`.
TEST_F(DemandTest, KeptFilesAreWantedWhenOnlyFailuresAreTriedAgain) {
  options_.retry_failed_only = true;
  const Demand demand = Find({Kept("x", RequestOf({"A.FUT"}, "2024-02-01", 5))});
  EXPECT_THAT(Lines(demand), ElementsAre("month=2024-02: kept x"));
  EXPECT_THAT(demand.useless, IsEmpty());
}

// Symptom: asked for by `sync --retry-failed`, paid for, not published, and thrown away by the nightly run.
TEST_F(DemandTest, KeptFilesAreWantedAlthoughTheirCellsWereRefusedBefore) {
  ledger_ = ledger::Ledger::OpenInMemory().value();
  ledger::Receipt receipt{
      .sequence = 1, .dataset = "d", .schema = "ohlcv-1m", .layout = "month={yyyy}-{mm}/data.parquet"};
  for (int day = 0; day < 10; ++day) {
    for (const char* symbol : {"A.FUT", "B.FUT", "C.FUT"}) {
      receipt.cells.push_back({.symbol = symbol,
                               .day = DayAt("2024-01-27") + day,
                               .state = ledger::CellState::kNotEntitled,
                               .reason = "HTTP 403"});
    }
  }
  ASSERT_TRUE(ledger_->Commit(receipt, std::string(64, 'a'), 0));
  EXPECT_TRUE(Find().empty());  // not asked for again by itself
  const Demand demand = Find({Kept("x", RequestOf({"A.FUT"}, "2024-02-01", 5))});
  EXPECT_THAT(Lines(demand), ElementsAre("month=2024-02: kept x"));
  EXPECT_THAT(demand.useless, IsEmpty());
}

TEST_F(DemandTest, WhatTheVendorTellsWithoutARequestIsRecorded) {
  supply_.expectation.days.back().state = plan::VendorDay::State::kPending;
  supply_.expectation.listings = {
      {.symbol = "A.FUT"}, {.symbol = "B.FUT", .unresolved = "nobody knows it"}, {.symbol = "C.FUT"}};
  const Demand demand = Find();
  EXPECT_EQ(demand.works.at(0).cells, 18);
  std::map<std::string, int> states;
  for (const ledger::Cell& cell : demand.recorded) {
    ++states[cell.symbol + (cell.state == ledger::CellState::kPending ? " pending" : " not listed")];
  }
  EXPECT_THAT(states, UnorderedElementsAre(std::pair("A.FUT pending", 1), std::pair("B.FUT not listed", 10),
                                           std::pair("C.FUT pending", 1)));
}

}  // namespace
}  // namespace lode::sync
