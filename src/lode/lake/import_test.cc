// Imports whose files change while they are read, and what an import leaves behind: the parts that a shell cannot time.
#include "lode/lake/import.h"

#include <arrow/api.h>
#include <gmock/gmock.h>

#include "lode/codec/parquet_file.h"
#include "lode/lake/lake_fixture_test.h"
#include "lode/lake/rows.h"

namespace lode::lake {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kHeader = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";

std::string Bar(int day, int close) {
  return fmt::format("2024-01-{:02}T00:00:00.000000000Z,35,1,7,1.0,9.0,1.0,{}.000000000,5,ESH4\n", day, close);
}

// Does something to the files at an instant of the import.
class Meddler : public ImportObserver {
 public:
  void OnPlan(int64_t files, uint64_t) override {
    if (files > 0) Once(on_plan);
  }
  void OnProgress(uint64_t bytes, int64_t rows) override {
    bytes_seen = bytes;
    rows_seen = rows;
    if (rows > 0) Once(on_rows);
  }
  void OnNotice(const std::string&) override {}

  std::function<void()> on_plan, on_rows;
  uint64_t bytes_seen = 0;
  int64_t rows_seen = 0;

 private:
  static void Once(std::function<void()>& action) {
    if (action) std::exchange(action, nullptr)();
  }
};

class ImportTest : public LakeFixture {
 protected:
  fs::path Write(const std::string& name, const std::string& text) {
    const fs::path path = paths_.root / "vendor" / name;
    fs::create_directories(path.parent_path());
    EXPECT_TRUE(store::WriteDurable(path, text));
    return path;
  }

  Result<ImportReport> Run(std::vector<fs::path> inputs, bool in_place = false) {
    const Config config = Config::Load({.lake = paths_.root}).value();
    const ImportRequest request{
        .paths = paths_, .config = &config, .inputs = std::move(inputs), .dataset = "bars", .in_place = in_place};
    return Import(request, meddler_);
  }

  // The import must say that the file changed, and leave nothing.
  void ExpectRefused(const Result<ImportReport>& report) {
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(report.error().ToString(), HasSubstr("the file changed while it was imported"));
    EXPECT_THAT(Tree("bronze"), IsEmpty());
    EXPECT_THAT(Tree("landing"), IsEmpty());
    EXPECT_THAT(Tree("receipts"), IsEmpty());
    EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  }

  std::string First() const { return std::string(kHeader) + Bar(2, 3) + Bar(3, 4); }
  std::string SameSize() const { return std::string(kHeader) + Bar(2, 3) + Bar(3, 5); }

  Meddler meddler_;
};

TEST_F(ImportTest, AFileThatGrowsBeforeItIsCopiedIsRefused) {
  const fs::path file = Write("bars.ohlcv-1d.csv", First());
  meddler_.on_plan = [&] { Write("bars.ohlcv-1d.csv", First() + Bar(4, 5)); };
  ExpectRefused(Run({file}));
}

TEST_F(ImportTest, AFileThatShrinksBeforeItIsCopiedIsRefused) {
  const fs::path file = Write("bars.ohlcv-1d.csv", First());
  meddler_.on_plan = [&] { Write("bars.ohlcv-1d.csv", std::string(kHeader)); };
  ExpectRefused(Run({file}));
}

TEST_F(ImportTest, AHashedFileThatChangesWithoutGrowingIsRefused) {
  // Two files of one size are hashed before they are copied.
  const fs::path one = Write("one.ohlcv-1d.csv", First()), two = Write("two.ohlcv-1d.csv", SameSize());
  meddler_.on_plan = [&] { Write("one.ohlcv-1d.csv", std::string(kHeader) + Bar(2, 3) + Bar(3, 6)); };
  ExpectRefused(Run({one, two}));
}

TEST_F(ImportTest, AFileHashedWithItsCopyIsWhatWasCopied) {
  const fs::path file = Write("bars.ohlcv-1d.csv", First());
  meddler_.on_plan = [&] { Write("bars.ohlcv-1d.csv", SameSize()); };
  ASSERT_TRUE(Run({file}));
  EXPECT_EQ(Tree("landing").begin()->second, SameSize());
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  const auto again = Run({file});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->datasets[0].files_unchanged, 1);
}

TEST_F(ImportTest, AFileInPlaceThatChangesBeforeOrWhileItIsReadIsRefused) {
  for (const bool grows : {false, true}) {
    for (const bool before : {false, true}) {
      const fs::path file = Write("bars.ohlcv-1d.csv", First());
      const auto change = [&] { Write("bars.ohlcv-1d.csv", grows ? First() + Bar(4, 5) : SameSize()); };
      // With one of its size in the import it is hashed at once, without it when the unit is planned under the lock.
      const fs::path other = Write("other.ohlcv-1d.csv", std::string(kHeader) + Bar(8, 3) + Bar(9, 4));
      (before ? meddler_.on_plan : meddler_.on_rows) = change;
      ExpectRefused(Run({file, other}, true));
    }
  }
  const fs::path file = Write("alone.ohlcv-1d.csv", First());
  meddler_.on_plan = [&] { Write("alone.ohlcv-1d.csv", First() + Bar(4, 5)); };
  ExpectRefused(Run({file}, true));
}

