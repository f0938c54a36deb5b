#include "lode/sink/duckdb/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lode/sink/duckdb/mirror_tables.h"
#include "lode/sink/duckdb/turn.h"
#include "lode/sink/duckdb/views.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kConfig = R"toml(
[datasets.fut]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["ES.FUT"]
[datasets.fut_1h]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1h"
[datasets.fut_1m]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1m"
[datasets.opt]
source = "databento"
dataset = "GLBX.MDP3"
schema = "ohlcv-1d"
stype_in = "parent"
symbols = ["ES.OPT"]
[datasets.stocks]
source = "databento"
dataset = "EQUS.MINI"
schema = "ohlcv-1d"
[datasets.stats]
source = "databento"
dataset = "GLBX.MDP3"
schema = "statistics"
[datasets.other_stats]
source = "databento"
dataset = "IFEU.IMPACT"
schema = "statistics"
[datasets.defs]
source = "databento"
dataset = "GLBX.MDP3"
schema = "definition"
)toml";

// One bar: instrument, symbol, root, start, close, volume; the other prices follow from close.
std::string Bar(int id, const std::string& symbol, const std::string& root, const std::string& start, double close,
                int volume, int publisher = 1) {
  bool spread = symbol.contains('-') || symbol.contains(':');
  return fmt::format("({}, {}, {}, {}, {}, TIMESTAMP '{}', {}, {}, {}, {}, {})", publisher, id,
                     symbol.empty() ? "NULL" : SqlText(symbol), symbol.empty() ? "NULL" : SqlText(root), spread, start,
                     close - 1, close + 2, close - 2, close, volume);
}

std::string Bars(const std::vector<std::string>& bars) {
  return fmt::format(
      "SELECT publisher_id::INTEGER AS publisher_id, instrument_id::BIGINT AS instrument_id, symbol::VARCHAR AS "
      "symbol, "
      "root::VARCHAR AS root, is_spread, ts_event, open::DECIMAL(18,9) AS open, high::DECIMAL(18,9) AS high, "
      "low::DECIMAL(18,9) AS low, close::DECIMAL(18,9) AS close, volume::BIGINT AS volume FROM (VALUES {}) "
      "q(publisher_id, instrument_id, symbol, root, is_spread, ts_event, open, high, low, close, volume)",
      fmt::join(bars, ", "));
}

// One statistic: instrument, type, the day it refers to (empty: none), when it came, sequence, action, value.
std::string Statistic(int id, int type, const std::string& ref, const std::string& received, int sequence, int action,
                      const std::string& value) {
  bool is_price = type == 3;
  return fmt::format("({}, {}, {}, TIMESTAMP_NS '{}', {}, {}, {}, {})", id, type,
                     ref.empty() ? "NULL" : "TIMESTAMP_NS " + SqlText(ref), received, sequence, action,
                     is_price ? value : "NULL", is_price ? "NULL" : value);
}

std::string Statistics(const std::vector<std::string>& rows) {
  return fmt::format(
      "SELECT instrument_id::BIGINT AS instrument_id, stat_type::INTEGER AS stat_type, ts_ref::TIMESTAMP_NS AS ts_ref, "
      "ts_recv, ts_recv AS ts_event, sequence::BIGINT AS sequence, update_action::INTEGER AS update_action, "
      "price::DECIMAL(18,9) AS price, quantity::BIGINT AS quantity, 'f' AS source_file, "
      "(row_number() OVER ())::BIGINT AS source_row FROM (VALUES {}) "
      "q(instrument_id, stat_type, ts_ref, ts_recv, sequence, update_action, price, quantity)",
      fmt::join(rows, ", "));
}

// One definition: instrument, symbol, class, expiration, strike ("NULL": none), when it came, leg and its symbol.
std::string Definition(int id, const std::string& symbol, const std::string& kind, const std::string& expiration,
                       const std::string& strike, const std::string& received, int legs = 0, int leg = 0,
                       const std::string& leg_symbol = "") {
  return fmt::format("({}, {}, {}, TIMESTAMP_NS '{}', {}, TIMESTAMP_NS '{}', {}, {}, {})", id, SqlText(symbol),
                     SqlText(kind), expiration, strike, received, legs, leg, SqlText(leg_symbol));
}

