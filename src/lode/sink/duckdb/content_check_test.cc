#include "lode/sink/duckdb/content_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lode/sink/duckdb/content_rules.h"
#include "lode/sink/duckdb/null_shares.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kJanuary = "month=2024-01/data.parquet";

// A bar of one instrument: what stands in the file, before types.
struct Bar {
  std::string start;
  double open = 10, high = 12, low = 9, close = 11;
  int volume = 5;
  int id = 1;
};

std::string RowsOf(const std::vector<Bar>& bars) {
  std::vector<std::string> rows;
  for (const Bar& bar : bars) {
    rows.push_back(fmt::format("({}, TIMESTAMP '{}', {}, {}, {}, {}, {})", bar.id, bar.start, bar.open, bar.high,
                               bar.low, bar.close, bar.volume));
  }
  return fmt::format(
      "SELECT 1::INTEGER AS publisher_id, id::BIGINT AS instrument_id, 'ESH4' AS symbol, 'ES' AS root, false AS "
      "is_spread, t AS ts_event, o::DECIMAL(18,9) AS open, h::DECIMAL(18,9) AS high, l::DECIMAL(18,9) AS low, "
      "c::DECIMAL(18,9) AS close, v::BIGINT AS volume, NULL::VARCHAR AS _extra FROM (VALUES {}) q(id, t, o, h, l, c, "
      "v)",
      fmt::join(rows, ", "));
}

class ContentCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lode-content-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    paths_ = {dir_ / "lake [1]*"};  // a path that DuckDB would read as a pattern
    ASSERT_TRUE(lake::CreateLake(paths_));
    ledger_ = *ledger::Ledger::OpenInMemory();
  }
  void TearDown() override { fs::remove_all(dir_); }

  // A partition of these rows that a receipt of its own names with the file's own size and hash: whatever is wrong with
  // the rows, the bytes are as the receipt says. `rows`: what the receipt says, -1: the truth.
  void Publish(const std::string& dataset, const std::string& schema, std::string_view path, const std::string& select,
               int64_t rows = -1, const std::string& options = "", const std::vector<ledger::Cell>& cells = {}) {
    const fs::path file = paths_.bronze(dataset) / path;
    fs::create_directories(file.parent_path());
    Connection connection = *Connection::Open({}, {});
    const Status written =
        connection.Execute(fmt::format("COPY ({}) TO {} (FORMAT parquet{})", select, SqlText(file.string()), options));
    ASSERT_TRUE(written) << written.error().ToString();
    if (rows < 0) rows = std::stoll(connection.Texts("SELECT count(*) FROM (" + select + ")")->at(0));
    Receipt(dataset, schema, path, rows, cells);
  }

  void Receipt(const std::string& dataset, const std::string& schema, std::string_view path, int64_t rows,
               const std::vector<ledger::Cell>& cells = {}) {
    const store::Digest digest = *store::HashFile(paths_.bronze(dataset) / path);
    ledger::Receipt receipt;
    receipt.sequence = *ledger_->NextSequence(dataset);
    receipt.dataset = dataset;
    receipt.schema = schema;
    receipt.layout = schema == "ohlcv-1m" ? "month={yyyy}-{mm}/data.parquet" : "year={yyyy}/data.parquet";
    receipt.partitions.push_back({.path = std::string(path),
                                  .size = digest.size,
                                  .sha256 = digest.sha256,
                                  .rows = rows,
                                  .min_key = "",
                                  .max_key = "",
                                  .replaces = ""});
    receipt.cells = cells;
    const Status committed = ledger_->Commit(receipt, "", 0);
    ASSERT_TRUE(committed) << committed.error().ToString();
  }

  ContentRequest Request() {
    ContentRequest request{.paths = paths_, .ledger = ledger_.get(), .datasets = {}, .damaged = {}, .progress = {}};
    const std::vector<ledger::DatasetRow> datasets = ledger_->Datasets().value();
    for (const ledger::DatasetRow& row : datasets) {
      request.datasets.push_back({row, ledger_->Partitions(row.name).value(), "GLBX.MDP3"});
    }
    return request;
  }

  std::vector<std::string> Check(std::set<std::string> damaged = {}) {
    ContentRequest request = Request();
    request.damaged = std::move(damaged);
    return Lines(request);
  }

  // "severity check count path: problem" of each finding.
  static std::vector<std::string> Lines(const ContentRequest& request) {
    const Result<std::vector<lake::Finding>> findings = CheckContents(request);
    if (!findings) return {findings.error().ToString()};
    std::vector<std::string> lines;
    for (const lake::Finding& finding : *findings) {
      lines.push_back(fmt::format("{} {} {} {}: {}",
                                  finding.severity == lake::Finding::Severity::kDamage ? "damage" : "warning",
                                  finding.check, finding.count, finding.path, finding.problem));
    }
    return lines;
  }

  fs::path dir_;
  lake::LakePaths paths_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(ContentCheckTest, GoodBarsAreNoFinding) {
  Publish("es", "ohlcv-1m", kJanuary,
          RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}, {.start = "2024-01-02 09:00", .id = 2}}));
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(ContentCheckTest, ARowOfTheSameIdentityIsDamage) {
  Publish("es", "ohlcv-1m", kJanuary,
          RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}, {.start = "2024-01-02 10:01", .close = 10}}));
  EXPECT_THAT(Check(), ElementsAre("damage identity 1 bronze/es/month=2024-01/data.parquet: 1 row repeats the identity "
                                   "of the one before; first: row 2, instrument_id 1, ts_event 2024-01-02 10:01:00, "
                                   "publisher_id 1, symbol ESH4"));
}

