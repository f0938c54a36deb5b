#include "lode/lake/verify.h"

#include <sqlite3.h>

#include <atomic>
#include <random>
#include <thread>

#include "lode/lake/lake_fixture_test.h"

namespace lode::lake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class VerifyTest : public LakeFixture {
 protected:
  void SetUp() override {
    ASSERT_TRUE(PublishOnce("bars", {{"a/data.parquet", "aaaa"}, {"b/data.parquet", "bbbb"}}, "one"));
    ASSERT_TRUE(PublishOnce("bars", {{"b/data.parquet", "BBBBB"}}, "two"));
    ASSERT_TRUE(PublishOnce("bars", {{"c/data.parquet", "c"}}, "three"));
  }

  std::string OneFinding() const {
    const auto findings = Findings();
    return findings.size() == 1 ? findings[0] : fmt::format("{} findings", findings.size());
  }
};

TEST_F(VerifyTest, FindsEverySingleFlippedBit) {
  std::vector<fs::path> files;
  for (const char* layer : {"receipts", "landing", "bronze"}) {
    const auto listed = store::List(paths_.root / layer).value();
    for (const store::FileInfo& file : listed) files.push_back(paths_.root / layer / file.path);
  }
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  for (const fs::path& file : files) {
    const std::string good = store::ReadFile(file, 1 << 20).value();
    // All bits of small files, some of receipts.
    for (size_t i = 0; i < std::min<size_t>(good.size() * 8, 40); ++i) {
      const size_t bit = good.size() * 8 <= 40 ? i : random() % (good.size() * 8);
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_TRUE(store::WriteDurable(file, bad));
      const auto report = Verify(paths_, {});
      ASSERT_TRUE(report);
      ASSERT_TRUE(report->damaged()) << file << " bit " << bit;
    }
    ASSERT_TRUE(store::WriteDurable(file, good));
  }
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(VerifyTest, NamesWhatIsGone) {
  fs::remove(paths_.bronze("bars") / "a/data.parquet");
  EXPECT_EQ(OneFinding(), "damage bronze/bars/a/data.parquet: gone");
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "a/data.parquet", "aaaa"));
  fs::remove(paths_.landing("bars") / "files/two");
  EXPECT_EQ(OneFinding(), "damage landing/bars/files/two: gone");
}

TEST_F(VerifyTest, NamesReceiptsThatAreGone) {
  fs::rename(paths_.receipts("bars") / "00000002.json", paths_.root / "aside");
  EXPECT_THAT(Findings(), Contains("damage receipts/bars/00000002.json: gone"));
  fs::rename(paths_.root / "aside", paths_.receipts("bars") / "00000002.json");
  // The last one leaves no gap; the ledger and the files tell.
  fs::remove(paths_.receipts("bars") / "00000003.json");
  EXPECT_THAT(Findings(), Contains("damage bronze/bars/c/data.parquet: no receipt names it"));
  EXPECT_THAT(Findings(),
              Contains(StartsWith("damage .lode/ledger.sqlite: its cell, partition, raw_file, receipt rows")));
}

TEST_F(VerifyTest, NamesWhatDoesNotBelong) {
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "extra.parquet", "x"));
  EXPECT_EQ(OneFinding(), "damage bronze/bars/extra.parquet: no receipt names it");
  fs::remove(paths_.bronze("bars") / "extra.parquet");
  fs::create_symlink(paths_.bronze("bars") / "a/data.parquet", paths_.bronze("bars") / "link.parquet");
  EXPECT_THAT(OneFinding(), StartsWith("damage bronze/bars/link.parquet: not a regular file"));
  fs::remove(paths_.bronze("bars") / "link.parquet");
  ASSERT_TRUE(store::WriteDurable(paths_.root / "bronze/x.parquet", "x"));
  EXPECT_EQ(OneFinding(), "damage bronze/x.parquet: no receipt names it");
  fs::remove(paths_.root / "bronze/x.parquet");
  ASSERT_TRUE(store::WriteDurable(paths_.landing("bars") / "notes.txt", "x"));
  EXPECT_EQ(OneFinding(), "warning landing/bars/notes.txt: no receipt names it");
  fs::remove(paths_.landing("bars") / "notes.txt");
  ASSERT_TRUE(store::WriteDurable(paths_.receipts("bars") / "notes.txt", "x"));
  EXPECT_EQ(OneFinding(), "damage receipts/bars/notes.txt: not a receipt");
  fs::remove(paths_.receipts("bars") / "notes.txt");
  // A good receipt under another number.
  fs::copy(paths_.receipts("bars") / "00000003.json", paths_.receipts("bars") / "00000004.json");
  EXPECT_THAT(OneFinding(), HasSubstr("holds receipt 3 of dataset bars"));
}