std::string Definitions(const std::vector<std::string>& rows) {
  return fmt::format(
      "SELECT instrument_id::BIGINT AS instrument_id, raw_symbol, instrument_class, expiration, "
      "strike_price::DECIMAL(18,9) AS strike_price, 'XCME' AS exchange, 'USD' AS currency, ts_recv, ts_recv AS "
      "ts_event, "
      "leg_count::INTEGER AS leg_count, leg_index::INTEGER AS leg_index, leg_raw_symbol, 'f' AS source_file, "
      "(row_number() OVER ())::BIGINT AS source_row FROM (VALUES {}) "
      "q(instrument_id, raw_symbol, instrument_class, expiration, strike_price, ts_recv, leg_count, leg_index, "
      "leg_raw_symbol)",
      fmt::join(rows, ", "));
}

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lode-load-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    paths_ = {dir_ / "lake [1]*"};  // a path that DuckDB would read as a pattern
    ASSERT_TRUE(lake::CreateLake(paths_));
    ledger_ = *ledger::Ledger::OpenInMemory();
    Result<Config> config = Config::Parse(kConfig, "test");
    ASSERT_TRUE(config) << config.error().ToString();
    config_.emplace(*std::move(config));
  }
  void TearDown() override { fs::remove_all(dir_); }

  // A partition file, and a receipt that names it.
  void Put(const std::string& dataset, const std::string& schema, const std::string& path, const std::string& select,
           const std::string& unit = "unit") {
    fs::path file = paths_.bronze(dataset) / path;
    fs::create_directories(file.parent_path());
    Result<Connection> connection = Connection::Open({}, {});
    ASSERT_TRUE(connection) << connection.error().ToString();
    fs::path fresh = dir_ / "new.parquet";  // a publish renames: what is pinned stays
    Status written = connection->Execute("COPY (" + select + ") TO " + SqlText(fresh.string()) + " (FORMAT parquet)");
    ASSERT_TRUE(written) << written.error().ToString();
    fs::rename(fresh, file);
    Receive(dataset, schema, path, unit);
  }

  void Receive(const std::string& dataset, const std::string& schema, const std::string& path,
               const std::string& unit = "unit") {
    Result<store::Digest> digest = store::HashFile(paths_.bronze(dataset) / path);
    ASSERT_TRUE(digest);
    ledger::Receipt receipt;
    receipt.sequence = *ledger_->NextSequence(dataset);
    receipt.dataset = dataset;
    receipt.schema = schema;
    receipt.layout = "year={yyyy}/data.parquet";
    receipt.origin = "file";
    receipt.unit = unit;
    ledger::Partition partition;
    partition.path = path;
    partition.size = digest->size;
    partition.sha256 = digest->sha256;
    partition.rows = 1;
    receipt.partitions.push_back(std::move(partition));
    Status committed = ledger_->Commit(receipt, "", 0);
    ASSERT_TRUE(committed) << committed.error().ToString();
  }

  Result<LoadReport> TryLoad(std::vector<std::string> datasets = {}, bool dry_run = false) {
    return Load({.paths = paths_,
                 .ledger = ledger_.get(),
                 .config = &*config_,
                 .datasets = std::move(datasets),
                 .dry_run = dry_run,
                 .progress = {}});
  }

  // "fut: 1 loaded 0 unchanged 0 removed 0 failed, 3+ 0~ 0-" a dataset; rows summed over its tables.
  std::vector<std::string> LoadAll(std::vector<std::string> datasets = {}, bool dry_run = false) {
    Result<LoadReport> report = TryLoad(std::move(datasets), dry_run);
    if (!report) return {report.error().ToString()};
    std::vector<std::string> lines;
    for (const LoadedDataset& dataset : report->datasets) {
      RowChanges rows;
      for (const TableChanges& table : dataset.changes) rows += table.rows;
      lines.push_back(fmt::format("{}: {} loaded {} unchanged {} removed {} failed, {}+ {}~ {}-", dataset.name,
                                  dataset.loaded, dataset.unchanged, dataset.removed, dataset.failed, rows.inserted,
                                  rows.updated, rows.deleted));
    }
    return lines;
  }

  // Rows of lake.duckdb, columns joined by '|'.
  std::vector<std::string> Rows(const std::string& sql) {
    Result<Connection> connection = Connection::Open(paths_.duckdb(), {{"access_mode", "READ_ONLY"}});
    if (!connection) return {connection.error().ToString()};
    Result<std::vector<std::vector<std::string>>> rows = connection->Rows(sql);
    if (!rows) return {rows.error().ToString()};
    std::vector<std::string> lines;
    for (const auto& row : *rows) lines.push_back(fmt::format("{}", fmt::join(row, "|")));
    return lines;
  }

  fs::path dir_;
  lake::LakePaths paths_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::optional<Config> config_;
};

constexpr const char* kYear = "year=2024/data.parquet";
const std::string kFrontRows =
    "SELECT symbol, as_of_date, contract, close, volume FROM raw.databento_futures_ohlcv_1d "
    "ORDER BY ALL";
const std::string kSettled =
    "SELECT symbol, date, settle, open_interest, cleared_volume FROM "
    "market_data.databento_futures_ohlcv_1d ORDER BY date, symbol";

