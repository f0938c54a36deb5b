#include "lode/lake/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/store/local_disk.h"

namespace lode::lake {
namespace {

using ledger::CellState;
using testing::ElementsAre;
using testing::IsEmpty;

class ListingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lode-listing-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    paths_.root = name;
    ledger_ = ledger::Ledger::OpenInMemory().value();
  }
  void TearDown() override { fs::remove_all(paths_.root); }

  // Files of the days from 2024-01-01 on, each of 3 bytes, and a complete cell for each.
  void Publish(int days) {
    ledger::Receipt receipt{.sequence = 1, .dataset = "bars", .schema = "s", .layout = "day={day}/data.parquet"};
    for (int i = 0; i < days; ++i) {
      const Day day = ToDay({2024, 1, 1}) + i;
      const std::string path = fmt::format("day={}/data.parquet", FormatDay(day));
      fs::create_directories((paths_.bronze("bars") / path).parent_path());
      ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / path, "abc"));
      receipt.partitions.push_back({.path = path, .size = 3, .sha256 = std::string(64, 'a')});
      receipt.cells.push_back({.symbol = "A", .day = day, .state = CellState::kComplete});
      receipt.cells.push_back({.symbol = "B", .day = day, .state = CellState::kEmpty});
    }
    ASSERT_TRUE(ledger_->Commit(receipt, std::string(64, 'b'), 0));
  }

  LakePaths paths_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(ListingTest, LostPartitionsAreTheDeletedReplacedOrResizedOnes) {
  Publish(6);
  EXPECT_THAT(LostPartitions(paths_, *ledger_, "bars").value(), IsEmpty());
  fs::remove(paths_.bronze("bars") / "day=2024-01-02/data.parquet");
  fs::remove_all(paths_.bronze("bars") / "day=2024-01-03");
  ASSERT_TRUE(store::WriteDurable(paths_.bronze("bars") / "day=2024-01-04/data.parquet", "longer"));
  fs::remove(paths_.bronze("bars") / "day=2024-01-05/data.parquet");
  fs::create_symlink("../day=2024-01-06/data.parquet", paths_.bronze("bars") / "day=2024-01-05/data.parquet");
  EXPECT_THAT(LostPartitions(paths_, *ledger_, "bars").value(),
              ElementsAre("day=2024-01-02/data.parquet", "day=2024-01-03/data.parquet", "day=2024-01-04/data.parquet",
                          "day=2024-01-05/data.parquet"));
  EXPECT_THAT(LostPartitions(paths_, *ledger_, "other").value(), IsEmpty());
}

TEST_F(ListingTest, AFolderThatIsGoneIsAllLost) {
  Publish(3);
  fs::remove_all(paths_.bronze("bars"));
  EXPECT_EQ(LostPartitions(paths_, *ledger_, "bars")->size(), 3U);
}

TEST_F(ListingTest, CellsOfLostPartitionsAreMissingAndOthersAsTheyWere) {
  Publish(4);
  const ledger::DatasetRow dataset = ledger_->Datasets()->front();
  const plan::PresentCells present = ReadPresent(*ledger_, dataset, {}, {}, {"day=2024-01-02/data.parquet"}).value();
  ASSERT_EQ(present.size(), 2U);
  const Day lost = ToDay({2024, 1, 2});
  EXPECT_EQ(present[0].Find(lost)->state, CellState::kMissing);
  EXPECT_TRUE(present[0].Find(lost)->is_lost);
  EXPECT_EQ(present[0].Find(lost + 1)->state, CellState::kComplete);
  EXPECT_EQ(present[1].Find(lost)->state, CellState::kEmpty);
  EXPECT_EQ(ReadPresent(*ledger_, dataset, lost, lost, {})->size(), 2U);
  EXPECT_FALSE((*ReadPresent(*ledger_, dataset, lost, lost, {}))[0].Find(lost + 1));
}

}  // namespace
}  // namespace lode::lake
