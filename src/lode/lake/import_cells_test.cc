#include "lode/lake/import_cells.h"

#include <gtest/gtest.h>

namespace lode::lake {
namespace {

using ledger::Cell;
using ledger::CellState;
using source::databento::Condition;
using source::files::DataFile;
using source::files::Delivery;

Day On(const char* text) { return ParseDay(text).value(); }

DataFile File(const char* name) {
  DataFile file;
  file.name = name;
  file.name_facts = source::databento::ParseDataFileName(name);
  file.encoding = source::files::Encoding::kCsv;
  return file;
}

// A delivery of NQ.FUT, 2024-01-01 .. 2024-01-05, day files.
Delivery WholeDelivery() {
  Delivery delivery;
  delivery.query.emplace();
  delivery.query->symbols = {"NQ.FUT"};
  delivery.query->stype_in = "parent";
  delivery.query->start_ns = On("2024-01-01").start_ns();
  delivery.query->end_ns = On("2024-01-06").start_ns();
  delivery.manifest.emplace();
  using State = Condition::State;
  delivery.conditions = {{On("2024-01-01"), State::kAvailable, On("2024-02-01")},
                         {On("2024-01-02"), State::kDegraded, On("2024-02-01")},
                         {On("2024-01-03"), State::kPending, std::nullopt},
                         {On("2024-01-04"), State::kMissing, std::nullopt},
                         {On("2024-01-05"), State::kAvailable, std::nullopt}};
  return delivery;
}

std::map<std::string, CellState> States(const std::vector<Cell>& cells) {
  std::map<std::string, CellState> states;
  for (const Cell& cell : cells)
    EXPECT_TRUE(states.emplace(cell.symbol + " " + FormatDay(cell.day), cell.state).second);
  return states;
}

TEST(ImportCells, AWholeDeliverySaysWhatIsEmptyPendingAndMissing) {
  Delivery delivery = WholeDelivery();
  delivery.data.push_back(File("glbx-mdp3-20240102.ohlcv-1m.csv"));
  delivery.absent = {{"glbx-mdp3-20240105.ohlcv-1m.csv", 1, ""}};
  const auto states = States(CellsWithoutFile(delivery, {}));
  EXPECT_EQ(states, (std::map<std::string, CellState>{{"NQ.FUT 2024-01-01", CellState::kEmpty},
                                                      {"NQ.FUT 2024-01-03", CellState::kPending},
                                                      {"NQ.FUT 2024-01-04", CellState::kMissing},
                                                      {"NQ.FUT 2024-01-05", CellState::kMissing}}));
}

TEST(ImportCells, AFileOfOneSymbolAndDayAnswersForThem) {
  Delivery delivery;
  DataFile file;
  file.name = "deribit_trades_2020-03-01_BTC-PERPETUAL.csv.gz";
  file.name_facts = source::files::ParseName(file.name, *codec::FindSchema("tardis/trades"));
  file.encoding = source::files::Encoding::kCsv;
  DecodedFile decoded;
  decoded.file = &file;
  EXPECT_EQ(CellSymbols(delivery, file, decoded.stream), std::vector<std::string>{"BTC-PERPETUAL"});
  const std::vector<Cell> cells = CellsOfFile(delivery, decoded);
  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].symbol, "BTC-PERPETUAL");
  EXPECT_EQ(cells[0].day, On("2020-03-01"));
  EXPECT_EQ(cells[0].state, CellState::kEmpty);
}

TEST(ImportCells, TextWithAnOpenEndProvesNothingUnlessItsCompressionDoes) {
  for (const bool compressed : {false, true}) {
    Delivery delivery;
    DataFile file = File("glbx-mdp3-20240102.ohlcv-1m.csv");
    file.name_facts.compressed = compressed;
    DecodedFile decoded;
    decoded.file = &file;
    decoded.stream.ended_open = true;
    decoded.days[On("2024-01-02")].rows = decoded.days[On("2024-01-02")].by_symbol[0] = 5;
    const std::vector<Cell> cells = CellsOfFile(delivery, decoded);
    ASSERT_EQ(cells.size(), 1u);
    EXPECT_EQ(cells[0].state, compressed ? CellState::kComplete : CellState::kPartial);
  }
}

TEST(ImportCells, WithoutAManifestNothingIsCalledEmpty) {
  Delivery delivery = WholeDelivery();
  delivery.manifest.reset();
  for (const Cell& cell : CellsWithoutFile(delivery, {})) EXPECT_EQ(cell.state, CellState::kMissing);
}

TEST(ImportCells, AFileThatFailedIsNotCalledEmpty) {
  Delivery delivery = WholeDelivery();
  delivery.data.push_back(File("glbx-mdp3-20240101.ohlcv-1m.csv"));
  const auto cells = CellsWithoutFile(delivery, {{"glbx-mdp3-20240101.ohlcv-1m.csv", "truncated"}});
  EXPECT_EQ(States(cells).at("NQ.FUT 2024-01-01"), CellState::kFailed);
}