TEST_F(LoadTest, EveryContractHasARowAndEveryRootItsFront) {
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100.25, 10), Bar(2, "ESM4", "ES", "2024-01-02", 101, 20),
            Bar(3, "ESH4-ESM4", "ES", "2024-01-02", -1, 900), Bar(4, "ES:BF H4-M4-U4", "ES", "2024-01-02", 2, 800),
            // A tie: the nearer contract, not the first symbol.
            Bar(5, "ESZ4", "ES", "2024-01-03", 103, 7), Bar(6, "ESF5", "ES", "2024-01-03", 104, 7),
            Bar(7, "ZLF4", "ZL", "2024-01-03", 0.006712345, 1)}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 10+ 0~ 0-"));
  EXPECT_THAT(Rows("SELECT date, root, symbol, open, high, low, close, volume, is_spread, spread_legs, contract_month, "
                   "instrument_id, publisher_id, dataset FROM market_data.databento_futures_ohlcv_1d WHERE date = "
                   "'2024-01-02' ORDER BY instrument_id"),
              ElementsAre("2024-01-02|ES|ESH4|99.250000000|102.250000000|98.250000000|100.250000000|10|false||"
                          "2024-03-01|1|1|GLBX.MDP3",
                          "2024-01-02|ES|ESM4|100.000000000|103.000000000|99.000000000|101.000000000|20|false||"
                          "2024-06-01|2|1|GLBX.MDP3",
                          "2024-01-02|ES|ESH4-ESM4|-2.000000000|1.000000000|-3.000000000|-1.000000000|900|true|"
                          "[ESH4, ESM4]||3|1|GLBX.MDP3",
                          "2024-01-02|ES|ES:BF H4-M4-U4|1.000000000|4.000000000|0.000000000|2.000000000|800|true|||4|1|"
                          "GLBX.MDP3"));
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2024-01-02|ESM4|101.000000000|20", "ES|2024-01-03|ESZ4|103.000000000|7",
                                            "ZL|2024-01-03|ZLF4|0.006712345|1"));
}

TEST_F(LoadTest, ASecondLoadWritesNothing) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  Put("stats", "statistics", "day=2024-01-02/data.parquet",
      Statistics({Statistic(1, 3, "2024-01-02", "2024-01-02 22:00:00", 1, 1, "99.5")}));
  ASSERT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 2+ 0~ 0-",
                                     "stats: 1 loaded 0 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  std::string before = *store::ReadFile(paths_.duckdb(), 1 << 30);
  auto time = fs::last_write_time(paths_.duckdb());
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 0 loaded 1 unchanged 0 removed 0 failed, 0+ 0~ 0-",
                                     "stats: 0 loaded 1 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  EXPECT_EQ(fs::last_write_time(paths_.duckdb()), time);
  EXPECT_EQ(*store::ReadFile(paths_.duckdb(), 1 << 30), before);
  EXPECT_TRUE(fs::is_empty(paths_.pins()));
}

TEST_F(LoadTest, AChangedPartitionIsMergedRowByRow) {
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10), Bar(2, "ESM4", "ES", "2024-01-02", 101, 20),
            Bar(1, "ESH4", "ES", "2024-01-03", 102, 10), Bar(1, "ESH4", "ES", "2024-01-04", 103, 5)}));
  ASSERT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 7+ 0~ 0-"));
  std::vector<std::string> kept = Rows(
      "SELECT collection_timestamp FROM market_data.databento_futures_ohlcv_1d WHERE "
      "date = '2024-01-03'");
  // The front of the 2nd vanishes, a bar of the 4th changes, the 5th is new.
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10), Bar(1, "ESH4", "ES", "2024-01-03", 102, 10),
            Bar(1, "ESH4", "ES", "2024-01-04", 103.5, 5), Bar(1, "ESH4", "ES", "2024-01-05", 104, 6)}),
      "GLBX-20251120-CQRNQQM89S");
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 2+ 3~ 1-"));
  EXPECT_THAT(Rows(kFrontRows),
              ElementsAre("ES|2024-01-02|ESH4|100.000000000|10", "ES|2024-01-03|ESH4|102.000000000|10",
                          "ES|2024-01-04|ESH4|103.500000000|5", "ES|2024-01-05|ESH4|104.000000000|6"));
  EXPECT_EQ(Rows("SELECT collection_timestamp FROM market_data.databento_futures_ohlcv_1d WHERE date = '2024-01-03'"),
            kept);
  EXPECT_THAT(
      Rows("SELECT source_type, job_id, file_name, schema, rows_read, rows_merged, rows_rejected, status, attempt, "
           "root, ts_start, ts_end FROM ops.databento_load_state"),
      ElementsAre("file|GLBX-20251120-CQRNQQM89S|bronze/fut/year=2024/data.parquet|ohlcv-1d|4|4|0|done|1|ES|"
                  "2024-01-02T00:00:00|2024-01-05T00:00:00"));
}

