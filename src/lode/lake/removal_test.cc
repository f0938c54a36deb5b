#include "lode/lake/removal.h"

#include "lode/lake/lake_fixture_test.h"
#include "lode/lake/listing.h"
#include "lode/lake/recover.h"

namespace lode::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class RemovalTest : public LakeFixture {
 protected:
  void SetUp() override {
    ASSERT_TRUE(PublishOnce("bars", {{"a/data.parquet", "aaaa"}, {"b/data.parquet", "bbbb"}}, "one"));
    ASSERT_TRUE(PublishOnce("bars", {{"c/data.parquet", "c"}}, "two"));
  }

  // Of partition a and raw file one; both cells of a become expired.
  ledger::Receipt CleanReceipt() const {
    ledger::Receipt receipt;
    receipt.dataset = "bars";
    receipt.schema = "ohlcv-1d";
    receipt.layout = "year={yyyy}/data.parquet";
    receipt.origin = "clean";
    receipt.unit = "clean";
    receipt.removed = {{.path = "bronze/bars/a/data.parquet", .size = 4, .sha256 = Sha256Hex("aaaa")},
                       {.path = "landing/bars/files/one", .size = 3, .sha256 = Sha256Hex("one")}};
    receipt.cells = {
        {.symbol = "ZL.FUT", .day = Day{19'723}, .state = ledger::CellState::kExpired, .reason = "removed by clean"}};
    return receipt;
  }

  // What the ledger calls present is there.
  void ExpectNothingLost() const {
    const auto ledger = ledger::Ledger::OpenReadOnly(paths_.ledger()).value();
    const auto partitions = ledger->Partitions("bars").value();
    for (const ledger::PartitionRow& row : partitions) {
      EXPECT_TRUE(fs::exists(paths_.bronze("bars") / row.partition.path)) << row.partition.path;
    }
    const auto raw_files = ledger->RawFiles("bars").value();
    for (const ledger::RawFileRow& row : raw_files) {
      EXPECT_TRUE(row.removed || fs::exists(paths_.root / row.file.landed)) << row.file.landed;
    }
  }

  void ExpectRemoved() const {
    EXPECT_THAT(Tree("bronze"),
                UnorderedElementsAre(Pair("bars/b/data.parquet", "bbbb"), Pair("bars/c/data.parquet", "c")));
    EXPECT_THAT(Tree("landing"), UnorderedElementsAre(Pair("bars/files/two", "two")));
    EXPECT_FALSE(fs::exists(paths_.bronze("bars") / "a"));
    EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
    EXPECT_THAT(Findings(), IsEmpty());
    ExpectNothingLost();
    const std::string dump = Dump();
    ASSERT_TRUE(RebuildLedger(paths_));
    EXPECT_EQ(Dump(), dump);
  }
};

TEST_F(RemovalTest, RecordsThenDeletes) {
  {
    auto writer = DatasetWriter::Open(paths_, "bars").value();
    ASSERT_TRUE(PublishRemoval(writer, CleanReceipt()));
    const auto cells = writer.ledger().Cells("bars").value();
    EXPECT_EQ(cells[0].cell.state, ledger::CellState::kExpired);
    EXPECT_EQ(cells[1].cell.state, ledger::CellState::kComplete);
    EXPECT_THAT(writer.ledger().Intents("bars").value(), IsEmpty());
    EXPECT_EQ(writer.ledger().Removed("bars").value().size(), 2U);
  }
  ExpectRemoved();
}

// Kills between the steps, as the files they leave: an intent; the receipt too; the ledger's commit too; one file gone.
TEST_F(RemovalTest, OpeningFinishesWhatAKillLeft) {
  for (int step = 0; step < 4; ++step) {
    SCOPED_TRACE(step);
    fs::remove_all(paths_.root);
    SetUp();
    {
      auto writer = DatasetWriter::Open(paths_, "bars").value();
      ledger::Receipt receipt = CleanReceipt();
      receipt.sequence = 3;
      const std::string text = ledger::WriteReceipt(receipt);
      receipt = ledger::ReadReceipt(text).value();
      ASSERT_TRUE(writer.ledger().AddIntent({.dataset = "bars", .moves = {}, .receipt_text = text}));
      if (step > 0) {
        ASSERT_TRUE(store::WriteDurable(paths_.receipts("bars") / "00000003.json", text));
      }
      if (step > 1) {
        ASSERT_TRUE(writer.ledger().Commit(receipt, Sha256Hex(text), 0));
      }
      if (step > 2) fs::remove(paths_.root / receipt.removed[0].path);
    }
    // Nothing here is damage, and verification writes nothing.
    const auto findings = Findings();
    for (const std::string& finding : findings) EXPECT_THAT(finding, testing::StartsWith("warning"));
    EXPECT_EQ(findings.empty(), step == 0);
    ExpectNothingLost();
    ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
    ExpectRemoved();
  }
}

TEST_F(RemovalTest, ARunWithoutWorkFinishesToo) {
  const auto reader = ledger::Ledger::OpenReadOnly(paths_.ledger()).value();
  {
    auto writer = DatasetWriter::Open(paths_, "bars").value();
    ledger::Receipt receipt = CleanReceipt();
    receipt.sequence = 3;
    ASSERT_TRUE(
        writer.ledger().AddIntent({.dataset = "bars", .moves = {}, .receipt_text = ledger::WriteReceipt(receipt)}));
    FinishInterrupted(paths_, "bars", *reader);  // somebody is at work
    EXPECT_TRUE(fs::exists(paths_.bronze("bars") / "a/data.parquet"));
  }
  FinishInterrupted(paths_, "bars", *reader);
  ExpectRemoved();
  const std::string before = Snapshot();
  FinishInterrupted(paths_, "bars", *reader);
  EXPECT_EQ(Snapshot(), before);
  ASSERT_TRUE(store::WriteDurable(paths_.temporary() / "bars/left", "x"));
  FinishInterrupted(paths_, "bars", *reader);
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
}

TEST_F(RemovalTest, WhatComesAgainIsPresentAgain) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(PublishRemoval(writer, CleanReceipt()));
  ASSERT_TRUE(PublishOnce(writer, {{"a/data.parquet", "new"}}, "one"));
  EXPECT_THAT(writer.ledger().Removed("bars").value(), IsEmpty());
  EXPECT_EQ(writer.ledger().Cells("bars").value()[0].cell.state, ledger::CellState::kComplete);
  EXPECT_EQ(writer.ledger().Partitions("bars").value().size(), 3U);
  EXPECT_THAT(Findings(), IsEmpty());
  fs::remove(paths_.bronze("bars") / "a/data.parquet");
  EXPECT_THAT(Findings(), ElementsAre("damage bronze/bars/a/data.parquet: gone"));
}

TEST_F(RemovalTest, AFileThatIsNotWhatItWasStays) {
  ASSERT_TRUE(store::WriteDurable(paths_.landing("bars") / "files/one", "somebody's"));
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(PublishRemoval(writer, CleanReceipt()));
  EXPECT_EQ(Tree("landing").at("bars/files/one"), "somebody's");
}

TEST_F(RemovalTest, NeverLeavesTheLake) {
  const fs::path outside = paths_.root / "outside";
  ASSERT_TRUE(store::MakeDirectories(outside));
  ASSERT_TRUE(store::WriteDurable(outside / "one", "one"));
  fs::remove_all(paths_.landing("bars") / "files");
  fs::create_directory_symlink(outside, paths_.landing("bars") / "files");
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  const Status refused = PublishRemoval(writer, CleanReceipt());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(refused.error().message, HasSubstr("symbolic link"));
  EXPECT_TRUE(fs::exists(outside / "one"));
  EXPECT_TRUE(fs::exists(paths_.bronze("bars") / "a/data.parquet"));
  for (const char* path :
       {"bronze/other/data.parquet", "landing/bars/../x", "/etc/passwd", "receipts/bars/00000001.json"}) {
    ledger::Receipt receipt = CleanReceipt();
    receipt.removed = {{.path = path, .size = 1, .sha256 = Sha256Hex("x")}};
    EXPECT_EQ(PublishRemoval(writer, receipt).error().kind, ErrorKind::kCorrupt) << path;
  }
}

}  // namespace
}  // namespace lode::lake
