#include "lode/lake/unit_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "lode/codec/parquet_file.h"
#include "lode/lake/testing/rows_fixture.h"

namespace lode::lake {
namespace {

namespace fs = std::filesystem;
using testing::BarRow;
using testing::Bars;
using ::testing::IsEmpty;
using testing::MakeBars;

constexpr uint64_t kAmple = uint64_t{1} << 40;
constexpr int64_t kPartitionUs = 1000;  // of the rows' times, in these tests

// A partition file, however it came about.
struct FileFacts {
  std::string sha256;
  int64_t rows = 0;
  std::string min_key, max_key;
  int64_t duplicates = 0;
  bool operator==(const FileFacts&) const = default;
};

struct Way {
  std::string name;
  bool may_write = true, one_file = false;
  uint64_t sorter_bytes = kAmple;
};
const Way kSorter{"sorter", false};
const Way kSpilling{"spilling sorter", false, false, 1};
const Way kHeldBack{"held back, files of a unit", true, false};
const Way kEarly{"early, a single file", true, true};
const Way kDirect{"direct", true, false, 1};
const Way kDirectOneFile{"direct, a single file", true, true, 1};

struct Outcome {
  std::map<std::string, FileFacts> files;
  std::vector<std::pair<int64_t, std::string>> conflicts;  // source row, key; sorted
  bool restarted = false;
  size_t direct = 0;  // partitions written while rows came
};

std::string PartitionOf(const BarRow& row) { return "p" + std::to_string(row.ts_us / kPartitionUs); }

class UnitRowsTest : public ::testing::Test {
 protected:
  UnitRowsTest() {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "lode-unit-rows-XXXXXX");
    folder_ = ::mkdtemp(name.data());
  }
  ~UnitRowsTest() override { fs::remove_all(folder_); }

  UnitRowsOptions Options(const Way& way) {
    return {.dataset = "bars",
            .temporary_dir = folder_,
            .sorter_bytes = way.sorter_bytes,
            .one_file = way.one_file,
            .may_write = [way](const std::string&) -> Result<bool> { return way.may_write; }};
  }