TEST_F(ImportTest, DuplicatesAndContradictionsOfASingleFileAreCounted) {
  std::string text = First() + Bar(3, 4);
  for (int day = 4; day < 20; ++day) text += Bar(day, 4);
  ASSERT_TRUE(store::WriteDurable(paths_.root / "lode.toml",
                                  "[datasets.bars]\nsource = \"files\"\nschema = \"ohlcv-1d\"\n"
                                  "on_bad_record = \"quarantine\"\n"));
  // 2025 holds nothing but a contradiction.
  for (const int close : {1, 2}) text += "2025" + Bar(5, close).substr(4);
  const auto report = Run({Write("bars.ohlcv-1d.csv", text)});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->datasets[0].duplicates, 1);
  EXPECT_EQ(report->datasets[0].rejected, 2);
  EXPECT_EQ(report->datasets[0].rows, 18);
  EXPECT_EQ(report->datasets[0].partitions, 1);
  EXPECT_EQ(Tree("bronze").size(), 1u);
  EXPECT_THAT(Findings(), IsEmpty());
  const auto ledger = ledger::Ledger::OpenReadOnly(paths_.ledger()).value();
  EXPECT_EQ(ledger->Partitions("bars").value().size(), 1u);
  EXPECT_EQ(ledger->Receipts("bars").value().at(0).sequence, 1);
  EXPECT_THAT(Tree("receipts").begin()->second, HasSubstr("\"duplicates\":1,"));
}

TEST_F(ImportTest, ARowThatComesLateHasTheFileDecodedAgain) {
  // More rows than a batch holds, in two partitions; one more of the first.
  std::vector<std::string> rows;
  for (const int year : {2023, 2024}) {
    for (int i = 0; i < 70'000; ++i) {
      rows.push_back(
          fmt::format("{}-01-05T00:00:00.000000000Z,35,1,{},1.0,9.0,1.0,2.000000000,5,ESH4\n", year, 10 + i));
    }
  }
  rows.push_back("2023-01-05T00:00:00.000000000Z,35,1,7,1.0,9.0,1.0,2.000000000,5,ESH4\n");
  const auto text = [&] { return std::string(kHeader) + fmt::format("{}", fmt::join(rows, "")); };
  const auto late = Run({Write("bars.ohlcv-1d.csv", text())});
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_EQ(late->datasets[0].rows, 140'001);
  EXPECT_EQ(late->datasets[0].records, 140'001);
  EXPECT_EQ(late->datasets[0].duplicates, 0);
  EXPECT_EQ(meddler_.rows_seen, 140'001) << "the pass that was given up is taken back";
  EXPECT_EQ(meddler_.bytes_seen, text().size());
  EXPECT_THAT(Tree(".lode/tmp"), IsEmpty());
  EXPECT_THAT(Findings(), IsEmpty());
  const auto bronze = Tree("bronze");
  EXPECT_EQ(bronze.size(), 2u);
  fs::remove_all(paths_.root);
  fs::create_directories(paths_.root);
  std::ranges::rotate(rows, rows.end() - 1);
  ASSERT_TRUE(Run({Write("bars.ohlcv-1d.csv", text())}));
  EXPECT_EQ(Tree("bronze"), bronze);
}

// Texts of rows that are written already give their memory to later ones: every trade must keep its own id.
TEST_F(ImportTest, TradesKeepTheirIdsHoweverMany) {
  constexpr int kTrades = 320'000;  // a row group and more, 80 MB of ids
  const auto id = [](int64_t i) { return i < 2000 ? std::to_string(i) : fmt::format("{:05}-{:0240}", i % 99'991, i); };
  std::string text =
      "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_timestamp,size,tape,"
      "trf_id,trf_timestamp\n";
  for (int i = 0; i < kTrades; ++i) {
    const int64_t time = int64_t{1'704'205'800'000'000'000} + i;
    text += fmt::format("MSFT,12,0,4,{},{},400.5,{},{},100,1,0,0\n", id(i), time, i, time);
  }
  const auto report = Run({Write("us_stocks_sip/trades_v1/2024/01/2024-01-02.csv", text)});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->datasets[0].rows, kTrades);
  const auto bronze = Tree("bronze");
  ASSERT_EQ(bronze.size(), 1u);

  const codec::TableSchema& schema = *codec::FindSchema("us_stocks_sip/trades_v1");
  codec::StringPool strings;
  ASSERT_TRUE(strings.SpillTo(paths_.root));
  const auto rows = codec::ParquetRows::Open(paths_.root / "bronze" / bronze.begin()->first, schema, &strings).value();
  const int id_column = codec::StoredSchema(schema)->GetFieldIndex("id");
  int64_t next = 0;
  while (const Batch batch = rows->Next().value()) {
    const ColumnView ids = View(*batch, id_column, codec::ColumnType::kText);
    for (uint32_t row = 0; row < batch->num_rows(); ++row, ++next) {
      ASSERT_EQ(strings.Get(ids.Int32(row)), id(next));
    }
  }
  EXPECT_EQ(next, kTrades);
}

TEST_F(ImportTest, AFileThatSomebodyPutInBronzeIsReplaced) {
  const fs::path place = paths_.root / "bronze/bars/year=2024/data.parquet";
  fs::create_directories(place.parent_path());
  ASSERT_TRUE(store::WriteDurable(place, "not ours"));
  const auto report = Run({Write("bars.ohlcv-1d.csv", First())});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->datasets[0].rows, 2);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(ImportTest, ALostPartitionThatCannotBeWrittenAgainTakesNoNewRows) {
  ASSERT_TRUE(Run({Write("bars.ohlcv-1d.csv", First())}));
  fs::remove_all(paths_.root / "bronze");
  fs::remove_all(paths_.root / "landing");
  fs::remove(paths_.root / "vendor/bars.ohlcv-1d.csv");
  const auto report = Run({Write("more.ohlcv-1d.csv", std::string(kHeader) + Bar(8, 3))});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(Tree("bronze"), IsEmpty());
}

}  // namespace
}  // namespace lode::lake
