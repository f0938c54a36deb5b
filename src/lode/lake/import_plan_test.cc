#include "lode/lake/import_plan.h"

#include "lode/lake/lake_fixture_test.h"

namespace lode::lake {
namespace {

using source::files::DataFile;
using source::files::Delivery;
using source::files::Discovery;

class ImportPlanTest : public LakeFixture {
 protected:
  // A vendor file on disk, of a delivery.
  void AddFile(Delivery& delivery, const std::string& folder, const std::string& name, const std::string& bytes) {
    const fs::path path = paths_.root / "vendor" / folder / name;
    fs::create_directories(path.parent_path());
    ASSERT_TRUE(store::WriteDurable(path, bytes));
    DataFile file;
    file.path = path;
    file.name = name;
    file.size = bytes.size();
    file.encoding = source::files::Encoding::kCsv;
    file.schemas = {schema_};
    delivery.data.push_back(file);
  }

  std::vector<HashedFile> Hash(const std::set<uint64_t>& known_sizes = {}) {
    auto files = HashFiles(discovery_, known_sizes);
    EXPECT_TRUE(files) << files.error().ToString();
    return files ? *files : std::vector<HashedFile>();
  }

  // Raw files of the plan's units, in order.
  std::vector<ledger::RawFile> Plan(const std::vector<HashedFile>& files, bool in_place = false,
                                    ledger::Ledger* ledger = nullptr) {
    const Layout layout = Layout::Parse(schema_->layout).value();
    const PlanRequest request{
        .paths = &paths_, .dataset = "bars", .schema = schema_, .layout = &layout, .in_place = in_place};
    auto plan = PlanDataset(request, files, ledger);
    EXPECT_TRUE(plan) << plan.error().ToString();
    std::vector<ledger::RawFile> records;
    if (!plan) return records;
    unchanged_ = plan->files_unchanged;
    for (const Unit& unit : plan->units) {
      for (const UnitFile& file : unit.files) records.push_back(file.record);
    }
    return records;
  }

  const codec::TableSchema* schema_ = codec::FindDatabentoSchema("ohlcv-1d");
  Discovery discovery_;
  int64_t unchanged_ = 0;
};

TEST_F(ImportPlanTest, OnlyAFileOfASizeNobodyHasIsHashedLater) {
  Delivery& delivery = discovery_.deliveries.emplace_back();
  AddFile(delivery, "a", "one.csv", "1");
  AddFile(delivery, "a", "two.csv", "22");
  AddFile(delivery, "a", "also_two.csv", "33");
  AddFile(delivery, "a", "known.csv", "4444");
  source::files::SideFile& side = delivery.side.emplace_back();
  side.path = delivery.data[0].path;
  side.name = "metadata.json";
  side.size = 1;
  const std::vector<HashedFile> files = Hash({4});
  ASSERT_EQ(files.size(), 5u);
  EXPECT_EQ(files[0].sha256, "");
  EXPECT_EQ(files[1].sha256, Sha256Hex("22"));
  EXPECT_EQ(files[2].sha256, Sha256Hex("33"));
  EXPECT_EQ(files[3].sha256, Sha256Hex("4444"));
  EXPECT_EQ(files[4].sha256, Sha256Hex("1")) << "side files are small and looked up by their hash";
}

TEST_F(ImportPlanTest, AFileOfAnotherDeliveryWithTheSameSizeCountsToo) {
  AddFile(discovery_.deliveries.emplace_back(), "a", "one.csv", "1");
  AddFile(discovery_.deliveries.emplace_back(), "b", "other.csv", "2");
  for (const HashedFile& file : Hash()) EXPECT_NE(file.sha256, "");
}

TEST_F(ImportPlanTest, AListedFileIsHashedBeforeAnythingIsTaken) {
  Delivery& delivery = discovery_.deliveries.emplace_back();
  AddFile(delivery, "a", "one.csv", "1");
  delivery.manifest.emplace();
  delivery.manifest->files = {{"one.csv", 1, Sha256Hex("1")}};
  EXPECT_EQ(Hash().at(0).sha256, Sha256Hex("1"));
  delivery.manifest->files[0].sha256 = Sha256Hex("2");
  const auto refused = HashFiles(discovery_, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
}

TEST_F(ImportPlanTest, AFreeLandingPathNeedsNoHash) {
  AddFile(discovery_.deliveries.emplace_back(), "a", "one.csv", "1");
  const auto records = Plan(Hash());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].landed, "landing/bars/files/one.csv");
  EXPECT_EQ(records[0].sha256, "");
}

TEST_F(ImportPlanTest, ATakenLandingPathGetsAFolderByHash) {
  AddFile(discovery_.deliveries.emplace_back(), "a", "one.csv", "1");
  const fs::path landed = paths_.root / "landing/bars/files/one.csv";
  fs::create_directories(landed.parent_path());
  ASSERT_TRUE(store::WriteDurable(landed, "another"));
  const std::string sha256 = Sha256Hex("1");
  const auto records = Plan(Hash());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].sha256, sha256);
  EXPECT_EQ(records[0].landed, "landing/bars/files-" + sha256.substr(0, 8) + "/one.csv");
}