  // Numbers the rows as the decoder would, and adds them in batches that neither partitions nor `batch_rows` cross.
  void AddAll(UnitRows& unit, std::vector<BarRow> rows, size_t batch_rows) {
    const int32_t file = strings_.Intern("bars.csv").value();
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].source_file = file;
      rows[i].source_row = static_cast<int64_t>(i);
    }
    for (size_t first = 0; first < rows.size() && !unit.out_of_order();) {
      size_t end = first + 1;
      while (end < rows.size() && end - first < batch_rows && PartitionOf(rows[end]) == PartitionOf(rows[first])) ++end;
      const std::vector<BarRow> part(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                     rows.begin() + static_cast<std::ptrdiff_t>(end));
      ASSERT_TRUE(unit.Add(PartitionOf(rows[first]), MakeBars(part, strings_)));
      first = end;
    }
  }

  // What an import does with the rows, down to the files.
  Outcome Run(const std::vector<BarRow>& rows, const Way& way, size_t batch_rows) {
    Outcome outcome;
    UnitRows unit(Bars(), strings_, Options(way));
    AddAll(unit, rows, batch_rows);
    if (unit.out_of_order()) {
      outcome.restarted = true;
      unit.Reset();
      EXPECT_THAT(Temporaries(), IsEmpty()) << "a restart begins with nothing";
      EXPECT_FALSE(unit.out_of_order());
      AddAll(unit, rows, batch_rows);
      EXPECT_FALSE(unit.out_of_order());
    }
    EXPECT_TRUE(unit.Finish());
    for (const KeyConflict& row : unit.conflicts()) outcome.conflicts.emplace_back(row.source_row, row.key);
    const std::vector<std::string> sorted = unit.sorter().Partitions();
    for (const auto& [partition, file] : unit.direct()) {
      EXPECT_EQ(std::ranges::count(sorted, partition), 0) << "rows of one partition on two ways";
      EXPECT_EQ(file.written.rows, file.counts.rows);
      if (file.counts.rows == 0) {
        EXPECT_TRUE(file.temporary.empty());
        continue;
      }
      ++outcome.direct;
      EXPECT_EQ(fs::file_size(file.temporary), file.written.size);
      outcome.files[partition] = FactsOf(file.written, file.counts);
      fs::remove(file.temporary);
    }
    for (const std::string& partition : sorted) WriteSorted(unit, partition, outcome);
    std::ranges::sort(outcome.conflicts);
    unit.Reset();
    EXPECT_THAT(Temporaries(), IsEmpty());
    return outcome;
  }

  static FileFacts FactsOf(const codec::WrittenFile& written, const MergeCounts& counts) {
    return {written.sha256, written.rows, counts.min_key, counts.max_key, counts.duplicates};
  }

  void WriteSorted(UnitRows& unit, const std::string& partition, Outcome& outcome) {
    auto streams = unit.sorter().TakeStreams(partition);
    ASSERT_TRUE(streams);
    const fs::path path = folder_ / "sorted.parquet";
    auto writer = codec::ParquetWriter::Create(path, Bars(), {"bars", partition}, strings_);
    ASSERT_TRUE(writer);
    Derive derive(Bars(), strings_);
    const MergeRules rules{
        .precedence = [](int32_t, Day) { return Precedence{}; },
        .replaced = [](const arrow::RecordBatch&, uint32_t, int32_t, Day) { return false; },
        .conflict = [&](int32_t, int64_t row, const std::string& key) { outcome.conflicts.emplace_back(row, key); }};
    auto counts = MergeStreams(Bars(), strings_, nullptr, std::move(*streams), rules, [&](const Batch& rows) -> Status {
      LODE_TRY(const Batch physical, derive(rows));
      return (*writer)->Write(*physical);
    });
    ASSERT_TRUE(counts);
    const auto written = (*writer)->Close();
    ASSERT_TRUE(written);
    if (counts->rows > 0) outcome.files[partition] = FactsOf(*written, *counts);
    fs::remove(path);
  }

  std::vector<std::string> Temporaries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

  // All ways give what the sorter gives; returns that, and the outcome of each way by its name.
  Outcome RunAllWays(const std::vector<BarRow>& rows, size_t batch_rows,
                     std::map<std::string, Outcome>* each = nullptr) {
    Outcome expected = Run(rows, kSorter, 1 << 20);
    for (const Way& way : {kSpilling, kHeldBack, kEarly, kDirect, kDirectOneFile}) {
      const Outcome outcome = Run(rows, way, batch_rows);
      EXPECT_EQ(outcome.conflicts, expected.conflicts) << way.name;
      EXPECT_EQ(outcome.files.size(), expected.files.size()) << way.name;
      for (const auto& [partition, facts] : expected.files) {
        const auto found = outcome.files.find(partition);
        if (found == outcome.files.end()) {
          ADD_FAILURE() << way.name << " lacks " << partition;
          continue;
        }
        EXPECT_EQ(found->second.sha256, facts.sha256) << way.name << " " << partition;
        EXPECT_EQ(found->second.rows, facts.rows) << way.name << " " << partition;
        EXPECT_EQ(found->second.min_key, facts.min_key) << way.name << " " << partition;
        EXPECT_EQ(found->second.max_key, facts.max_key) << way.name << " " << partition;
        EXPECT_EQ(found->second.duplicates, facts.duplicates) << way.name << " " << partition;
      }
      if (each != nullptr) (*each)[way.name] = outcome;
    }
    return expected;
  }

  codec::StringPool strings_;
  fs::path folder_;
};

// Three partitions of rows in their final order.
std::vector<BarRow> InOrder(int64_t rows_each = 40) {
  std::vector<BarRow> rows;
  for (int64_t partition = 0; partition < 3; ++partition) {
    for (int64_t i = 0; i < rows_each; ++i) {
      rows.push_back({.instrument_id = 1 + i / 10, .ts_us = partition * kPartitionUs + i % 10, .close = i * 7});
    }
  }
  return rows;
}

TEST_F(UnitRowsTest, RowsInOrderAreWrittenWhileTheyCome) {
  std::map<std::string, Outcome> ways;
  const Outcome expected = RunAllWays(InOrder(), 7, &ways);
  ASSERT_EQ(expected.files.size(), 3u);
  EXPECT_EQ(expected.files.at("p1").rows, 40);
  EXPECT_EQ(expected.files.at("p0").min_key.substr(0, 2), "1|");
  EXPECT_EQ(expected.files.at("p0").max_key.substr(0, 2), "4|");
  EXPECT_EQ(expected.direct, 0u);
  EXPECT_EQ(ways.at(kSpilling.name).direct, 0u);
  EXPECT_EQ(ways.at(kHeldBack.name).direct, 0u) << "small partitions of a unit of files go to the sorter";
  for (const Way& way : {kEarly, kDirect, kDirectOneFile}) EXPECT_EQ(ways.at(way.name).direct, 3u) << way.name;
  for (const auto& [name, outcome] : ways) EXPECT_FALSE(outcome.restarted) << name;
}