TEST_F(ContentCheckTest, RowsOutOfOrderAreDamage) {
  Publish("es", "ohlcv-1m", kJanuary,
          RowsOf({{.start = "2024-01-02 10:00", .id = 2}, {"2024-01-02 10:01"}, {"2024-01-02 10:00"}}));
  EXPECT_THAT(Check(), ElementsAre(StartsWith("damage order 2 bronze/es/month=2024-01/data.parquet: 2 rows are out of "
                                              "order; first: row 1, instrument_id 1,")));
}

// Null symbols come first, as the merge sorts them.
TEST_F(ContentCheckTest, NullsComeFirstInTheOrder) {
  const std::string bars = RowsOf({{"2024-01-02 10:00"}});
  const std::string nulls = "SELECT * REPLACE (NULL::VARCHAR AS symbol) FROM (" + bars + ")";
  Publish("es", "ohlcv-1m", kJanuary, nulls + " UNION ALL " + bars);
  EXPECT_THAT(Check(), IsEmpty());
  Publish("es", "ohlcv-1m", kJanuary, bars + " UNION ALL " + nulls);
  EXPECT_THAT(Check(), testing::Contains(StartsWith("damage order 1 ")));
}

TEST_F(ContentCheckTest, OtherRowsThanTheReceiptOrTheFooterSaysAreDamage) {
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}}), 5);
  EXPECT_THAT(Check(), ElementsAre("damage rows 3 bronze/es/month=2024-01/data.parquet: 2 rows, its receipt says 5"));
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}}), -1,
          ", KV_METADATA {'lode.rows': '7'}");
  EXPECT_THAT(Check(), ElementsAre("damage rows 5 bronze/es/month=2024-01/data.parquet: 2 rows, its footer says 7"));
}

TEST_F(ContentCheckTest, WhatDuckdbCannotReadIsDamageAndKeepsNoOtherFileOut) {
  for (int i = 0; i < 6; ++i) {
    const std::string path = fmt::format("month=2024-0{}/data.parquet", i + 1);
    Publish("es", "ohlcv-1m", path, RowsOf({{.start = "2024-01-02 10:00", .high = i == 5 ? 1.0 : 12.0}}));
  }
  std::ofstream(paths_.bronze("es") / "month=2024-03/data.parquet") << "no Parquet at all, whatever its receipt says";
  Receipt("es", "ohlcv-1m", "month=2024-03/data.parquet", 1);
  Publish("es", "ohlcv-1m", "month=2024-04/data.parquet", "SELECT 1 AS publisher_id");
  EXPECT_THAT(Check(),
              ElementsAre(StartsWith("damage readable 1 bronze/es/month=2024-03/data.parquet: DuckDB cannot read it: "),
                          StartsWith("damage readable 1 bronze/es/month=2024-04/data.parquet: DuckDB cannot read it: "),
                          StartsWith("warning prices 1 bronze/es/month=2024-06/data.parquet: ")));
}

