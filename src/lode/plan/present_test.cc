#include "lode/plan/present.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "lode/plan/coverage.h"

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;

CellRow Row(std::string symbol, Day day, CellState state, std::optional<Day> modified = {}, std::string proof = {},
            std::string reason = {}) {
  return {Cell{.symbol = std::move(symbol),
               .day = day,
               .state = state,
               .reason = std::move(reason),
               .proof = std::move(proof),
               .modified = modified},
          1};
}

TEST(PresentCells, GiveBackWhatWasAdded) {
  const uint64_t seed = std::random_device()();
  std::printf("seed: present %lu\n", static_cast<unsigned long>(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](uint64_t limit) { return random() % limit; };
  std::vector<CellRow> rows;
  std::map<std::pair<std::string, Day>, CellRow> wanted;
  for (int symbol = 0; symbol < 300; ++symbol) {
    const std::string name = fmt::format("S{:03}", symbol);
    int32_t day = static_cast<int32_t>(below(40'000)) - 10'000;
    for (uint64_t i = below(200); i > 0; --i) {
      day += static_cast<int32_t>(1 + (below(20) == 0 ? below(900) : below(3)));
      const auto state = below(3) == 0 ? CellState(below(11)) : CellState::kComplete;
      std::optional<Day> modified;
      if (below(4) != 0) modified = Day{day + static_cast<int32_t>(below(30) == 0 ? below(100'000) : 1)};
      const std::string proof = below(20) == 0 ? ledger::VersionProof(fmt::format("v{}", below(3))) : "stream";
      const std::string reason = state == CellState::kComplete ? "" : below(9) == 0 ? std::string(kLostReason) : "why";
      rows.push_back(Row(name, Day{day}, state, modified, proof, reason));
      wanted[{name, Day{day}}] = rows.back();
    }
  }
  const PresentCells present = PresentCells::Of(rows);
  size_t found = 0;
  for (size_t i = 0; i < present.size(); ++i) {
    const PresentCells::Symbol symbol = present[i];
    if (i > 0) {
      EXPECT_LT(present[i - 1].name, symbol.name);
    }
    EXPECT_EQ(present.LowerBound(symbol.name), i);
    EXPECT_EQ(present.LowerBound(symbol.name, i / 2), i);
    std::optional<Day> last;
    symbol.ForEach([&](const PresentCell& cell) {
      ++found;
      if (last) {
        EXPECT_LT(*last, cell.day);
      }
      last = cell.day;
      const auto row = wanted.find({std::string(symbol.name), cell.day});
      ASSERT_NE(row, wanted.end());
      const Cell& want = row->second.cell;
      const bool lost = want.reason == kLostReason;
      EXPECT_EQ(cell.state, lost ? CellState::kMissing : want.state);
      EXPECT_EQ(cell.is_lost, lost);
      EXPECT_EQ(cell.modified, want.modified);
      if (cell.state != CellState::kComplete && cell.state != CellState::kEmpty) {
        EXPECT_EQ(present.ReasonOf(cell), want.reason);
      }
      EXPECT_EQ(cell.version, lost || !ledger::IsVersionProof(want.proof) ? 0 : VersionMark(want.proof));
      ASSERT_TRUE(symbol.Find(cell.day));
      EXPECT_FALSE(wanted.contains({std::string(symbol.name), cell.day + 1}) != symbol.Find(cell.day + 1).has_value());
    });
  }
  EXPECT_EQ(found, wanted.size());
}

TEST(PresentCells, ExtraOnesAreCompleteWhereverTheyLie) {
  const Day day{20'000};
  const std::vector<CellRow> rows = {Row("B", day, CellState::kFailed), Row("B", day + 2, CellState::kComplete),
                                     Row("D", day, CellState::kEmpty)};
  const std::vector<PresentCells::Extra> extra = {{"A", day, {}},     {"B", day, day + 9}, {"B", day + 1, {}},
                                                  {"B", day + 3, {}}, {"C", day, {}},      {"E", day, {}}};
  const PresentCells all = PresentCells::Of(rows).With(extra);
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].ForEach([&](const PresentCell& cell) {
      text += fmt::format("{}{}{}{} ", all[i].name, cell.day.since_epoch - day.since_epoch,
                          cell.state == CellState::kComplete ? "c" : "e", cell.modified ? "m" : "");
    });
  }
  EXPECT_EQ(text, "A0c B0cm B1c B2c B3c C0c D0e E0c ");
}

TEST(PresentCells, OfADayBeyondAllCalendarsAreKept) {
  const std::vector<CellRow> rows = {Row("A", Day{-2'147'483'000}, CellState::kComplete),
                                     Row("A", Day{20'000}, CellState::kComplete),
                                     Row("A", Day{2'147'483'000}, CellState::kEmpty)};
  const PresentCells present = PresentCells::Of(rows);
  for (const CellRow& row : rows) {
    ASSERT_TRUE(present[0].Find(row.cell.day));
    EXPECT_EQ(present[0].Find(row.cell.day)->state, row.cell.state);
  }
  EXPECT_FALSE(present[0].Find(Day{19'999}));
}

}  // namespace
}  // namespace lode::plan
