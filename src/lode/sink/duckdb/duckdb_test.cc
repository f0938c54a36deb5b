#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lode/base/stop.h"
#include "lode/sink/duckdb/connection.h"
#include "lode/sink/duckdb/pins.h"
#include "lode/sink/duckdb/query.h"
#include "lode/sink/duckdb/result_text.h"
#include "lode/sink/duckdb/views.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

class SinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lode-sink-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    paths_ = {dir_ / "lake [1]*"};  // a path that DuckDB would read as a pattern
    ASSERT_TRUE(lake::CreateLake(paths_));
  }
  void TearDown() override { fs::remove_all(dir_); }

  // Writes a Parquet file with DuckDB itself.
  void WritePartition(const std::string& dataset, const std::string& path, const std::string& select) {
    fs::path file = paths_.bronze(dataset) / path;
    fs::create_directories(file.parent_path());
    Result<Connection> connection = Connection::Open({}, {});
    ASSERT_TRUE(connection) << connection.error().ToString();
    Status written = connection->Execute("COPY (" + select + ") TO " + SqlText(file.string()) + " (FORMAT parquet)");
    ASSERT_TRUE(written) << written.error().ToString();
  }

  // A ledger that knows these datasets, each with one partition.
  std::unique_ptr<ledger::Ledger> LedgerOf(const std::vector<std::string>& datasets) {
    std::unique_ptr<ledger::Ledger> ledger = *ledger::Ledger::OpenInMemory();
    for (const std::string& name : datasets) {
      ledger::Receipt receipt;
      receipt.sequence = 1;
      receipt.dataset = name;
      receipt.schema = "ohlcv-1d";
      receipt.layout = "year={yyyy}/data.parquet";
      receipt.partitions.push_back({.path = "year=2024/data.parquet",
                                    .size = 1,
                                    .sha256 = "",
                                    .rows = 1,
                                    .min_key = "",
                                    .max_key = "",
                                    .replaces = ""});
      Status committed = ledger->Commit(receipt, "", 0);
      EXPECT_TRUE(committed) << committed.error().ToString();
    }
    return ledger;
  }

  std::string OneText(const std::string& sql) {
    Result<Connection> connection = Connection::Open(paths_.duckdb(), {});
    if (!connection) return connection.error().ToString();
    Result<std::vector<std::string>> texts = connection->Texts(sql);
    return texts ? fmt::format("{}", fmt::join(*texts, "|")) : texts.error().ToString();
  }

  fs::path dir_;
  lake::LakePaths paths_;
};

constexpr std::string_view kBar =
    "SELECT CAST(1.25 AS DECIMAL(18,9)) AS open, CAST(1.5 AS DECIMAL(18,9)) AS high, CAST(1 AS DECIMAL(18,9)) AS low, "
    "CAST(1.1 AS DECIMAL(18,9)) AS close, 7 AS volume";

std::string Rendered(const std::string& sql) {
  Result<Connection> connection = Connection::Open({}, {});
  if (!connection) return connection.error().ToString();
  Status zone = connection->Execute("SET TimeZone = 'UTC'");
  Result<std::vector<std::string>> texts = connection->Texts(sql);
  return texts && zone ? fmt::format("{}", fmt::join(*texts, "|")) : texts.error().ToString();
}

TEST(ResultText, IsExact) {
  EXPECT_EQ(Rendered("SELECT CAST('-0.000000001' AS DECIMAL(18,9))"), "-0.000000001");
  EXPECT_EQ(Rendered("SELECT CAST('999999999.123456789' AS DECIMAL(18,9))"), "999999999.123456789");
  EXPECT_EQ(Rendered("SELECT CAST('12345678901234567890123456789.5' AS DECIMAL(38,9))"),
            "12345678901234567890123456789.500000000");
  EXPECT_EQ(Rendered("SELECT CAST(12 AS DECIMAL(4,0))"), "12");
  EXPECT_EQ(Rendered("SELECT CAST(-1.5 AS DECIMAL(4,2))"), "-1.50");
  EXPECT_EQ(Rendered("SELECT CAST('-170141183460469231731687303715884105728' AS HUGEINT)"),
            "-170141183460469231731687303715884105728");
  EXPECT_EQ(Rendered("SELECT 18446744073709551615::UBIGINT"), "18446744073709551615");
  EXPECT_EQ(Rendered("SELECT 0.1::DOUBLE + 0.2::DOUBLE"), "0.30000000000000004");
  EXPECT_EQ(Rendered("SELECT CAST(-128 AS TINYINT)"), "-128");
  EXPECT_EQ(Rendered("SELECT 'a string longer than twelve bytes'"), "a string longer than twelve bytes");
}