TEST_F(UnitRowsTest, ARowOutOfOrderInABegunFileStartsAgainWithTheSorter) {
  std::vector<BarRow> rows = InOrder();
  std::swap(rows[60], rows[61]);  // in the middle of the second partition
  std::map<std::string, Outcome> ways;
  RunAllWays(rows, 7, &ways);
  EXPECT_TRUE(ways.at(kDirect.name).restarted);
  EXPECT_TRUE(ways.at(kDirectOneFile.name).restarted);
  EXPECT_FALSE(ways.at(kHeldBack.name).restarted);
  EXPECT_FALSE(ways.at(kEarly.name).restarted) << "held back rows are sorted when they are left";
  EXPECT_EQ(ways.at(kEarly.name).direct, 3u);
  EXPECT_EQ(ways.at(kDirect.name).direct, 0u) << "after a restart everything is sorted";
}

TEST_F(UnitRowsTest, OrderIsCheckedAcrossBatchesToo) {
  for (const int64_t ts : {int64_t{8}, int64_t{9}}) {  // before the last row, and its equal
    std::vector<BarRow> rows = InOrder(10);
    rows.insert(rows.begin() + 10, {.instrument_id = 1, .ts_us = ts, .close = 9 * 7});
    if (ts == 8) rows[10].close = 8 * 7;
    std::map<std::string, Outcome> ways;
    const Outcome expected = RunAllWays(rows, 10, &ways);
    EXPECT_EQ(expected.files.at("p0").duplicates, 1);
    EXPECT_TRUE(ways.at(kDirect.name).restarted) << ts;
  }
}

TEST_F(UnitRowsTest, ARowForAFinishedPartitionStartsAgain) {
  std::vector<BarRow> rows = InOrder();
  rows.push_back({.instrument_id = 9, .ts_us = 5});  // of the first partition
  std::map<std::string, Outcome> ways;
  const Outcome expected = RunAllWays(rows, 7, &ways);
  EXPECT_EQ(expected.files.at("p0").rows, 41);
  for (const Way& way : {kEarly, kDirect, kDirectOneFile}) EXPECT_TRUE(ways.at(way.name).restarted) << way.name;
  EXPECT_FALSE(ways.at(kHeldBack.name).restarted);
}

TEST_F(UnitRowsTest, APartitionTheSorterHasRowsOfIsNotWrittenBesideIt) {
  // A few rows of p0, then p1, then p0 again, with so many rows that a file would be begun for them.
  std::vector<BarRow> rows = {{.instrument_id = 1, .ts_us = 1}, {.instrument_id = 1, .ts_us = kPartitionUs}};
  for (int64_t i = 0; i < 200; ++i) rows.push_back({.instrument_id = 2, .ts_us = i});
  const Outcome expected = Run(rows, kSorter, 10);
  ASSERT_EQ(expected.files.at("p0").rows, 201);
  for (const bool one_file : {false, true}) {
    for (const uint64_t bytes : {500, 2000, 4000}) {
      const Outcome outcome = Run(rows, {"", true, one_file, bytes}, 10);
      EXPECT_EQ(outcome.files, expected.files) << one_file << " " << bytes;
    }
  }
  // The same where rows were gathered past the limit before: their partition is the sorter's.
  std::vector<BarRow> gathered;
  for (int64_t i = 0; i < 100; ++i) gathered.push_back({.instrument_id = 3 - i % 2, .ts_us = 300 + i});
  gathered.push_back({.instrument_id = 1, .ts_us = kPartitionUs});
  for (int64_t i = 0; i < 200; ++i) gathered.push_back({.instrument_id = 2, .ts_us = i});
  EXPECT_EQ(Run(gathered, {"", true, true, 3000}, 10).files, Run(gathered, kSorter, 10).files);
}