TEST_F(ImportPlanTest, TwoFilesOfOneNameLandApart) {
  Delivery& delivery = discovery_.deliveries.emplace_back();
  AddFile(delivery, "a", "one.csv", "1");
  AddFile(delivery, "b", "one.csv", "22");
  const auto records = Plan(Hash());
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].landed, "landing/bars/files/one.csv");
  EXPECT_EQ(records[1].sha256, Sha256Hex("22"));
  EXPECT_EQ(records[1].landed, "landing/bars/files-" + Sha256Hex("22").substr(0, 8) + "/one.csv");
}

TEST_F(ImportPlanTest, TwoCopiesOfOneFileAreOne) {
  Delivery& delivery = discovery_.deliveries.emplace_back();
  AddFile(delivery, "a", "one.csv", "1");
  AddFile(delivery, "b", "one.csv", "1");
  EXPECT_EQ(Plan(Hash()).size(), 1u);
}

TEST_F(ImportPlanTest, AFileInPlaceIsAlwaysHashed) {
  AddFile(discovery_.deliveries.emplace_back(), "a", "one.csv", "1");
  const auto records = Plan(Hash(), true);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].sha256, Sha256Hex("1"));
  EXPECT_EQ(records[0].landed, discovery_.deliveries[0].data[0].path.string());
}

TEST_F(ImportPlanTest, KnownBytesAreNotPlannedAndKnownPathsAreNotFree) {
  ASSERT_TRUE(CreateLake(paths_));
  ASSERT_TRUE(PublishOnce("bars", {{"year=2024/data.parquet", "rows"}}, "known"));  // raw file "known" of these bytes
  const auto ledger = ledger::Ledger::OpenReadOnly(paths_.ledger()).value();
  Delivery& delivery = discovery_.deliveries.emplace_back();
  AddFile(delivery, "a", "again.csv", "known");
  AddFile(delivery, "a", "known", "other bytes");
  auto files = Hash({5});
  ASSERT_EQ(files[1].sha256, "");
  // The receipt's raw file has no schema of its own in this fixture: its bytes are known under that name only.
  const auto records = Plan(files, false, ledger.get());
  const auto other = std::ranges::find(records, "known", &ledger::RawFile::name);
  ASSERT_NE(other, records.end());
  EXPECT_EQ(other->sha256, Sha256Hex("other bytes"));
  EXPECT_EQ(other->landed, "landing/bars/files-" + other->sha256.substr(0, 8) + "/known");
  // What is on disk may be gone; the ledger still knows the path.
  fs::remove(paths_.root / "landing/bars/files/known");
  const auto after = Plan(files, false, ledger.get());
  EXPECT_EQ(std::ranges::find(after, "known", &ledger::RawFile::name)->landed, other->landed);
}

}  // namespace
}  // namespace lode::lake