TEST(ResultText, KeepsNanosecondsAndIsIso) {
  EXPECT_EQ(Rendered("SELECT TIMESTAMP_NS '2024-01-02 03:04:05.000000001'"), "2024-01-02T03:04:05.000000001");
  EXPECT_EQ(Rendered("SELECT TIMESTAMP '2024-01-02 03:04:05'"), "2024-01-02T03:04:05");
  EXPECT_EQ(Rendered("SELECT TIMESTAMP '1969-12-31 23:59:59.5'"), "1969-12-31T23:59:59.500000");
  EXPECT_EQ(Rendered("SELECT TIMESTAMPTZ '2024-01-02 03:04:05+01'"), "2024-01-02T02:04:05Z");
  EXPECT_EQ(Rendered("SELECT DATE '0001-01-01'"), "0001-01-01");
  EXPECT_EQ(Rendered("SELECT 'infinity'::TIMESTAMP"), "infinity");
  EXPECT_EQ(Rendered("SELECT TIME '03:04:05.25'"), "03:04:05.250000");
}

TEST(ResultText, OtherTypesComeAsDuckdbsText) {
  EXPECT_EQ(Rendered("SELECT [1, 2];"), "[1, 2]");
  EXPECT_EQ(Rendered("SELECT {'a': 1} AS s"), "{'a': 1}");
  EXPECT_EQ(Rendered("SELECT INTERVAL 1 DAY"), "1 day");
}

TEST(ResultText, SqlFaultsAreTheUsersAndOneLine) {
  Result<Connection> connection = Connection::Open({}, {});
  ASSERT_TRUE(connection);
  for (const char* sql : {"SELEC 1", "SELECT nothing", "SELECT * FROM nowhere", "SELECT 1/0 +'x'", "", ";"}) {
    Result<ResultStream> stream = connection->Stream(sql, IsRendered);
    ASSERT_FALSE(stream) << sql;
    EXPECT_EQ(stream.error().kind, ErrorKind::kUsage) << sql;
    EXPECT_EQ(stream.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(SinkTest, ViewsAddDoublesAndAreWrittenOnlyOnChange) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  WritePartition("es", "year=2024/data.parquet", std::string(kBar));
  std::unique_ptr<ledger::Ledger> one = LedgerOf({"nq"});
  Result<ViewRefresh> refresh = RefreshViews(paths_, *one);
  ASSERT_TRUE(refresh) << refresh.error().ToString();
  ASSERT_EQ(refresh->state, ViewState::kWritten) << refresh->reason;
  EXPECT_EQ(OneText("SELECT open FROM nq"), "1.250000000");
  EXPECT_EQ(OneText("SELECT open_f64 FROM nq"), "1.25");
  EXPECT_EQ(OneText("SELECT count(*) FROM (DESCRIBE nq)"), "9");  // five columns, four doubles, no `year`

  auto before = fs::last_write_time(paths_.duckdb());
  EXPECT_EQ(RefreshViews(paths_, *one)->state, ViewState::kCurrent);
  EXPECT_EQ(fs::last_write_time(paths_.duckdb()), before);

  std::unique_ptr<ledger::Ledger> both = LedgerOf({"es", "nq"});
  EXPECT_FALSE(*ViewsAreCurrent(paths_, *both));
  EXPECT_EQ(RefreshViews(paths_, *both)->state, ViewState::kWritten);
  EXPECT_EQ(OneText("SELECT volume FROM es"), "7");
}

TEST_F(SinkTest, ViewsOfGoneDatasetsGoAndTheUsersStay) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  WritePartition("es", "year=2024/data.parquet", std::string(kBar));
  ASSERT_EQ(RefreshViews(paths_, *LedgerOf({"es", "nq"}))->state, ViewState::kWritten);
  EXPECT_EQ(OneText("CREATE VIEW mine AS SELECT 1; SELECT 'made'"), "made");
  ASSERT_EQ(RefreshViews(paths_, *LedgerOf({"nq"}))->state, ViewState::kWritten);
  EXPECT_EQ(OneText("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1"), "mine|nq");
}

TEST(Views, ByTickerWhereRowsListTickers) {
  const auto names = [](const std::vector<View>& views) {
    std::vector<std::string> all;
    for (const View& view : views) all.push_back(view.name);
    return all;
  };
  const ViewedDataset news{"news", "polygon/news", false}, bars{"bars", "ohlcv-1d", false};
  EXPECT_EQ(names(ViewsOf(bars, {bars, news}, "x")), std::vector<std::string>{"bars"});
  EXPECT_EQ(names(ViewsOf(news, {bars, news}, "x")), (std::vector<std::string>{"news", "news_by_ticker"}));
  // A dataset of that name comes first.
  const ViewedDataset other{"news_by_ticker", "ohlcv-1d", false};
  EXPECT_EQ(names(ViewsOf(news, {news, other}, "x")), std::vector<std::string>{"news"});
}

TEST_F(SinkTest, ViewsFollowALakeThatMoved) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  std::unique_ptr<ledger::Ledger> ledger = LedgerOf({"nq"});
  ASSERT_EQ(RefreshViews(paths_, *ledger)->state, ViewState::kWritten);
  fs::rename(paths_.root, dir_ / "moved");
  paths_ = {dir_ / "moved"};
  EXPECT_FALSE(*ViewsAreCurrent(paths_, *ledger));
  ASSERT_EQ(RefreshViews(paths_, *ledger)->state, ViewState::kWritten);
  EXPECT_EQ(OneText("SELECT volume FROM nq"), "7");
}

