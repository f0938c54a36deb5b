#include "lode/lake/lake_fixture_test.h"

namespace lode::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

using PublishTest = LakeFixture;

TEST_F(PublishTest, PutsFilesReceiptAndLedgerInPlace) {
  ASSERT_TRUE(PublishOnce("bars", {{"year=2023/data.parquet", "a"}, {"year=2024/data.parquet", "b"}}, "one"));
  EXPECT_THAT(Tree("bronze"),
              UnorderedElementsAre(Pair("bars/year=2023/data.parquet", "a"), Pair("bars/year=2024/data.parquet", "b")));
  EXPECT_THAT(Tree("landing"), UnorderedElementsAre(Pair("bars/files/one", "one")));
  EXPECT_EQ(Tree("receipts").count("bars/00000001.json"), 1U);
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_TRUE(PublishOnce("bars", {{"year=2024/data.parquet", "bb"}}, "two"));
  EXPECT_EQ(Tree("bronze").at("bars/year=2024/data.parquet"), "bb");
  EXPECT_EQ(Tree("receipts").size(), 2U);
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(PublishTest, OpeningWithoutWorkWritesNothing) {
  ASSERT_TRUE(PublishOnce("bars", {{"data.parquet", "a"}}, "one"));
  const std::string before = Snapshot();
  {
    ASSERT_TRUE(DatasetWriter::Open(paths_, "bars"));
  }
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_EQ(Snapshot(), before);
}

TEST_F(PublishTest, RefusesATargetThatIsNotWhatItReplaces) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(PublishOnce(writer, {{"data.parquet", "a"}}, "one"));
  const auto tree = Tree("bronze");
  ledger::Receipt receipt;
  std::vector<StagedFile> files = Stage(writer, {{"data.parquet", "b"}}, "two", &receipt);
  for (const std::string& old : {std::string(), Sha256Hex("other")}) {
    files = Stage(writer, {{"data.parquet", "b"}}, "two", &receipt);
    files[1].old_sha256 = old;
    receipt.raw_files.resize(1);
    receipt.partitions.resize(1);
    const Status refused = Publish(writer, files, receipt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(Tree("bronze"), tree);
    EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  }
  // Another size than the ledger knows: somebody replaced the file.
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "data.parquet", "longer"));
  EXPECT_EQ(PublishOnce(writer, {{"data.parquet", "b"}}, "two").error().kind, ErrorKind::kCorrupt);
  fs::remove(paths_.bronze("bars") / "data.parquet");
  EXPECT_EQ(PublishOnce(writer, {{"data.parquet", "b"}}, "two").error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(Tree("receipts"), testing::SizeIs(1));
}

TEST_F(PublishTest, ReplacesAStrangersFileWhenTold) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(PublishOnce(writer, {{"data.parquet", "a"}}, "one"));
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "data.parquet", "somebody's"));
  ledger::Receipt receipt;
  std::vector<StagedFile> files = Stage(writer, {{"data.parquet", "b"}}, "two", &receipt);
  files[1].old_sha256 = Sha256Hex("somebody's");
  ASSERT_TRUE(Publish(writer, files, receipt));
  EXPECT_EQ(Tree("bronze").at("bars/data.parquet"), "b");
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(PublishTest, TakesAFileThatIsThereAlready) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(store::MakeDirectories(paths_.landing("bars") / "files"));
  ASSERT_TRUE(store::WriteDurable(paths_.landing("bars") / "files/one", "one"));
  ASSERT_TRUE(PublishOnce(writer, {{"data.parquet", "a"}}, "one"));
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
}

TEST_F(PublishTest, RefusesPathsOutsideTheDataset) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  for (const char* target : {"bronze/other/data.parquet", "bronze/bars/../other/x", "/etc/x", ".lode/ledger.sqlite"}) {
    ledger::Receipt receipt;
    std::vector<StagedFile> files = Stage(writer, {{"data.parquet", "b"}}, "two", &receipt);
    files[1].target = target;
    EXPECT_EQ(Publish(writer, files, receipt).error().kind, ErrorKind::kCorrupt) << target;
  }
  EXPECT_THAT(Tree("bronze"), IsEmpty());
  EXPECT_THAT(Tree("landing"), IsEmpty());
}

// Step 3 fails half way: a temporary is gone when its turn comes.
TEST_F(PublishTest, FailedRenameBringsBackTheStateBefore) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  ASSERT_TRUE(PublishOnce(writer, {{"a/data.parquet", "a"}, {"b/data.parquet", "b"}}, "one"));
  const auto bronze = Tree("bronze"), landing = Tree("landing");
  const std::string dump = Dump();
  ledger::Receipt receipt;
  std::vector<StagedFile> files =
      Stage(writer, {{"a/data.parquet", "aa"}, {"b/data.parquet", "bb"}, {"c/data.parquet", "c"}}, "two", &receipt);
  files[3].temporary = files[0].temporary;
  const Status failed = Publish(writer, files, receipt);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(Tree("bronze"), bronze);
  EXPECT_EQ(Tree("landing"), landing);
  EXPECT_EQ(Dump(), dump);
  EXPECT_THAT(Findings(), IsEmpty());
  writer.DropTemporaries();
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  ASSERT_TRUE(PublishOnce(writer, {{"a/data.parquet", "aa"}}, "two"));
}

TEST_F(PublishTest, SecondWriterOfADatasetIsBusyOthersAreNot) {
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  const auto second = DatasetWriter::Open(paths_, "bars");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
  EXPECT_THAT(second.error().message, HasSubstr("dataset bars"));
  ASSERT_TRUE(PublishOnce("trades", {{"data.parquet", "t"}}, "t"));
  ASSERT_TRUE(PublishOnce(writer, {{"data.parquet", "a"}}, "one"));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(PublishTest, RefusesLakesThatLeadElsewhere) {
  ASSERT_TRUE(CreateLake(paths_));
  const fs::path outside = paths_.root / "outside";
  ASSERT_TRUE(store::MakeDirectories(outside));
  ASSERT_TRUE(store::WriteDurable(outside / "precious", "x"));
  fs::create_directory_symlink(outside, paths_.temporary() / "bars");
  EXPECT_EQ(DatasetWriter::Open(paths_, "bars").error().kind, ErrorKind::kConfig);
  EXPECT_TRUE(fs::exists(outside / "precious"));
  for (const char* name : {"", "..", "a/b", "."})
    EXPECT_EQ(DatasetWriter::Open(paths_, name).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace lode::lake