TEST_F(UnitRowsTest, EqualBarsAreDuplicatesWhereverBatchesEnd) {
  std::vector<BarRow> rows = InOrder(6);
  rows.insert(rows.begin() + 5, rows[5]);  // also the last row of the first partition
  rows.insert(rows.begin() + 5, rows[5]);
  for (const size_t batch_rows : {1, 2, 3, 5, 6, 100}) {
    const Outcome expected = RunAllWays(rows, batch_rows);
    EXPECT_EQ(expected.files.at("p0").rows, 6);
    EXPECT_EQ(expected.files.at("p0").duplicates, 2) << batch_rows;
    EXPECT_THAT(expected.conflicts, IsEmpty());
  }
}

TEST_F(UnitRowsTest, BarsThatContradictEachOtherAreBothRefused) {
  std::vector<BarRow> rows = InOrder(6);
  BarRow other = rows[5];
  other.close += 1;
  rows.insert(rows.begin() + 6, other);  // the last rows of the first partition
  for (const size_t batch_rows : {1, 2, 3, 6, 100}) {
    const Outcome expected = RunAllWays(rows, batch_rows);
    EXPECT_EQ(expected.files.at("p0").rows, 5);
    EXPECT_EQ(expected.files.at("p0").duplicates, 0);
    ASSERT_EQ(expected.conflicts.size(), 2u);
    EXPECT_EQ(expected.conflicts[0].first, 5);
    EXPECT_EQ(expected.conflicts[1].first, 6);
    EXPECT_EQ(expected.conflicts[0].second, expected.conflicts[1].second);
  }
}

TEST_F(UnitRowsTest, APartitionOfContradictionsAloneHasNoFile) {
  std::vector<BarRow> rows;
  for (int64_t i = 0; i < 10; ++i) {
    rows.push_back({.ts_us = i, .close = 1});
    rows.push_back({.ts_us = i, .close = 2});
  }
  rows.push_back({.ts_us = kPartitionUs, .close = 3});
  const Outcome expected = RunAllWays(rows, 3);
  EXPECT_EQ(expected.files.size(), 1u);
  EXPECT_TRUE(expected.files.contains("p1"));
  EXPECT_EQ(expected.conflicts.size(), 20u);
}

TEST_F(UnitRowsTest, ContradictionsMetBeforeARestartAreToldOnce) {
  const std::vector<BarRow> rows = {{.ts_us = 1, .close = 1},
                                    {.ts_us = 1, .close = 2},
                                    {.ts_us = kPartitionUs, .close = 3},
                                    {.ts_us = 2, .close = 4}};  // of the finished partition
  std::map<std::string, Outcome> ways;
  EXPECT_EQ(RunAllWays(rows, 1, &ways).conflicts.size(), 2u);
  EXPECT_TRUE(ways.at(kEarly.name).restarted);
}

TEST_F(UnitRowsTest, PartitionsThatMayNotBeWrittenGoToTheSorter) {
  UnitRowsOptions options = Options(kDirect);
  std::vector<std::string> asked;
  options.may_write = [&](const std::string& partition) -> Result<bool> {
    asked.push_back(partition);
    if (partition == "p2") return Fail(ErrorKind::kStorage, "no listing");
    return partition != "p1";
  };
  UnitRows unit(Bars(), strings_, options);
  ASSERT_TRUE(unit.Add("p0", MakeBars({{.ts_us = 1}}, strings_)));
  ASSERT_TRUE(unit.Add("p0", MakeBars({{.ts_us = 2}}, strings_)));
  ASSERT_TRUE(unit.Add("p1", MakeBars({{.ts_us = kPartitionUs}}, strings_)));
  EXPECT_FALSE(unit.Add("p2", MakeBars({{.ts_us = 2 * kPartitionUs}}, strings_)));
  EXPECT_EQ(asked, (std::vector<std::string>{"p0", "p1", "p2"}));
  EXPECT_TRUE(unit.direct().contains("p0"));
  EXPECT_EQ(unit.sorter().Partitions(), std::vector<std::string>{"p1"});
}