TEST(ImportCells, DaysWithRowsAreCompleteUnlessTheVendorOrTheRequestSaysOtherwise) {
  Delivery delivery = WholeDelivery();
  delivery.data.push_back(File("glbx-mdp3-20240101-20240105.ohlcv-1m.csv"));
  DecodedFile decoded{.file = &delivery.data[0]};
  for (const char* day : {"2024-01-01", "2024-01-02", "2024-01-03"})
    decoded.days[On(day)] = {.rows = 5, .by_symbol = {{0, 5}}};
  const std::vector<Cell> cells = CellsOfFile(delivery, decoded);
  const auto states = States(cells);
  EXPECT_EQ(states.at("NQ.FUT 2024-01-01"), CellState::kComplete);
  EXPECT_EQ(states.at("NQ.FUT 2024-01-02"), CellState::kComplete);
  EXPECT_EQ(states.at("NQ.FUT 2024-01-03"), CellState::kPending);
  EXPECT_EQ(states.at("NQ.FUT 2024-01-04"), CellState::kMissing);
  EXPECT_EQ(states.at("NQ.FUT 2024-01-05"), CellState::kEmpty);
  EXPECT_EQ(cells[0].rows, 5);
  EXPECT_EQ(cells[0].modified, On("2024-02-01"));
  EXPECT_TRUE(cells[1].degraded);
  EXPECT_EQ(cells[0].proof, "file end");
}

TEST(ImportCells, ARequestThatCutsADayLeavesItPartial) {
  Delivery delivery;
  DataFile file = File("x.dbn");
  file.encoding = source::files::Encoding::kDbn;
  DecodedFile decoded{.file = &file};
  decoded.stream.symbols = {"ESH1"};
  decoded.stream.start_ns = On("2024-01-01").start_ns() + 1;
  decoded.stream.end_ns = On("2024-01-03").start_ns() + 5;
  for (const char* day : {"2024-01-01", "2024-01-02", "2024-01-03"})
    decoded.days[On(day)] = {.rows = 1, .by_symbol = {{0, 1}}};
  const auto states = States(CellsOfFile(delivery, decoded));
  EXPECT_EQ(states.at("ESH1 2024-01-01"), CellState::kPartial);
  EXPECT_EQ(states.at("ESH1 2024-01-02"), CellState::kComplete);
  EXPECT_EQ(states.at("ESH1 2024-01-03"), CellState::kPartial);

  decoded.stream.start_ns = On("2024-01-01").start_ns();
  decoded.stream.limit = 3;
  decoded.stream.records = 3;
  EXPECT_EQ(States(CellsOfFile(delivery, decoded)).at("ESH1 2024-01-03"), CellState::kPartial);
}

TEST(ImportCells, ALimitThatEndsAFileLeavesItsLastDayPartialAndTheRestUnanswered) {
  for (const bool by_query : {false, true}) {
    Delivery delivery;
    DataFile file = File("x.dbn");
    file.encoding = source::files::Encoding::kDbn;
    DecodedFile decoded{.file = &file};
    const int64_t start = On("2024-01-01").start_ns(), end = On("2024-01-06").start_ns();  // whole days
    decoded.stream.records = 7;
    if (by_query) {
      delivery.query.emplace();
      delivery.query->symbols = {"ESH4"};
      delivery.query->start_ns = start;
      delivery.query->end_ns = end;
    } else {
      decoded.stream.symbols = {"ESH4"};
      decoded.stream.start_ns = start;
      decoded.stream.end_ns = end;
    }
    uint64_t& limit = by_query ? delivery.query->limit : decoded.stream.limit;
    for (const char* day : {"2024-01-01", "2024-01-03"}) decoded.days[On(day)] = {.rows = 1, .by_symbol = {{0, 1}}};
    for (const uint64_t reached : {6, 7}) {
      limit = reached;
      const std::vector<Cell> cells = CellsOfFile(delivery, decoded);
      const auto states = States(cells);
      EXPECT_EQ(states, (std::map<std::string, CellState>{{"ESH4 2024-01-01", CellState::kComplete},
                                                          {"ESH4 2024-01-03", CellState::kPartial}}))
          << "what lies between and behind was not asked to its end";
      EXPECT_EQ(cells.back().proof, "");
      EXPECT_NE(cells.back().reason.find("limit of " + std::to_string(reached)), std::string::npos);
    }
    for (const uint64_t not_reached : {0, 8}) {
      limit = not_reached;
      const auto states = States(CellsOfFile(delivery, decoded));
      EXPECT_EQ(states.size(), 5u);
      EXPECT_EQ(states.at("ESH4 2024-01-03"), CellState::kComplete);
      EXPECT_EQ(states.at("ESH4 2024-01-05"), CellState::kEmpty);
    }
  }
}