TEST_F(SinkTest, AFileThatIsNoDatabaseIsPendingNotAnError) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  std::ofstream(paths_.duckdb()) << "not a database, but somebody's file, longer than a header would have to be";
  Result<ViewRefresh> refresh = RefreshViews(paths_, *LedgerOf({"nq"}));
  ASSERT_TRUE(refresh);
  EXPECT_EQ(refresh->state, ViewState::kPending);
  EXPECT_FALSE(refresh->reason.empty());
}

TEST_F(SinkTest, PinsOutliveAReplacementAndVanish) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  {
    Result<Pins> pins = Pins::Create(paths_);
    ASSERT_TRUE(pins) << pins.error().ToString();
    Result<fs::path> pinned = pins->Pin(paths_, "nq");
    ASSERT_TRUE(pinned);
    fs::path link = *pinned / "year=2024" / "data.parquet";
    uintmax_t size = fs::file_size(link);
    fs::remove(paths_.bronze("nq") / "year=2024" / "data.parquet");
    EXPECT_EQ(fs::file_size(link), size);
    Pins::CleanDead(paths_);  // must leave the living alone
    EXPECT_TRUE(fs::exists(link));
  }
  EXPECT_TRUE(fs::is_empty(paths_.pins()));
}

TEST_F(SinkTest, PinsOfTheDeadAreCleaned) {
  fs::create_directories(paths_.pins() / "12345-abcdef" / "nq");
  std::ofstream(paths_.pins() / "12345-abcdef" / "lock") << "";
  Result<Pins> pins = Pins::Create(paths_);
  ASSERT_TRUE(pins);
  EXPECT_FALSE(fs::exists(paths_.pins() / "12345-abcdef"));
}

class CountingWriter : public RowWriter {
 public:
  Status Begin(std::span<const ResultColumn> columns) override {
    columns_ = columns.size();
    return Ok();
  }
  Status Write(const ResultChunk& chunk) override {
    rows_ += chunk.rows();
    return Ok();
  }
  size_t columns_ = 0, rows_ = 0;
};

TEST_F(SinkTest, QueriesReadTheViewsAndLeaveNothingBehind) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  WritePartition("nq", "year=2025/data.parquet", std::string(kBar));
  std::unique_ptr<ledger::Ledger> ledger = LedgerOf({"nq"});
  CountingWriter writer;
  Status status = RunQuery({.paths = paths_, .ledger = ledger.get(), .sql = "SELECT * FROM NQ"}, writer);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(writer.rows_, 2u);
  EXPECT_EQ(writer.columns_, 9u);
  EXPECT_TRUE(fs::is_empty(paths_.pins()));
  EXPECT_FALSE(fs::exists(paths_.duckdb()));
}

// Runs a query without end, with SIGINT on its way; exits as the program would.
[[noreturn]] void RunUntilSignal(const lake::LakePaths& paths) {
  struct sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGINT;
  timer_t timer = nullptr;
  struct itimerspec in_300_ms{};
  in_300_ms.it_value.tv_nsec = 300'000'000;
  ::timer_create(CLOCK_MONOTONIC, &event, &timer);
  InstallStopHandlers();
  ::timer_settime(timer, 0, &in_300_ms, nullptr);
  CountingWriter writer;
  std::string endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range < b.range";
  Status status = RunQuery({.paths = paths, .ledger = nullptr, .sql = endless}, writer);
  std::exit(!status && status.error().kind == ErrorKind::kInterrupted ? 130 : 1);
}

TEST_F(SinkTest, ASignalEndsALongQuery) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(RunUntilSignal(paths_), testing::ExitedWithCode(130), "");
}

TEST_F(SinkTest, ABrokenFileIsAnError) {
  WritePartition("nq", "year=2024/data.parquet", std::string(kBar));
  std::ofstream(paths_.bronze("nq") / "year=2024" / "data.parquet") << "torn";
  CountingWriter writer;
  EXPECT_FALSE(RunQuery({.paths = paths_, .ledger = LedgerOf({"nq"}).get(), .sql = "SELECT * FROM nq"}, writer));
  EXPECT_TRUE(RunQuery({.paths = paths_, .ledger = LedgerOf({"nq"}).get(), .sql = "SELECT 1"}, writer));
}

}  // namespace
}  // namespace lode::sink