TEST_F(LoadTest, RowsOfALostPartitionGoAndComeBack) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  Put("fut", "ohlcv-1d", "year=2025/data.parquet", Bars({Bar(1, "ESH5", "ES", "2025-01-02", 100, 10)}));
  LoadAll();
  fs::rename(paths_.bronze("fut") / kYear, dir_ / "away");
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 0 loaded 1 unchanged 1 removed 0 failed, 0+ 0~ 2-"));
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2025-01-02|ESH5|100.000000000|10"));
  EXPECT_THAT(Rows("SELECT file_name FROM ops.databento_load_state"), ElementsAre("bronze/fut/year=2025/data.parquet"));
  fs::rename(dir_ / "away", paths_.bronze("fut") / kYear);
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 1 unchanged 0 removed 0 failed, 2+ 0~ 0-"));
}

TEST_F(LoadTest, RowsOfADatasetThatIsGoneGoUnlessOthersAreNamed) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  LoadAll();
  ledger_ = *ledger::Ledger::OpenInMemory();
  Put("fut_1h", "ohlcv-1h", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02 03:00:00", 100, 10)}));
  EXPECT_THAT(LoadAll({"fut_1h"}), ElementsAre("fut_1h: 1 loaded 0 unchanged 0 removed 0 failed, 2+ 0~ 0-"));
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2024-01-02|ESH4|100.000000000|10"));
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 0 loaded 0 unchanged 1 removed 0 failed, 0+ 0~ 2-",
                                     "fut_1h: 0 loaded 1 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  EXPECT_THAT(Rows(kFrontRows), IsEmpty());
}

TEST_F(LoadTest, WithoutALedgerNothingGoes) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  LoadAll();
  ledger_.reset();
  EXPECT_THAT(LoadAll(), IsEmpty());
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2024-01-02|ESH4|100.000000000|10"));
}

TEST_F(LoadTest, TheFrontIsChosenAmongAllDatasets) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  Put("opt", "ohlcv-1d", kYear, Bars({Bar(2, "ESM4", "ES", "2024-01-02", 101, 11)}));
  LoadAll();
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2024-01-02|ESM4|101.000000000|11"));
  fs::remove(paths_.bronze("opt") / kYear);
  LoadAll();
  EXPECT_THAT(Rows(kFrontRows), ElementsAre("ES|2024-01-02|ESH4|100.000000000|10"));
}

TEST_F(LoadTest, VenuesOfAContractCountTogether) {
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 6, 1), Bar(1, "ESH4", "ES", "2024-01-02", 101, 7, 2),
            Bar(2, "ESM4", "ES", "2024-01-02", 102, 12, 1)}));
  LoadAll();
  EXPECT_THAT(Rows("SELECT contract, publisher_id, volume FROM raw.databento_futures_ohlcv_1d"),
              ElementsAre("ESH4|2|7"));
}

