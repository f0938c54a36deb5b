#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "lode/base/time.h"
#include "lode/cli/declared_symbols.h"
#include "lode/cli/run_log.h"
#include "lode/cli/running.h"
#include "lode/cli/status_inventory.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Running, IsReadFromTheRunLog) {
  RunningUnit unit{.command = {}, .started_ns = {}};
  const auto take = [&](std::string_view line) { TakeLogLine(line, "nq", &unit); };
  take("2024-03-05T10:00:00.000Z info nq: 12 requests, 0.50 USD");
  EXPECT_FALSE(SecondsLeft(unit));
  take("2024-03-05T10:00:30.000Z info nq: month=2024-01/data.parquet published, 3 of 12 requests done");
  EXPECT_EQ(SecondsLeft(unit), 90);
  EXPECT_EQ(Shown({.process = 7,
                   .command = "lode sync nq",
                   .started_ns = 0,
                   .requests_done = 3,
                   .requests = 12,
                   .began_ns = 0,
                   .last_ns = 30 * kNsPerSecond}),
            "process 7 (lode sync nq) since 1970-01-01T00:00:00Z, 3 of 12 requests done, about 2 min left");
  // Another dataset's, and lines that say something else.
  take("2024-03-05T10:09:00.000Z info nq_1h: 2 of 2 requests done");
  take("2024-03-05T10:09:00.000Z info nq: day=x published, many requests done");
  take("2024-03-05T10:09:00.000Z info nq: 5 records in quarantine");
  take("nq: 1 requests, free");
  EXPECT_EQ(unit.requests, 12);
  EXPECT_EQ(unit.requests_done, 3);
  EXPECT_EQ(SecondsLeft(unit), 90);
}

class RunLogs : public testing::Test {
 protected:
  RunLogs() {
    std::string pattern = (fs::temp_directory_path() / "lode-logs-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~RunLogs() override { fs::remove_all(folder_); }
  void Make(const std::string& name) const { std::ofstream(folder_ / name) << "x\n"; }
  fs::path folder_;
};

TEST_F(RunLogs, ThatAreOldGoWithTheNextRun) {
  const int64_t now_ns = *ParseIsoNs("2024-06-30T00:00:00Z");
  for (const char* name : {"20240331T235959.999Z-sync.log", "20240401T000000.000Z-sync.log",
                           "20240629T000000.000Z-import.log", "20200101T000000.000Z-notes.txt", "mine.log"}) {
    Make(name);
  }
  EXPECT_EQ(LogTime("20240401T000000.000Z-sync.log"), *ParseIsoNs("2024-04-01T00:00:00Z"));
  PruneLogs(folder_, now_ns);
  EXPECT_THAT(LogNames(folder_),
              ElementsAre("20240401T000000.000Z-sync.log", "20240629T000000.000Z-import.log", "mine.log"));
  EXPECT_TRUE(fs::exists(folder_ / "20200101T000000.000Z-notes.txt"));
}

TEST_F(RunLogs, AreAThousandWithTheNextRuns) {
  for (int i = 0; i < 1005; ++i) Make(fmt::format("20240629T{:02}{:02}00.000Z-sync.log", i / 60, i % 60));
  PruneLogs(folder_, *ParseIsoNs("2024-06-30T00:00:00Z"));
  const std::vector<std::string> names = LogNames(folder_);
  EXPECT_EQ(names.size(), 999U);
  EXPECT_EQ(names.front(), "20240629T000600.000Z-sync.log");
}

ledger::CellRow CellOf(const std::string& symbol, const std::string& day,
                       ledger::CellState state = ledger::CellState::kComplete) {
  ledger::CellRow row;
  row.cell.symbol = symbol;
  row.cell.day = *ParseDay(day);
  row.cell.state = state;
  return row;
}

TEST(DeclaredSymbols, AreComparedWithThoseThatHaveData) {
  const Config config = *Config::Parse(R"([datasets.nq]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["NQ.FUT", "ES.FUT", "ZL", "CL.FUT"]
[datasets.all]
source = "polygon"
flat_file = "us_stocks_sip/day_aggs_v1"
)",
                                       "lode.toml");
  SymbolsWithData with_data;
  for (const ledger::CellRow& row :
       {CellOf("ES.FUT", "2024-01-02", ledger::CellState::kMissing), CellOf("NQ.FUT", "2024-01-02"),
        CellOf("NQ.FUT", "2024-01-03"), CellOf("ZL.FUT", "2024-01-02", ledger::CellState::kPartial)}) {
    with_data.Add(ledger::ViewOf(row));
  }
  EXPECT_THAT(with_data.symbols(), ElementsAre("NQ.FUT", "ZL.FUT"));
  const auto compared = CompareSymbols(config, *config.FindDataset("nq"), with_data);
  ASSERT_TRUE(compared);
  EXPECT_EQ(compared->declared, 4);
  EXPECT_THAT(compared->missing, ElementsAre("ES.FUT", "CL.FUT"));
  EXPECT_FALSE(CompareSymbols(config, *config.FindDataset("all"), with_data));
  // A file that does not say what was asked for may hold any of them.
  with_data.Add(ledger::ViewOf(CellOf("file:glbx-mdp3.ohlcv-1d", "2024-01-02")));
  EXPECT_FALSE(CompareSymbols(config, *config.FindDataset("nq"), with_data));
}

TEST(StatusInventory, CountsFilesOfASymbol) {
  const std::vector<ledger::CellRow> cells = {
      CellOf("BTC", "2024-01-02"), CellOf("BTC", "2024-01-03"), CellOf("BTC", "2024-01-04"),
      CellOf("ETH", "2024-01-02", ledger::CellState::kMissing), CellOf("SOL", "2024-01-03")};
  const auto shown = [&](const char* layout, std::map<std::string, uint64_t, std::less<>> sizes) {
    Inventory inventory("t", *lake::Layout::Parse(layout), std::move(sizes));
    for (const ledger::CellRow& row : cells) inventory.Add(ledger::ViewOf(row));
    std::vector<std::string> texts;
    for (const InventoryLine& line : inventory.Take()) {
      texts.push_back(fmt::format("{} {} {}{} {} {} {}", line.symbol, line.files, line.bytes,
                                  line.shared ? " shared" : "", FormatDay(*line.first), FormatDay(*line.last),
                                  line.place));
    }
    return texts;
  };
  EXPECT_THAT(shown("day={day}/{symbol}.parquet", {{"day=2024-01-02/BTC.parquet", 10},
                                                   {"day=2024-01-03/BTC.parquet", 20},
                                                   {"day=2024-01-03/SOL.parquet", 5}}),
              ElementsAre("BTC 2 30 2024-01-02 2024-01-03 bronze/t/",
                          "SOL 1 5 2024-01-03 2024-01-03 bronze/t/day=2024-01-03/SOL.parquet"));
  EXPECT_THAT(shown("month={yyyy}-{mm}/data.parquet", {{"month=2024-01/data.parquet", 10}}),
              ElementsAre("BTC 1 10 shared 2024-01-02 2024-01-04 bronze/t/month=2024-01/data.parquet",
                          "SOL 1 10 shared 2024-01-03 2024-01-03 bronze/t/month=2024-01/data.parquet"));
}

}  // namespace
}  // namespace lode::cli
