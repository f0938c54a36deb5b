#include "lode/lake/lake_fixture_test.h"
#include "lode/lake/moves.h"

namespace lode::lake {
namespace {

using testing::IsEmpty;

class RecoverTest : public LakeFixture {
 protected:
  // A lake with one publish, and a second one staged with its intent committed: what a kill after step 2 leaves.
  void SetUp() override {
    auto writer = DatasetWriter::Open(paths_, "bars").value();
    ASSERT_TRUE(PublishOnce(writer, {{"a/data.parquet", "a"}, {"b/data.parquet", "b"}}, "one"));
    before_ = Tree("bronze");
    dump_before_ = Dump();
    ledger::Receipt receipt;
    const auto files =
        Stage(writer, {{"a/data.parquet", "aa"}, {"b/data.parquet", "bb"}, {"c/data.parquet", "c"}}, "two", &receipt);
    receipt.sequence = 2;
    intent_ = {};
    intent_.dataset = "bars";
    intent_.receipt_text = ledger::WriteReceipt(receipt);
    for (const StagedFile& file : files) {
      intent_.moves.push_back({file.temporary, file.target, file.sha256, file.old_sha256});
    }
    ASSERT_TRUE(store::WriteDurable(paths_.root / ".lode/tmp/bars/stray", "x"));
    ASSERT_TRUE(MakeTargetFolders(paths_.root, intent_.moves));
    ASSERT_TRUE(writer.ledger().AddIntent(intent_));
  }

  void MoveFirst(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      bool undoable = false;
      ASSERT_TRUE(MoveIn(paths_.root, intent_.moves[i], &undoable));
    }
  }

  void ExpectBefore() {
    EXPECT_EQ(Tree("bronze"), before_);
    EXPECT_EQ(Tree("landing").size(), 1U);
    EXPECT_EQ(Tree("receipts").size(), 1U);
    EXPECT_EQ(Dump(), dump_before_);
    ExpectClean();
  }

  void ExpectAfter() {
    EXPECT_EQ(Tree("bronze").at("bars/a/data.parquet"), "aa");
    EXPECT_EQ(Tree("bronze").at("bars/b/data.parquet"), "bb");
    EXPECT_EQ(Tree("bronze").at("bars/c/data.parquet"), "c");
    EXPECT_EQ(Tree("landing").size(), 2U);
    EXPECT_EQ(Tree("receipts").at("bars/00000002.json"), intent_.receipt_text);
    ExpectClean();
    const std::string dump = Dump();
    ASSERT_TRUE(RebuildLedger(paths_));
    EXPECT_EQ(Dump(), dump);
  }

  void ExpectClean() {
    EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
    EXPECT_THAT(Findings(), IsEmpty());
    auto writer = DatasetWriter::Open(paths_, "bars").value();
    EXPECT_THAT(writer.ledger().Intents("bars").value(), IsEmpty());
  }