TEST_F(LoadTest, HourlyBarsStayWithTheDaysContract) {
  Put("fut_1h", "ohlcv-1h", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02 01:00:00", 100, 50), Bar(2, "ESM4", "ES", "2024-01-02 01:00:00", 101, 10),
            Bar(1, "ESH4", "ES", "2024-01-02 02:00:00", 102, 5), Bar(2, "ESM4", "ES", "2024-01-02 02:00:00", 103, 40),
            Bar(2, "ESM4", "ES", "2024-01-03 00:00:00", 104, 9),
            Bar(3, "ESH4-ESM4", "ES", "2024-01-03 00:00:00", 1, 90)}));
  LoadAll();
  EXPECT_THAT(
      Rows("SELECT symbol, ts_event, contract, volume FROM raw.databento_futures_ohlcv_1h ORDER BY ALL"),
      ElementsAre("ES|2024-01-02T01:00:00|ESH4|50", "ES|2024-01-02T02:00:00|ESH4|5", "ES|2024-01-03T00:00:00|ESM4|9"));
  EXPECT_THAT(Rows("SELECT count(*) FROM market_data.databento_futures_ohlcv_1h"), ElementsAre("6"));
  Put("fut_1h", "ohlcv-1h", kYear, Bars({Bar(2, "ESM4", "ES", "2024-01-02 23:00:00", 101, 10)}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut_1h: 1 loaded 0 unchanged 0 removed 0 failed, 2+ 0~ 9-"));
}

TEST_F(LoadTest, MinuteBarsHaveTheirTable) {
  Put("fut_1m", "ohlcv-1m", "month=2024-01/data.parquet",
      Bars({Bar(1, "ESH4", "ES", "2024-01-02 01:01:00", 100, 50),
            Bar(2, "ES.v.0", "ES", "2024-01-02 01:01:00", 100, 50)}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut_1m: 1 loaded 0 unchanged 0 removed 0 failed, 2+ 0~ 0-"));
  EXPECT_THAT(Rows("SELECT ts_event, date, root, symbol FROM market_data.databento_futures_ohlcv_1m ORDER BY symbol"),
              ElementsAre("2024-01-02T01:01:00|2024-01-02|ES|ES.v.0", "2024-01-02T01:01:00|2024-01-02|ES|ESH4"));
}

TEST_F(LoadTest, StatisticsJoinByTheDayTheyReferToAndTheLastWordWins) {
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10), Bar(1, "ESH4", "ES", "2024-01-03", 101, 10),
            Bar(2, "ESM4", "ES", "2024-01-03", 101, 1), Bar(1, "ESH4", "ES", "2024-01-04", 102, 10)}));
  Put("stats", "statistics", "day=2024-01-03/data.parquet",
      Statistics({Statistic(1, 3, "2024-01-02", "2024-01-03 01:00:00", 7, 1, "99.25"),
                  Statistic(1, 3, "2024-01-02", "2024-01-03 02:00:00", 1, 1, "99.5"),   // later
                  Statistic(1, 3, "2024-01-02", "2024-01-03 02:00:00", 2, 1, "99.75"),  // higher sequence
                  Statistic(1, 9, "2024-01-02", "2024-01-03 03:00:00", 3, 1, "5000000000"),
                  Statistic(1, 6, "2024-01-02", "2024-01-03 03:00:00", 4, 1, "1234"),
                  Statistic(1, 1, "2024-01-02", "2024-01-03 03:00:00", 5, 1, "1"),  // an open: not joined
                  Statistic(1, 3, "", "2024-01-03 04:00:00", 6, 1, "1"),            // refers to nothing
                  Statistic(1, 3, "1970-01-01", "2024-01-03 04:00:00", 6, 1, "1"),
                  Statistic(2, 3, "2024-01-03", "2024-01-03 22:00:00", 8, 1, "50"),
                  Statistic(2, 3, "2024-01-03", "2024-01-03 23:00:00", 9, 2, "50"),  // deleted
                  Statistic(2, 9, "2024-01-03", "2024-01-03 22:00:00", 8, 2, "4"),   // came back
                  Statistic(2, 9, "2024-01-03", "2024-01-03 22:30:00", 9, 1, "5"),
                  Statistic(1, 3, "2024-01-04", "2024-01-04 22:00:00", 1, 1, "98"),  // undefined in the end
                  Statistic(1, 3, "2024-01-04", "2024-01-04 23:00:00", 1, 1, "NULL")}));
  Put("other_stats", "statistics", "day=2024-01-03/data.parquet",
      Statistics({Statistic(1, 3, "2024-01-03", "2024-01-03 22:00:00", 9, 1, "12")}));  // another venue's id
  LoadAll();
  EXPECT_THAT(Rows(kSettled), ElementsAre("ESH4|2024-01-02|99.750000000|5000000000|1234", "ESH4|2024-01-03|||",
                                          "ESM4|2024-01-03||5|", "ESH4|2024-01-04|||"));
  EXPECT_THAT(Rows("SELECT as_of_date, settle, open_interest FROM raw.databento_futures_ohlcv_1d ORDER BY 1 LIMIT 1"),
              ElementsAre("2024-01-02|99.750000000|5000000000"));
}