TEST_F(ContentCheckTest, BytesThatAreNotTheReceiptsAreNotJudged) {
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:01"}, {"2024-01-02 10:00"}}));
  EXPECT_EQ(Check().size(), 1U);
  EXPECT_THAT(Check({"bronze/es/month=2024-01/data.parquet"}), IsEmpty());
  std::ofstream(paths_.bronze("es") / kJanuary) << "replaced by somebody";  // the comparison of bytes tells it
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(ContentCheckTest, AFilePublishedMeanwhileIsJudgedByItsNewReceipt) {
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:00"}}));
  const ContentRequest before = Request();
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}}));
  EXPECT_THAT(Lines(before), IsEmpty());
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:01"}, {"2024-01-02 10:00"}}));
  EXPECT_THAT(Lines(before), ElementsAre(StartsWith("damage order 1 ")));
}

TEST_F(ContentCheckTest, OddPricesAreOneWarningADataset) {
  // A negative price is none: crude in April 2020, and spreads.
  Publish("es", "ohlcv-1m", kJanuary, RowsOf({{"2024-01-02 10:00", -40, -37, -41, -38}}));
  EXPECT_THAT(Check(), IsEmpty());
  Publish(
      "es", "ohlcv-1m", kJanuary,
      RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01", 10, 10.5, 9, 11}, {"2024-01-02 10:02", 10, 12, 10.5, 11}}));
  Publish("es", "ohlcv-1m", "month=2024-02/data.parquet", RowsOf({{"2024-02-02 10:01", 10, 9, 9.5, 9.2, -1}}));
  EXPECT_THAT(
      Check(),
      ElementsAre("warning prices 3 bronze/es/month=2024-01/data.parquet: 3 rows have a high or low that is not their "
                  "highest or lowest price in 2 files; first: row 1, instrument_id 1, ts_event 2024-01-02 10:01:00, "
                  "publisher_id 1, symbol ESH4, open 10.000000000, high 10.500000000, low 9.000000000, close "
                  "11.000000000",
                  StartsWith("warning prices 1 bronze/es/month=2024-02/data.parquet: 1 row has a negative volume;")));
}

TEST_F(ContentCheckTest, ANullWhereTheSchemaHasNoneIsDamageAndAMissingPriceIsOdd) {
  const std::string bars = RowsOf({{"2024-01-02 10:00"}, {"2024-01-02 10:01"}});
  Publish("es", "ohlcv-1m", kJanuary,
          "SELECT * REPLACE (NULL::BIGINT AS volume, NULL::DECIMAL(18,9) AS low) FROM (" + bars + ")");
  EXPECT_THAT(Check(),
              ElementsAre("damage nulls 2 bronze/es/month=2024-01/data.parquet: column volume has 2 nulls, its "
                          "schema none",
                          StartsWith("warning prices 2 bronze/es/month=2024-01/data.parquet: 2 rows lack a "
                                     "price; first: row 0, ")));
}

TEST_F(ContentCheckTest, EventsAreJudgedByFileAndRecord) {
  const std::string rows =
      "SELECT 'a.dbn' AS source_file, n::BIGINT AS source_row, 'ESH4' AS symbol, TIMESTAMP_NS '2024-01-02' AS ts_recv, "
      "1.5::DECIMAL(18,9) AS price FROM (VALUES {}) q(n)";
  Publish("es", "trades", "day=2024-01-02/data.parquet", fmt::format(fmt::runtime(rows), "(0), (1), (2)"));
  EXPECT_THAT(Check(), IsEmpty());
  Publish("es", "trades", "day=2024-01-02/data.parquet", fmt::format(fmt::runtime(rows), "(0), (1), (1), (0)"));
  EXPECT_THAT(Check(), ElementsAre(StartsWith("damage order 1 "), StartsWith("damage identity 1 ")));
}

// The merge's order and a table's identity are the same columns: only then does the row before tell a repeated one.
TEST(ContentRules, EverySchemaIsOrderedByItsIdentity) {
  for (const char* source : {"databento", "polygon", "polygon_rest", "tardis", "fred"}) {
    const auto schemas = codec::SchemasOf(source);
    EXPECT_FALSE(schemas.empty()) << source;
    for (const codec::TableSchema* schema : schemas) {
      EXPECT_THAT(schema->order, testing::UnorderedElementsAreArray(schema->key)) << schema->name;
    }
  }
}

TEST(NullShares, AJumpIsSeenAndASparseColumnIsNot) {
  const codec::TableSchema* schema = codec::FindSchema("trades");
  const auto jumps = [&](int64_t first, int64_t second, int64_t third, int64_t rows = 1000,
                         std::string_view layout = "day={day}/{symbol}.parquet") {
    NullShares shares(layout);
    int i = 0;
    for (const int64_t nulls : {first, second, third}) {
      shares.Add(fmt::format("day=2024-01-0{}/ES.parquet", ++i), rows, {{"size", {.values = rows, .nulls = nulls}}});
    }
    std::vector<std::string> texts;
    for (const NullJump& jump : shares.Jumps(*schema)) {
      texts.push_back(fmt::format("{} {} {} {} {}", jump.column, jump.files, jump.path, jump.share, jump.elsewhere));
    }
    return texts;
  };
  EXPECT_THAT(jumps(0, 1000, 20), ElementsAre("size 1 day=2024-01-02/ES.parquet 1 0.01"));
  EXPECT_THAT(jumps(0, 499, 0), IsEmpty());
  EXPECT_THAT(jumps(300, 1000, 300), IsEmpty());
  EXPECT_THAT(jumps(0, 10, 0, 10), IsEmpty());
  // Another symbol may have other columns.
  EXPECT_THAT(jumps(0, 1000, 0, 1000, "{symbol}/x.parquet"), IsEmpty());
}

TEST_F(ContentCheckTest, AColumnThatIsSuddenlyNullIsOneWarning) {
  const auto trades = [&](std::string_view day, std::string_view side) {
    Publish(
        "es", "trades", fmt::format("day={}/data.parquet", day),
        fmt::format("SELECT 'a.dbn' AS source_file, n::BIGINT AS source_row, 'ESH4' AS symbol, TIMESTAMP_NS '{}' AS "
                    "ts_recv, {} AS side FROM range(200) q(n)",
                    day, side));
  };
  trades("2024-01-02", "'A'");
  trades("2024-01-03", "NULL::VARCHAR");
  trades("2024-01-04", "'B'");
  EXPECT_THAT(Check(),
              ElementsAre("warning nulls 1 bronze/es/day=2024-01-03/data.parquet: column side is null in 100 % of "
                          "the rows, elsewhere in 0.0 %"));
}

// Hours of one day from minutes, and the day from hours.
class BarSumsTest : public ContentCheckTest {
 protected:
  static ledger::Cell CellOf(const std::string& symbol, const std::string& day,
                             ledger::CellState state = ledger::CellState::kComplete) {
    ledger::Cell cell;
    cell.symbol = symbol;
    cell.day = *ParseDay(day);
    cell.state = state;
    cell.proof = state == ledger::CellState::kComplete ? "stream" : "";
    return cell;
  }

  void Minutes(const std::vector<ledger::Cell>& cells) {
    Publish("es_1m", "ohlcv-1m", kJanuary,
            RowsOf({{"2024-01-02 10:00", 10, 12, 9, 11, 5},
                    {"2024-01-02 10:59", 11, 13, 10, 12, 7},
                    {"2024-01-02 11:30", 12, 12, 8, 9, 1},
                    {"2024-01-03 10:00", 1, 1, 1, 1, 1}}),
            -1, "", cells);
  }
  void Hours(const std::vector<Bar>& bars, const std::vector<ledger::Cell>& cells) {
    Publish("es_1h", "ohlcv-1h", "year=2024/data.parquet", RowsOf(bars), -1, "", cells);
  }
  const std::vector<Bar> good_hours_ = {{"2024-01-02 10:00", 10, 13, 9, 12, 12}, {"2024-01-02 11:00", 12, 12, 8, 9, 1}};
  const std::vector<ledger::Cell> one_day_ = {CellOf("ES.FUT", "2024-01-02")};
};

TEST_F(BarSumsTest, SumsThatAgreeAreNoFinding) {
  Minutes(one_day_);
  Hours(good_hours_, one_day_);
  std::string day = RowsOf({{"2024-01-02 00:00", 10, 13, 8, 9, 13}});
  day = "SELECT * EXCLUDE (_extra), DATE '2024-01-02' AS date, _extra FROM (" + day + ")";
  Publish("es_1d", "ohlcv-1d", "year=2024/data.parquet", day, -1, "", one_day_);
  EXPECT_THAT(Check(), IsEmpty());
  day = "SELECT * REPLACE (volume + 1 AS volume) FROM (" + day + ")";
  Publish("es_1d", "ohlcv-1d", "year=2024/data.parquet", day, -1, "", one_day_);
  EXPECT_THAT(Check(), ElementsAre("warning sums 1 bronze/es_1d: 1 of 1 bars are not what the bars of es_1h add up to; "
                                   "first: ESH4 2024-01-02T00:00:00 volume 14 instead of 13"));
}

TEST_F(BarSumsTest, EachFigureIsCompared) {
  Minutes(one_day_);
  const std::vector<std::pair<double Bar::*, std::string>> prices = {
      {&Bar::open, "open"}, {&Bar::high, "high"}, {&Bar::low, "low"}, {&Bar::close, "close"}};
  for (const auto& [price, name] : prices) {
    std::vector<Bar> hours = good_hours_;
    hours[1].*price += price == &Bar::low ? -1 : price == &Bar::high ? 1 : -0.5;
    Hours(hours, one_day_);
    EXPECT_THAT(Check(), ElementsAre(StartsWith("warning sums 1 bronze/es_1h: 1 of 2 bars are not what the bars of "
                                                "es_1m add up to; first: ESH4 2024-01-02T11:00:00 " +
                                                name + " ")));
  }
}

TEST_F(BarSumsTest, OnlyDaysCompleteInBothAreCompared) {
  const std::vector<Bar> wrong = {{"2024-01-02 10:00", 10, 20, 9, 12, 12}};
  Hours(wrong, one_day_);
  Minutes({CellOf("ES.FUT", "2024-01-03")});
  EXPECT_THAT(Check(), IsEmpty());
  Minutes({CellOf("ES.FUT", "2024-01-02"), CellOf("NQ.FUT", "2024-01-02", ledger::CellState::kMissing)});
  EXPECT_THAT(Check(), IsEmpty());
  Minutes({CellOf("NQ.FUT", "2024-01-02", ledger::CellState::kNotListed)});
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("high 20.000000000 instead of 13.000000000")));
}