  ledger::Intent intent_;
  std::map<std::string, std::string> before_;
  std::string dump_before_;
};

TEST_F(RecoverTest, RollsForwardFromEveryPoint) {
  for (size_t moved = 0; moved <= intent_.moves.size(); ++moved) {
    if (moved > 0) {
      fs::remove_all(paths_.root);
      SetUp();
    }
    SCOPED_TRACE(fmt::format("after {} moves", moved));
    MoveFirst(moved);
    // Verification calls this unfinished, not damaged, and leaves it alone.
    for (const std::string& finding : Findings()) EXPECT_TRUE(finding.starts_with("warning")) << finding;
    ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
    ExpectAfter();
  }
}

TEST_F(RecoverTest, ReceiptThereMeansOver) {
  MoveFirst(intent_.moves.size());
  ASSERT_TRUE(store::WriteDurable(paths_.root / "receipts/bars/00000002.json", intent_.receipt_text));
  fs::remove_all(paths_.temporary());
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  ExpectAfter();
}

TEST_F(RecoverTest, RollsBackWhenATemporaryIsGone) {
  for (size_t moved = 0; moved < intent_.moves.size(); ++moved) {
    if (moved > 0) {
      fs::remove_all(paths_.root);
      SetUp();
    }
    SCOPED_TRACE(fmt::format("after {} moves", moved));
    MoveFirst(moved);
    fs::remove(paths_.root / intent_.moves.back().temporary);
    ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
    ExpectBefore();
  }
}

TEST_F(RecoverTest, RollsBackWhenATemporaryIsDamaged) {
  ASSERT_TRUE(store::WriteDurable(paths_.root / intent_.moves[2].temporary, "half writ"));
  MoveFirst(2);
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  ExpectBefore();
}

TEST_F(RecoverTest, RollsBackWhenSomebodyChangedATarget) {
  MoveFirst(1);
  ASSERT_TRUE(store::WriteDurable(paths_.root / "bronze/bars/b/data.parquet", "mine"));
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  EXPECT_EQ(Tree("bronze").at("bars/b/data.parquet"), "mine");
  EXPECT_EQ(Tree("bronze").at("bars/a/data.parquet"), "a");
  EXPECT_EQ(Tree("landing").size(), 1U);
}

TEST_F(RecoverTest, LeavesWhatCannotBeDecidedForVerify) {
  MoveFirst(2);
  fs::remove_all(paths_.temporary());
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  EXPECT_EQ(Tree("bronze").at("bars/a/data.parquet"), "aa");
  EXPECT_EQ(Tree("bronze").at("bars/b/data.parquet"), "b");
  EXPECT_EQ(Findings().size(), 1U);
}

TEST_F(RecoverTest, RebuildFinishesIntentsFirst) {
  MoveFirst(2);
  ASSERT_TRUE(RebuildLedger(paths_));
  EXPECT_EQ(Tree("receipts").size(), 2U);
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  ExpectAfter();
}

TEST_F(RecoverTest, IntentsOfAStrangerStayInTheLake) {
  auto ledger = ledger::Ledger::Open(paths_.ledger()).value();
  ASSERT_TRUE(ledger->DropIntent(ledger->Intents("bars").value()[0].id));
  intent_.moves[0].target = "bronze/bars/../../../outside";
  ASSERT_TRUE(ledger->AddIntent(intent_));
  ledger.reset();
  const auto writer = DatasetWriter::Open(paths_, "bars");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorKind::kCorrupt);
  // A rebuild gets rid of it.
  ASSERT_TRUE(RebuildLedger(paths_));
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(LakeFixture, ADeletedLedgerIsMadeAgainByTheNextWriter) {
  for (const char* raw : {"1", "2", "3"}) ASSERT_TRUE(PublishOnce("bars", {{"data.parquet", raw}}, raw));
  ASSERT_TRUE(PublishOnce("trades", {{"data.parquet", "t"}}, "t"));
  const std::string dump = Dump();
  fs::remove(paths_.ledger());
  EXPECT_THAT(Findings(), testing::ElementsAre("warning .lode/ledger.sqlite: not there; run `lode ledger rebuild`"));
  ASSERT_TRUE(PublishOnce("bars", {{"data.parquet", "4"}}, "4"));
  ASSERT_TRUE(DatasetWriter::Open(paths_, "trades"));
  EXPECT_EQ(Tree("receipts").count("bars/00000004.json"), 1U);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(LakeFixture, AReceiptThatIsGoneStopsTheWriter) {
  for (const char* raw : {"1", "2", "3"}) ASSERT_TRUE(PublishOnce("bars", {{"data.parquet", raw}}, raw));
  fs::remove(paths_.receipts("bars") / "00000002.json");
  const auto writer = DatasetWriter::Open(paths_, "bars");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(writer.error().message, testing::HasSubstr("receipts/bars/00000002.json is gone"));
  ASSERT_TRUE(RebuildLedger(paths_));
  ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
}

}  // namespace
}  // namespace lode::lake
