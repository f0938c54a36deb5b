#include "lode/ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "lode/store/local_disk.h"

namespace lode::ledger {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Receipt ReceiptWithCells(int64_t sequence, std::string dataset, int symbols, int days) {
  Receipt receipt;
  receipt.sequence = sequence;
  receipt.dataset = std::move(dataset);
  receipt.schema = "ohlcv-1d";
  receipt.layout = "year={yyyy}/data.parquet";
  receipt.origin = "file";
  receipt.unit = "some.dbn";
  for (int symbol = 0; symbol < symbols; ++symbol) {
    for (int day = 0; day < days; ++day) {
      Cell cell;
      cell.symbol = fmt::format("S{:06}", symbol);
      cell.day = Day{19'000 + day};
      cell.state = CellState::kComplete;
      cell.proof = "manifest";
      cell.rows = day;
      receipt.cells.push_back(std::move(cell));
    }
  }
  return receipt;
}

Receipt FullReceipt(int64_t sequence) {
  Receipt receipt = ReceiptWithCells(sequence, "bars", 2, 3);
  RawFile raw;
  raw.name = "a.dbn\tx";
  raw.landed = "landing/bars/files/a.dbn";
  raw.size = 7;
  raw.sha256 = std::string(64, 'a');
  raw.role = "data";
  raw.encoding = "dbn";
  raw.pretty_px = false;
  receipt.raw_files.push_back(raw);
  Partition partition;
  partition.path = "year=2024/data.parquet";
  partition.size = 9;
  partition.sha256 = std::string(64, 'b');
  partition.rows = 3;
  partition.min_key = "1";
  partition.max_key = "2";
  receipt.partitions.push_back(partition);
  receipt.cells[0].modified = Day{18'000};
  receipt.cells[1].rows.reset();
  receipt.cells[2].degraded = true;
  receipt.records = 3;
  return receipt;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    // Memory where there is some: fsync on a busy disk takes seconds.
    const fs::path memory = "/dev/shm";
    std::string name =
        (::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "lode-ledger-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    file_ = dir_ / "ledger.sqlite";
  }
  ~LedgerTest() override { fs::remove_all(dir_); }

  // Names and modification times of everything in the folder.
  std::string Snapshot() const {
    std::vector<std::string> lines;
    for (const auto& entry : fs::directory_iterator(dir_)) {
      lines.push_back(
          fmt::format("{} {}", entry.path().filename().string(), entry.last_write_time().time_since_epoch().count()));
    }
    std::ranges::sort(lines);
    return fmt::format("{}", fmt::join(lines, "\n"));
  }

  fs::path dir_, file_;
};

TEST_F(LedgerTest, KeepsWhatAReceiptSays) {
  const Receipt receipt = FullReceipt(1);
  {
    auto ledger = Ledger::Open(file_).value();
    EXPECT_EQ(ledger->NextSequence("bars").value(), 1);
    ASSERT_TRUE(ledger->Commit(receipt, "hash", 0));
  }
  auto ledger = Ledger::OpenReadOnly(file_).value();
  ASSERT_NE(ledger, nullptr);
  EXPECT_EQ(ledger->NextSequence("bars").value(), 2);
  EXPECT_EQ(ledger->NextSequence("other").value(), 1);
  ASSERT_EQ(ledger->Datasets().value().size(), 1U);
  EXPECT_EQ(ledger->Datasets().value()[0].schema, "ohlcv-1d");
  EXPECT_EQ(ledger->Receipts("bars").value()[0].sha256, "hash");
  EXPECT_EQ(ledger->RawFiles("bars").value()[0].file, receipt.raw_files[0]);
  EXPECT_EQ(ledger->Partitions("bars").value()[0].partition, receipt.partitions[0]);
  const std::vector<CellRow> cells = ledger->Cells("bars").value();
  ASSERT_EQ(cells.size(), receipt.cells.size());
  for (size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i].cell, receipt.cells[i]);
  EXPECT_EQ(ledger->Cells("bars", Day{19'001}, Day{19'001}).value().size(), 2U);
  EXPECT_TRUE(ledger->Cells("other").value().empty());
  EXPECT_FALSE(ledger->Commit(FullReceipt(2), "hash", 0));
}

TEST_F(LedgerTest, IntentsLiveUntilCommitOrDrop) {
  auto ledger = Ledger::Open(file_).value();
  Intent intent{0, "bars", {{"t1", "a", "n1", ""}, {"t2", "b", "n2", "o2"}}, "text"};
  const int64_t first = ledger->AddIntent(intent).value();
  intent.moves.clear();
  const int64_t second = ledger->AddIntent(intent).value();
  const std::vector<Intent> intents = ledger->Intents("bars").value();
  ASSERT_EQ(intents.size(), 2U);
  EXPECT_EQ(intents[0].id, first);
  ASSERT_EQ(intents[0].moves.size(), 2U);
  EXPECT_EQ(intents[0].moves[1].old_sha256, "o2");
  EXPECT_TRUE(intents[1].moves.empty());
  EXPECT_TRUE(ledger->Intents("other").value().empty());
  ASSERT_TRUE(ledger->Commit(FullReceipt(1), "hash", first));
  ASSERT_TRUE(ledger->DropIntent(second));
  EXPECT_TRUE(ledger->Intents("bars").value().empty());
}

TEST_F(LedgerTest, OneReceiptIsIndexedOnce) {
  auto ledger = Ledger::Open(file_).value();
  ASSERT_TRUE(ledger->Commit(FullReceipt(1), "hash", 0));
  const std::string before = ledger->Dump().value();
  const Status again = ledger->Commit(FullReceipt(1), "hash", 0);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(ledger->Dump().value(), before);
}

TEST_F(LedgerTest, LaterReceiptsMergeByReplaces) {
  auto ledger = Ledger::OpenInMemory().value();
  Receipt first = ReceiptWithCells(1, "bars", 1, 2);
  first.cells[1].state = CellState::kMissing;
  Receipt second = ReceiptWithCells(2, "bars", 1, 3);
  second.cells[0].state = CellState::kMissing;
  ASSERT_TRUE(ledger->Commit(first, "1", 0));
  ASSERT_TRUE(ledger->Commit(second, "2", 0));
  const std::vector<CellRow> cells = ledger->Cells("bars").value();
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(cells[0].sequence, 1);
  EXPECT_EQ(cells[0].cell.state, CellState::kComplete);
  EXPECT_EQ(cells[1].sequence, 2);
  EXPECT_EQ(cells[2].sequence, 2);
}

// Commit and rebuild give equal ledgers, whatever the order of states; the seed is printed.
TEST_F(LedgerTest, ReindexGivesAnEqualDump) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  auto ledger = Ledger::Open(file_).value();
  std::vector<StoredReceipt> stored;
  for (int64_t sequence = 1; sequence <= 20; ++sequence) {
    Receipt receipt = ReceiptWithCells(sequence, "bars", 3, 4);
    for (Cell& cell : receipt.cells) {
      cell.state = static_cast<CellState>(random() % 11);
      if (random() % 2 == 0) cell.modified = Day{static_cast<int32_t>(random() % 3)};
    }
    const std::string text = WriteReceipt(receipt);
    ASSERT_TRUE(ledger->Commit(ReadReceipt(text).value(), "h", 0));
    stored.push_back({ReadReceipt(text).value(), "h"});
  }
  ASSERT_TRUE(ledger->Commit(ReceiptWithCells(1, "other", 1, 1), "x", 0));
  const int64_t intent = ledger->AddIntent({0, "bars", {}, "text"}).value();
  const std::string before = ledger->Dump().value();
  size_t index = 0;
  const auto next = [&]() -> Result<std::optional<StoredReceipt>> {
    if (index == stored.size()) return std::nullopt;
    return stored[index++];
  };
  ASSERT_TRUE(ledger->Reindex("bars", next));
  EXPECT_EQ(ledger->Dump().value(), before);
  EXPECT_EQ(ledger->Intents("bars").value()[0].id, intent);
  // A failing source leaves the old index.
  ASSERT_FALSE(ledger->Reindex(
      "bars", []() -> Result<std::optional<StoredReceipt>> { return Fail(ErrorKind::kCorrupt, "no"); }));
  EXPECT_EQ(ledger->Dump().value(), before);
}

TEST_F(LedgerTest, OpeningWithoutWorkWritesNothing) {
  EXPECT_EQ(Ledger::OpenReadOnly(file_).value(), nullptr);
  EXPECT_EQ(Snapshot(), "");
  ASSERT_TRUE(Ledger::Open(file_).value()->Commit(FullReceipt(1), "hash", 0));
  const std::string before = Snapshot();
  {
    auto writer = Ledger::Open(file_).value();
    auto reader = Ledger::OpenReadOnly(file_).value();
    EXPECT_EQ(writer->Dump().value(), reader->Dump().value());
    EXPECT_EQ(Snapshot(), before);
  }
  EXPECT_EQ(Snapshot(), before);
}

TEST_F(LedgerTest, ReaderReadsWhileAWriterHasATransactionOpen) {
  auto writer = Ledger::Open(file_).value();
  ASSERT_TRUE(writer->Commit(FullReceipt(1), "hash", 0));
  auto reader = Ledger::OpenReadOnly(file_).value();
  bool read_inside = false;
  ASSERT_TRUE(writer->Reindex("bars", [&]() -> Result<std::optional<StoredReceipt>> {
    if (!read_inside) {
      read_inside = true;
      EXPECT_EQ(reader->Cells("bars").value().size(), 6U);
      EXPECT_EQ(Ledger::OpenReadOnly(file_).value()->Cells("bars").value().size(), 6U);
    }
    return std::nullopt;
  }));
  EXPECT_TRUE(read_inside);
  EXPECT_TRUE(reader->Cells("bars").value().empty());
}

TEST_F(LedgerTest, DamageIsNamed) {
  ASSERT_TRUE(Ledger::Open(file_).value()->Commit(ReceiptWithCells(1, "bars", 50, 50), "hash", 0));
  const std::string good = store::ReadFile(file_, 1 << 30).value();
  ASSERT_TRUE(store::WriteDurable(
      file_, "this is not a database, though it is long enough to have a header" + std::string(2000, 'x')));
  for (const auto& opened : {Ledger::OpenReadOnly(file_), Ledger::Open(file_)}) {
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(opened.error().message, HasSubstr("lode ledger rebuild"));
  }
  std::string torn = good;
  for (size_t i = 4096; i < torn.size(); ++i) torn[i] = 'x';
  ASSERT_TRUE(store::WriteDurable(file_, torn));
  const auto read_all = [&]() -> Result<std::string> {
    LODE_TRY(const std::unique_ptr<Ledger> ledger, Ledger::OpenReadOnly(file_));
    return ledger->Dump();
  };
  const Result<std::string> dump = read_all();
  ASSERT_FALSE(dump);
  EXPECT_EQ(dump.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(dump.error().message, HasSubstr("lode ledger rebuild"));
  ASSERT_TRUE(store::WriteDurable(file_, good.substr(0, good.size() / 2)));
  const auto cut = Ledger::OpenReadOnly(file_);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kCorrupt);
  ASSERT_TRUE(Ledger::Discard(file_));
  EXPECT_TRUE(Ledger::Open(file_).value()->Cells("bars").value().empty());
}

void ExecuteSql(const fs::path& file, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST_F(LedgerTest, NewerVersionIsNamed) {
  ASSERT_TRUE(Ledger::Open(file_));
  ExecuteSql(file_, "UPDATE ledger_schema SET version = 3");
  for (const auto& opened : {Ledger::OpenReadOnly(file_), Ledger::Open(file_)}) {
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(opened.error().message, HasSubstr("newer lode"));
  }
}

TEST_F(LedgerTest, AFileOfAnOlderVersionIsToBeMadeAgain) {
  ASSERT_TRUE(Ledger::Open(file_));
  ExecuteSql(file_, "UPDATE ledger_schema SET version = 1");
  for (const auto& opened : {Ledger::Open(file_).error(), Ledger::OpenReadOnly(file_).error()}) {
    EXPECT_EQ(opened.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(opened.message, testing::HasSubstr("older lode; run `lode ledger rebuild`"));
  }
}

TEST_F(LedgerTest, WhatWasRemovedIsKnownUntilItComesBack) {
  const Receipt receipt = FullReceipt(1);
  const auto ledger = Ledger::Open(file_).value();
  ASSERT_TRUE(ledger->Commit(receipt, std::string(64, 'c'), 0));
  EXPECT_FALSE(ledger->RawFiles("bars").value()[0].removed);
  Receipt clean = ReceiptWithCells(2, "bars", 0, 0);
  clean.removed = {{.path = receipt.raw_files[0].landed, .size = 7, .sha256 = std::string(64, 'a')},
                   {.path = "bronze/bars/year=2024/data.parquet", .size = 9, .sha256 = std::string(64, 'b')}};
  ASSERT_TRUE(ledger->Commit(clean, std::string(64, 'd'), 0));
  EXPECT_TRUE(ledger->RawFiles("bars").value()[0].removed);
  EXPECT_TRUE(ledger->RawFilesOf("bars", 1).value()[0].removed);
  EXPECT_TRUE(ledger->Partitions("bars")->empty());
  EXPECT_FALSE(ledger->FindPartition("bars", "year=2024/data.parquet").value());
  EXPECT_EQ(ledger->Removed("bars")->size(), 2U);
  EXPECT_TRUE(Ledger::OpenReadOnly(file_).value()->RawFiles("bars").value()[0].removed);
  Receipt again = receipt;
  again.sequence = 3;
  ASSERT_TRUE(ledger->Commit(again, std::string(64, 'e'), 0));
  EXPECT_FALSE(ledger->RawFiles("bars").value()[0].removed);
  EXPECT_TRUE(ledger->FindPartition("bars", "year=2024/data.parquet").value());
  EXPECT_TRUE(ledger->Removed("bars")->empty());
}

TEST_F(LedgerTest, ForeignDatabaseIsRefused) {
  ExecuteSql(file_, "CREATE TABLE t(a)");
  const auto opened = Ledger::Open(file_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
}

// A writer killed inside a commit leaves a hot journal. A reader must see the state before, without writing.
TEST_F(LedgerTest, ReaderSeesTheLastCommitAfterAKilledWriter) {
  ASSERT_TRUE(Ledger::Open(file_).value()->Commit(FullReceipt(1), "hash", 0));
  const std::string before = Ledger::OpenReadOnly(file_).value()->Dump().value();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    sqlite3* db = nullptr;
    // A tiny cache spills dirty pages into the database file while the transaction is open.
    if (sqlite3_open(file_.c_str(), &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA cache_size=2; PRAGMA journal_mode=TRUNCATE; BEGIN IMMEDIATE; DELETE FROM cell;"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                     "INSERT INTO cell SELECT 1, 'x' || i, i, 'missing', '', '', 0, 0, 0, 9 FROM n",
                     nullptr, nullptr, nullptr) != SQLITE_OK) {
      ::_exit(1);
    }
    if (::write(ready[1], "y", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_GT(store::FileSize(file_.string() + "-journal").value().value_or(0), 0U) << "no hot journal: the test is void";
  const std::string snapshot = Snapshot();
  EXPECT_EQ(Ledger::OpenReadOnly(file_).value()->Dump().value(), before);
  EXPECT_EQ(Snapshot(), snapshot);
  EXPECT_EQ(Ledger::Open(file_).value()->Dump().value(), before);
  EXPECT_EQ(Ledger::OpenReadOnly(file_).value()->Dump().value(), before);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(LedgerTest, WritersOfDifferentDatasetsWaitForEachOther) {
  const auto write = [&](const std::string& dataset) {
    for (int64_t sequence = 1; sequence <= 15; ++sequence) {
      auto ledger = Ledger::Open(file_);
      ASSERT_TRUE(ledger) << ledger.error().ToString();
      const auto intent = (*ledger)->AddIntent({0, dataset, {}, ""});
      ASSERT_TRUE(intent) << intent.error().ToString();
      const Status status = (*ledger)->Commit(ReceiptWithCells(sequence, dataset, 5, 5), "h", *intent);
      ASSERT_TRUE(status) << status.error().ToString();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (const char* dataset : {"a", "b", "c"}) threads.emplace_back(write, dataset);
  }
  auto ledger = Ledger::OpenReadOnly(file_).value();
  for (const char* dataset : {"a", "b", "c"}) {
    EXPECT_EQ(ledger->NextSequence(dataset).value(), 16);
    EXPECT_EQ(ledger->Cells(dataset).value().size(), 25U);
    EXPECT_TRUE(ledger->Intents(dataset).value().empty());
  }
}

TEST_F(LedgerTest, AMillionCellsReplaceAMillion) {
  constexpr int kDays = LODE_SANITIZED ? 50 : 1000;  // sanitizers take 30 times as long
  auto ledger = Ledger::Open(file_).value();
  ASSERT_TRUE(ledger->Commit(ReceiptWithCells(1, "bars", 1000, kDays), "h", 0));
  ASSERT_TRUE(ledger->Commit(ReceiptWithCells(2, "bars", 1000, kDays), "h", 0));
  EXPECT_EQ(ledger->Cells("bars").value().size(), 1000U * kDays);
}

}  // namespace
}  // namespace lode::ledger