TEST_F(BarSumsTest, ABarThatOneSideLacksCountsWhereBothWereAskedForTheSame) {
  Minutes(one_day_);
  Hours({good_hours_[0]}, one_day_);
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("1 of 2 bars are not what the bars of es_1m add up to; first: ESH4 "
                                             "2024-01-02T11:00:00 not there")));
  Minutes({CellOf("NQ.FUT", "2024-01-02")});
  EXPECT_THAT(Check(), IsEmpty());
}

// A day a statement: the same count, and the first example is the first day's.
TEST_F(BarSumsTest, DaysAreComparedInPieces) {
  const std::vector<ledger::Cell> days = {CellOf("ES.FUT", "2024-01-02"), CellOf("ES.FUT", "2024-01-03")};
  Minutes(days);
  Hours({{"2024-01-02 10:00", 10, 13, 9, 12, 99}, good_hours_[1], {"2024-01-03 10:00", 1, 1, 1, 1, 99}}, days);
  ContentRequest request = Request();
  const std::vector<std::string> at_once = Lines(request);
  EXPECT_THAT(at_once, ElementsAre(HasSubstr("2 of 3 bars are not what the bars of es_1m add up to; first: ESH4 "
                                             "2024-01-02T10:00:00 volume 99 instead of 12")));
  request.rows_at_once = 1;
  EXPECT_EQ(Lines(request), at_once);
}

}  // namespace
}  // namespace lode::sink