TEST_F(UnitRowsTest, AfterAnOutOfOrderRowNothingIsTakenUntilReset) {
  UnitRows unit(Bars(), strings_, Options(kDirect));
  ASSERT_TRUE(unit.Add("p0", MakeBars({{.ts_us = 5}}, strings_)));
  ASSERT_TRUE(unit.Add("p0", MakeBars({{.ts_us = 4}}, strings_)));
  EXPECT_TRUE(unit.out_of_order());
  ASSERT_TRUE(unit.Add("p1", MakeBars({{.ts_us = kPartitionUs}}, strings_)));
  EXPECT_TRUE(unit.out_of_order());
  EXPECT_THAT(unit.sorter().Partitions(), IsEmpty());
  unit.Reset();
  EXPECT_THAT(Temporaries(), IsEmpty());
  ASSERT_TRUE(unit.Add("p0", MakeBars({{.ts_us = 5}}, strings_)));
  ASSERT_TRUE(unit.Finish());
  EXPECT_THAT(unit.direct(), IsEmpty());
}

TEST_F(UnitRowsTest, RandomRowsGiveTheSameFilesOnEveryWay) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  int restarts = 0, direct = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
    const uint64_t disorder = round % 3;  // 0: sorted, 1: sorted but for one row, 2: shuffled
    std::vector<BarRow> rows;
    for (uint64_t i = 0; i < 20 + random() % 150; ++i) {
      rows.push_back({.instrument_id = static_cast<int64_t>(random() % 4),
                      .ts_us = static_cast<int64_t>(random() % 3) * kPartitionUs + static_cast<int64_t>(random() % 60),
                      .close = random() % 8 == 0 ? 2 : 1,
                      .symbol = random() % 9 == 0   ? ""
                                : random() % 2 == 0 ? "ESH4"
                                                    : "ESM4"});
    }
    std::ranges::shuffle(rows, random);
    const auto key = [](const BarRow& row) {
      return std::tuple(row.ts_us / kPartitionUs, row.instrument_id, row.ts_us, row.symbol);
    };
    if (disorder < 2) std::ranges::stable_sort(rows, {}, key);
    if (disorder == 0) {
      const auto equal = std::ranges::unique(rows, {}, key);
      rows.erase(equal.begin(), equal.end());
    }
    if (disorder == 1) std::swap(rows[random() % rows.size()], rows[random() % rows.size()]);
    const Outcome expected = Run(rows, kSorter, 1 << 20);
    for (int variant = 0; variant < 6; ++variant) {
      const uint64_t limits[] = {1, 1000, 6000, kAmple};
      const Way way{"", true, random() % 2 == 0, limits[random() % 4]};
      const Outcome outcome = Run(rows, way, 1 + random() % 30);
      ASSERT_EQ(outcome.files, expected.files) << way.one_file << " " << way.sorter_bytes;
      ASSERT_EQ(outcome.conflicts, expected.conflicts);
      restarts += outcome.restarted;
      direct += outcome.direct > 0;
    }
  }
  EXPECT_GT(restarts, 20);
  EXPECT_GT(direct, 50);
}

// Rows of a long file pass through; only what the writer or the sorter holds stays.
TEST_F(UnitRowsTest, MemoryIsBoundedOnEveryWay) {
  constexpr int64_t kBatches = 120, kRows = 10'000;
  constexpr int64_t kMiB = int64_t{1} << 20;
  const auto peak_bytes = [&](const Way& way, bool ascending) {
    const int64_t before = arrow::default_memory_pool()->bytes_allocated();
    int64_t peak = 0;
    UnitRows unit(Bars(), strings_, Options(way));
    for (int64_t i = 0; i < kBatches; ++i) {
      std::vector<BarRow> rows;
      const int64_t at = ascending ? i : kBatches - i;
      for (int64_t row = 0; row < kRows; ++row) rows.push_back({.ts_us = at * kRows + row, .close = row});
      EXPECT_TRUE(unit.Add("p", MakeBars(rows, strings_)));
      EXPECT_FALSE(unit.out_of_order());
      peak = std::max(peak, arrow::default_memory_pool()->bytes_allocated() - before);
    }
    EXPECT_TRUE(unit.Finish());
    return peak;
  };
  EXPECT_LT(peak_bytes({"", true, false, 8 * kMiB}, true), 60 * kMiB);   // a row group in hand
  EXPECT_LT(peak_bytes({"", true, true, 8 * kMiB}, false), 24 * kMiB);   // gathered, then spilled
  EXPECT_LT(peak_bytes({"", true, false, 8 * kMiB}, false), 24 * kMiB);  // sorted
}

}  // namespace
}  // namespace lode::lake