TEST_F(LoadTest, StatisticsThatComeLaterReachOnlyTheYearTheyReferTo) {
  Put("fut", "ohlcv-1d", "year=2023/data.parquet", Bars({Bar(1, "ESH4", "ES", "2023-12-29", 99, 10)}));
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  LoadAll();
  Put("stats", "statistics", "day=2024-01-03/data.parquet",
      Statistics({Statistic(1, 3, "2024-01-02", "2024-01-03 01:00:00", 7, 1, "99.25")}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 1 unchanged 0 removed 0 failed, 0+ 2~ 0-",
                                     "stats: 1 loaded 0 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  EXPECT_THAT(Rows(kSettled), ElementsAre("ESH4|2023-12-29|||", "ESH4|2024-01-02|99.250000000||"));
  // A correction months later, about both years.
  Put("stats", "statistics", "day=2024-06-03/data.parquet",
      Statistics({Statistic(1, 3, "2023-12-29", "2024-06-03 01:00:00", 1, 1, "98"),
                  Statistic(1, 3, "2024-01-02", "2024-06-03 01:00:00", 1, 2, "99.25")}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 2 loaded 0 unchanged 0 removed 0 failed, 0+ 4~ 0-",
                                     "stats: 1 loaded 1 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  EXPECT_THAT(Rows(kSettled), ElementsAre("ESH4|2023-12-29|98.000000000||", "ESH4|2024-01-02|||"));
  // The correction is lost: what was before holds again.
  fs::remove(paths_.bronze("stats") / "day=2024-06-03" / "data.parquet");
  LoadAll();
  EXPECT_THAT(Rows(kSettled), ElementsAre("ESH4|2023-12-29|||", "ESH4|2024-01-02|99.250000000||"));
}

TEST_F(LoadTest, DefinitionsSpeakAsOfTheDay) {
  Put("fut", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10), Bar(1, "ESH4", "ES", "2024-01-03", 100, 10),
            Bar(1, "ESH4", "ES", "2024-01-05", 100, 10), Bar(2, "ESM4", "ES", "2024-01-03", 100, 10),
            Bar(3, "ES:BF H4-M4-U4", "ES", "2024-01-03", 1, 10), Bar(4, "XYZ", "XYZ", "2024-01-03", 1, 10)}));
  Put("defs", "definition", "day=2024-01-03/data.parquet",
      Definitions(
          {Definition(1, "ESH4", "F", "2024-03-15 13:30:00", "NULL", "2024-01-03 00:00:00"),
           Definition(2, "NQM4", "F", "2024-06-21 13:30:00", "NULL", "2024-01-03 00:00:00"),  // id of another
           Definition(3, "ES:BF H4-M4-U4", "S", "2024-03-15 13:30:00", "NULL", "2024-01-03 00:00:00", 3, 1, "ESM4"),
           Definition(3, "ES:BF H4-M4-U4", "S", "2024-03-15 13:30:00", "NULL", "2024-01-03 00:00:00", 3, 0, "ESH4"),
           Definition(3, "ES:BF H4-M4-U4", "S", "2024-03-15 13:30:00", "NULL", "2024-01-03 00:00:00", 3, 2, "ESU4"),
           Definition(4, "XYZ", "K", "2024-03-15 13:30:00", "NULL", "2024-01-03 00:00:00")}));
  Put("defs", "definition", "day=2024-01-05/data.parquet",
      Definitions({Definition(1, "ESH4", "F", "2024-03-14 13:30:00", "NULL", "2024-01-05 00:00:00"),
                   Definition(1, "ESH4", "F", "2024-03-13 13:30:00", "NULL", "2024-01-05 12:00:00")}));
  ASSERT_THAT(LoadAll(), ElementsAre("defs: 2 loaded 0 unchanged 0 removed 0 failed, 0+ 0~ 0-",
                                     "fut: 1 loaded 0 unchanged 0 removed 0 failed, 8+ 0~ 0-"));
  EXPECT_THAT(Rows("SELECT symbol, date, expiration_date, instrument_class, exchange, currency, spread_legs FROM "
                   "market_data.databento_futures_ohlcv_1d ORDER BY instrument_id, date"),
              ElementsAre("ESH4|2024-01-02|||||", "ESH4|2024-01-03|2024-03-15|F|XCME|USD|",
                          "ESH4|2024-01-05|2024-03-13|F|XCME|USD|", "ESM4|2024-01-03|||||",
                          "ES:BF H4-M4-U4|2024-01-03|2024-03-15|S|XCME|USD|[ESH4, ESM4, ESU4]"));
  EXPECT_THAT(Rows("SELECT rows_read, rows_rejected FROM ops.databento_load_state WHERE dataset = 'fut'"),
              ElementsAre("6|1"));  // the stock has no table
}

TEST_F(LoadTest, OptionsHaveTermsFromDefinitionElseFromTheSymbol) {
  Put("opt", "ohlcv-1d", kYear,
      Bars({Bar(1, "ESM4 C4250", "ES", "2024-01-03", 10, 3), Bar(2, "ESM4 P4250", "ES", "2024-01-03", 11, 3),
            Bar(3, "AAPL  250221C00250500", "AAPL", "2024-01-03", 12, 3),
            Bar(4, "UD:ES: GN 1", "ES", "2024-01-03", 1, 3), Bar(5, "ESH4", "ES", "2024-01-03", 100, 1)}));
  Put("defs", "definition", "day=2024-01-03/data.parquet",
      Definitions({Definition(1, "ESM4 C4250", "C", "2024-06-21 13:30:00", "4250.5", "2024-01-03 00:00:00")}));
  Put("stats", "statistics", "day=2024-01-04/data.parquet",
      Statistics({Statistic(1, 9, "2024-01-03", "2024-01-04 01:00:00", 7, 1, "77")}));
  LoadAll();
  EXPECT_THAT(
      Rows("SELECT contract_symbol, symbol, as_of_date, strike_price, expiration_date, option_type, close, volume, "
           "open_interest FROM raw.databento_options_ohlcv_1d ORDER BY instrument_id"),
      ElementsAre("ESM4 C4250|ES|2024-01-03|4250.500000000|2024-06-21|C|10.000000000|3|77",
                  "ESM4 P4250|ES|2024-01-03|||P|11.000000000|3|",
                  "AAPL  250221C00250500|AAPL|2024-01-03|250.500000000|2025-02-21|C|12.000000000|3|",
                  "UD:ES: GN 1|ES|2024-01-03||||1.000000000|3|"));
  EXPECT_THAT(Rows("SELECT symbol FROM market_data.databento_futures_ohlcv_1d"), ElementsAre("ESH4"));
  fs::remove(paths_.bronze("opt") / kYear);
  LoadAll();
  EXPECT_THAT(Rows("SELECT count(*) FROM raw.databento_options_ohlcv_1d"), ElementsAre("0"));
}

TEST_F(LoadTest, BarsWithoutATableAreCounted) {
  Put("stocks", "ohlcv-1d", kYear,
      Bars({Bar(1, "AAPL", "AAPL", "2024-01-03", 10, 3), Bar(2, "", "", "2024-01-03", 1, 1)}));
  Result<LoadReport> report = TryLoad();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->datasets[0].rows_rejected, 2);
  EXPECT_THAT(Rows("SELECT rows_read, rows_merged, rows_rejected, status FROM ops.databento_load_state"),
              ElementsAre("2|0|2|done"));
}