TEST_F(VerifyTest, InPlaceFilesAreCheckedToo) {
  const fs::path source = paths_.root / "elsewhere.dbn";
  ASSERT_TRUE(store::WriteDurable(source, "in place"));
  {
    auto writer = DatasetWriter::Open(paths_, "inplace").value();
    ledger::Receipt receipt;
    std::vector<StagedFile> files = Stage(writer, {{"data.parquet", "x"}}, "raw", &receipt);
    files.erase(files.begin());
    receipt.raw_files[0].in_place = true;
    receipt.raw_files[0].landed = source.string();
    receipt.raw_files[0].size = 8;
    receipt.raw_files[0].sha256 = Sha256Hex("in place");
    ASSERT_TRUE(Publish(writer, files, receipt));
    writer.DropTemporaries();
  }
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_TRUE(store::WriteDurable(source, "in plaze"));
  EXPECT_EQ(OneFinding(), fmt::format("damage {}: its bytes differ from its receipt (SHA-256)", source.string()));
}

TEST_F(VerifyTest, ComparesTheLedgerWithItsReceipts) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(paths_.ledger().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "UPDATE cell SET state = 'missing'", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_EQ(OneFinding(),
            "damage .lode/ledger.sqlite: its cell rows differ from the receipts; run `lode ledger rebuild`");
  ASSERT_TRUE(RebuildLedger(paths_));
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_TRUE(store::WriteDurable(paths_.ledger(), std::string(10'000, 'x')));
  EXPECT_THAT(OneFinding(), StartsWith("damage .lode/ledger.sqlite: "));
  ASSERT_TRUE(RebuildLedger(paths_));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(VerifyTest, TakesDatasetsByName) {
  ASSERT_TRUE(PublishOnce("trades", {{"data.parquet", "t"}}, "t"));
  fs::remove(paths_.bronze("bars") / "a/data.parquet");
  EXPECT_THAT(Findings({"trades"}), IsEmpty());
  EXPECT_EQ(Findings({"bars"}).size(), 1U);
  EXPECT_THAT(Findings({"nope"}), ElementsAre(HasSubstr("no dataset 'nope'")));
}

TEST_F(VerifyTest, APublishMeanwhileIsNotDamage) {
  std::atomic<bool> done = false;
  std::jthread publisher([&] {
    for (int i = 0; i < 40; ++i) {
      const std::string raw = fmt::format("raw {}", i);
      EXPECT_TRUE(PublishOnce("bars", {{"a/data.parquet", raw}, {fmt::format("n{}.parquet", i % 7), raw + "x"}}, raw));
    }
    done = true;
  });
  int runs = 0;
  while (!done) {
    const VerifyReport report = Verify(paths_, {}).value();
    ++runs;
    for (const Finding& finding : report.findings) {
      EXPECT_EQ(finding.severity, Finding::Severity::kWarning) << finding.path << ": " << finding.problem;
    }
  }
  EXPECT_GT(runs, 1);
  publisher.join();
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(VerifyTest, WritesNothing) {
  const std::string before = Snapshot();
  uint64_t last = 0;
  const VerifyReport report = Verify(paths_, {}, [&](uint64_t done) { last = done; }).value();
  EXPECT_FALSE(report.damaged());
  EXPECT_EQ(report.files_checked, 9);
  EXPECT_EQ(report.bytes_checked, last);
  EXPECT_EQ(Snapshot(), before);
}

TEST_F(VerifyTest, RebuildNamesUnpublishedFilesAndKeepsTheLedgerOnBadReceipts) {
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "extra.parquet", "x"));
  const std::string dump = Dump();
  const RebuildReport report = RebuildLedger(paths_).value();
  EXPECT_EQ(report.datasets, 1);
  EXPECT_EQ(report.receipts, 3);
  EXPECT_EQ(report.cells, 3);
  EXPECT_THAT(report.unpublished, ElementsAre("bronze/bars/extra.parquet"));
  EXPECT_EQ(Dump(), dump);
  ASSERT_TRUE(store::WriteDurable(paths_.receipts("bars") / "00000002.json", "{}"));
  const auto failed = RebuildLedger(paths_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(failed.error().ToString(), HasSubstr("receipts/bars/00000002.json"));
  EXPECT_EQ(Dump(), dump);
  auto writer = DatasetWriter::Open(paths_, "bars").value();
  EXPECT_EQ(RebuildLedger(paths_).error().kind, ErrorKind::kBusy);
}

}  // namespace
}  // namespace lode::lake