TEST(ImportCells, DaysTheConditionListLeavesOutAreNoCellsUnlessTheyHaveRows) {
  Delivery delivery = WholeDelivery();
  std::erase_if(delivery.conditions, [](const Condition& condition) {
    return condition.day == On("2024-01-02") || condition.day == On("2024-01-05");
  });
  delivery.data.push_back(File("glbx-mdp3-20240101-20240105.ohlcv-1m.csv"));
  DecodedFile decoded{.file = &delivery.data[0]};
  decoded.days[On("2024-01-02")] = {.rows = 5, .by_symbol = {{0, 5}}};
  EXPECT_EQ(States(CellsOfFile(delivery, decoded)),
            (std::map<std::string, CellState>{{"NQ.FUT 2024-01-01", CellState::kEmpty},
                                              {"NQ.FUT 2024-01-02", CellState::kComplete},
                                              {"NQ.FUT 2024-01-03", CellState::kPending},
                                              {"NQ.FUT 2024-01-04", CellState::kMissing}}));
  delivery.conditions.clear();  // without a list every day of the range was answered
  EXPECT_EQ(States(CellsOfFile(delivery, decoded)).size(), 5u);
}

TEST(ImportCells, AHostileRangeDoesNotMakeCellsWithoutEnd) {
  Delivery delivery;
  DataFile file = File("x.dbn");
  DecodedFile decoded{.file = &file};
  decoded.stream.start_ns = -int64_t{9'000'000'000} * kNsPerSecond;
  decoded.stream.end_ns = int64_t{9'000'000'000} * kNsPerSecond;
  for (int i = 0; i < 2000; ++i) decoded.stream.symbols.push_back("S" + std::to_string(i));
  EXPECT_TRUE(CellsOfFile(delivery, decoded).empty());
}

TEST(ImportCells, RowsOfSeveralSymbolsAreToldApart) {
  const std::vector<std::string> parents = {"GC.FUT", "SI.FUT"};
  EXPECT_EQ(AttributeSymbol(parents, "parent", "SIZ0"), 1u);
  EXPECT_EQ(AttributeSymbol(parents, "parent", "GCZ0-GCG1"), 0u);
  EXPECT_EQ(AttributeSymbol(parents, "parent", "HGZ0"), std::nullopt);
  EXPECT_EQ(AttributeSymbol({"ESH1", "ESM1"}, "raw_symbol", "ESM1"), 1u);
  EXPECT_EQ(AttributeSymbol({"OH.FUT", "OH.OPT"}, "parent", "OHF5 P20500"), std::nullopt);
  EXPECT_EQ(AttributeSymbol({"NQ.FUT"}, "parent", "anything"), 0u);

  Delivery delivery;
  delivery.query.emplace();
  delivery.query->symbols = parents;
  DataFile file = File("glbx-mdp3-20240101.ohlcv-1d.csv");
  DecodedFile decoded{.file = &file};
  decoded.days[On("2024-01-01")] = {.rows = 3, .by_symbol = {{0, 3}}};
  const std::vector<Cell> cells = CellsOfFile(delivery, decoded);
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(cells[0].rows, 3);
  EXPECT_EQ(cells[1].state, CellState::kEmpty);
  decoded.days[On("2024-01-01")].unattributed = 1;
  EXPECT_EQ(CellsOfFile(delivery, decoded)[1].state, CellState::kComplete)
      << "rows nobody can place prove no emptiness";
}

TEST(ImportCells, ARevisionIsTheVendorsLaterWord) {
  const auto cell = [](const char* symbol, CellState state, const char* modified) {
    Cell made{.symbol = symbol, .day = On("2024-01-01"), .state = state};
    if (modified[0] != '\0') made.modified = On(modified);
    return made;
  };
  using enum CellState;
  const Cell older = cell("A", kComplete, "2024-02-01");
  EXPECT_TRUE(IsRevision(cell("A", kComplete, "2024-02-02"), older));
  EXPECT_TRUE(IsRevision(cell("A", kEmpty, "2024-02-02"), older));
  EXPECT_FALSE(
      IsRevision(cell("A", kComplete, "2024-02-01"), older));  // the same answer again, perhaps of other limits
  EXPECT_FALSE(IsRevision(cell("A", kPartial, "2024-02-02"), older));
  EXPECT_FALSE(IsRevision(cell("A", kPending, "2024-02-02"), older));
  EXPECT_FALSE(IsRevision(cell("A", kComplete, ""), older));
  EXPECT_FALSE(IsRevision(cell("A", kComplete, "2024-02-02"), cell("A", kComplete, "")));
  EXPECT_FALSE(IsRevision(cell("file:x", kComplete, "2024-02-02"), cell("file:x", kComplete, "2024-02-01")));
}

}  // namespace
}  // namespace lode::lake