TEST_F(LoadTest, ADamagedPartitionFailsAloneAndIsTriedAgain) {
  Put("fut", "ohlcv-1d", "year=2023/data.parquet", Bars({Bar(1, "ESH3", "ES", "2023-01-03", 99, 10)}));
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  LoadAll();
  std::string good = *store::ReadFile(paths_.bronze("fut") / kYear, 1 << 20), bad = good;
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 101, 10)}));
  bad = *store::ReadFile(paths_.bronze("fut") / kYear, 1 << 20);
  std::string whole = bad;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
  std::ofstream(paths_.bronze("fut") / kYear, std::ios::binary) << bad;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    EXPECT_THAT(LoadAll(), ElementsAre("fut: 0 loaded 1 unchanged 0 removed 1 failed, 0+ 0~ 0-"));
    EXPECT_THAT(Rows("SELECT status, attempt, error LIKE '%not what its receipt says%' FROM ops.databento_load_state "
                     "WHERE file_name LIKE '%2024%'"),
                ElementsAre(fmt::format("failed|{}|true", attempt)));
  }
  EXPECT_THAT(Rows(kFrontRows),
              ElementsAre("ES|2023-01-03|ESH3|99.000000000|10", "ES|2024-01-02|ESH4|100.000000000|10"));
  std::ofstream(paths_.bronze("fut") / kYear, std::ios::binary) << whole;
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 1 unchanged 0 removed 0 failed, 0+ 2~ 0-"));
  EXPECT_THAT(Rows("SELECT status, attempt, error FROM ops.databento_load_state WHERE file_name LIKE '%2024%'"),
              ElementsAre("done|3|"));
}

TEST_F(LoadTest, ADryRunWritesNothing) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  EXPECT_THAT(LoadAll({}, true), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 0+ 0~ 0-"));
  EXPECT_FALSE(fs::exists(paths_.duckdb()));
}

TEST_F(LoadTest, AnotherLoadIsBusy) {
  store::FileLock held = *store::FileLock::Acquire(paths_.locks() / "_load.lock", "load");
  Result<LoadReport> report = TryLoad();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kBusy);
}

TEST_F(LoadTest, APublishUnderWayIsBusyForADryRun) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  ASSERT_TRUE(ledger_->AddIntent({.dataset = "fut", .moves = {}, .receipt_text = "x"}));
  Result<LoadReport> report = TryLoad({}, true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kBusy);
}

TEST_F(LoadTest, ViewsAndTablesLiveSideBySide) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  Put("fut_1h", "ohlcv-1h", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02 03:00:00", 100, 10)}));
  ASSERT_EQ(RefreshViews(paths_, *ledger_)->state, ViewState::kWritten);
  LoadAll();
  fs::remove_all(paths_.bronze("fut_1h"));
  ASSERT_EQ(RefreshViews(paths_, *ledger_)->state, ViewState::kWritten);
  EXPECT_THAT(Rows("SELECT count(*) FROM raw.databento_futures_ohlcv_1h"), ElementsAre("1"));
  EXPECT_THAT(Rows("SELECT symbol FROM fut"), ElementsAre("ESH4"));
  EXPECT_THAT(Rows("SELECT symbol FROM fut_1h"), ElementsAre(HasSubstr("does not exist")));
}

TEST_F(LoadTest, OlderTablesGetTheColumnsTheyLack) {
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 100, 10)}));
  LoadAll();
  {
    Result<Connection> connection = Connection::Open(paths_.duckdb(), {});
    ASSERT_TRUE(connection->Execute("ALTER TABLE market_data.databento_futures_ohlcv_1d DROP COLUMN exchange"));
  }
  Put("fut", "ohlcv-1d", kYear, Bars({Bar(1, "ESH4", "ES", "2024-01-02", 101, 10)}));
  EXPECT_THAT(LoadAll(), ElementsAre("fut: 1 loaded 0 unchanged 0 removed 0 failed, 0+ 2~ 0-"));
  EXPECT_THAT(Rows("SELECT close, exchange FROM market_data.databento_futures_ohlcv_1d"),
              ElementsAre("101.000000000|"));
}

codec::TableSchema TradesOfAVendor() {
  using enum codec::ColumnType;
  return {.name = "tardis/trades",
          .source = "tardis",
          .version = 1,
          .columns = {{"symbol", kText, false},
                      {"local_timestamp", kTimestampUs, false},
                      {"price", kFloat64, false},
                      {"source_file", kText, false},
                      {"source_row", kInt64, false}},
          .key = {"source_file", "source_row"},
          .order = {"source_file", "source_row"},
          .day_column = "local_timestamp",
          .merge = codec::MergeRule::kReplaceCells,
          .layout = "day={day}/data.parquet"};
}

TEST_F(LoadTest, AMirrorHoldsBronzeAsItIs) {
  WarehouseTable table = MirrorTable(TradesOfAVendor());
  EXPECT_EQ(table.FullName(), "\"raw\".\"tardis_trades\"");
  fs::path file = dir_ / "day [1].parquet";
  Result<Connection> connection = Connection::Open({}, {});
  auto write = [&](const std::string& rows) {
    return connection->Execute(
        "COPY (SELECT symbol, local_timestamp, price::DOUBLE AS price, source_file, source_row::BIGINT AS "
        "source_row FROM (VALUES " +
        rows + ") q(symbol, local_timestamp, price, source_file, source_row)) TO " + SqlText(file.string()) +
        " (FORMAT parquet)");
  };
  ASSERT_TRUE(connection->Execute("SET TimeZone = 'UTC'"));
  ASSERT_TRUE(CreateTable(*connection, table));
  ASSERT_TRUE(write(
      "('BTC', TIMESTAMP '2024-01-02 00:00:01', 0.1, 'f', 0), ('BTC', TIMESTAMP '2024-01-02 00:00:01', 0.1, 'f', 1)"));
  Result<LoadedRows> rows = LoadMirror(*connection, table, "t", "day=2024-01-02/data.parquet", file);
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(rows->changes[0].rows.inserted, 2);
  ASSERT_TRUE(write(
      "('BTC', TIMESTAMP '2024-01-02 00:00:01', 0.3, 'f', 1), ('BTC', TIMESTAMP '2024-01-02 00:00:02', 0.4, 'f', 2)"));
  rows = LoadMirror(*connection, table, "t", "day=2024-01-02/data.parquet", file);
  EXPECT_EQ(rows->changes[0].rows.inserted, 1);
  EXPECT_EQ(rows->changes[0].rows.updated, 1);
  EXPECT_EQ(rows->changes[0].rows.deleted, 1);
  // Equal raw file names of two lake datasets are two things.
  ASSERT_TRUE(LoadMirror(*connection, table, "u", "day=2024-01-02/data.parquet", file));
  EXPECT_THAT(*connection->Texts(
                  "SELECT concat_ws('|', lake_dataset, source_row, price, local_timestamp) FROM raw.tardis_trades "
                  "ORDER BY lake_dataset, source_row"),
              ElementsAre("t|1|0.3|2024-01-02 00:00:01", "t|2|0.4|2024-01-02 00:00:02", "u|1|0.3|2024-01-02 00:00:01",
                          "u|2|0.4|2024-01-02 00:00:02"));
  rows = RemoveMirror(*connection, table, "t", "day=2024-01-02/data.parquet");
  EXPECT_EQ(rows->changes[0].rows.deleted, 2);
}

TEST(MirrorTable, NamesAreLegal) {
  codec::TableSchema schema = TradesOfAVendor();
  schema.name = "us_stocks_sip/day_aggs_v1";
  schema.source = "polygon";
  EXPECT_EQ(MirrorTable(schema).name, "polygon_us_stocks_sip_day_aggs_v1");
  EXPECT_FALSE(MirrorOf("ohlcv-1d"));
  EXPECT_FALSE(MirrorOf("nothing"));
}

}  // namespace
}  // namespace lode::sink
