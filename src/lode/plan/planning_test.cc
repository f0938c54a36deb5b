// Work and chunks together: random ledgers against a cell-by-cell reference, and the time a large plan takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <random>
#include <set>

#include "lode/plan/chunk.h"

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;
using State = VendorDay::State;
using CellKey = std::pair<std::string, Day>;

struct Case {
  std::vector<VendorDay> days;
  std::shared_ptr<const Listings> listings;
  std::vector<CellRow> present;
};

class RandomCase {
 public:
  explicit RandomCase(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool Once(uint64_t in) { return Below(in) == 0; }

  Case Make() {
    Case made;
    const Day start{static_cast<int32_t>(14'000 + Below(5000))};
    const uint64_t length = 1 + Below(500), symbols = 1 + Below(9);
    for (Day day = start; day < start + int(length); day = day + 1) {
      if (!Once(5)) made.days.push_back({day, Once(20) ? State(Below(4)) : State::kAvailable, MaybeDay(start)});
    }
    std::vector<std::string> names;
    for (uint64_t i = 0; i < symbols; ++i) {
      AddCells(made, names.emplace_back(fmt::format("S{}", i)), start - 3, start + int(length) + 3);
    }
    std::ranges::shuffle(names, random_);
    Listings listings;
    for (const std::string& name : names) {
      Listing listing{name, {}, {}, Once(8) ? "unknown" : ""};
      if (Once(3)) listing.first = start + int(Below(length));
      if (Once(3)) listing.last = start + int(Below(length));
      listings.Add(listing);
    }
    made.listings = std::make_shared<const Listings>(std::move(listings));
    return made;
  }

 private:
  std::optional<Day> MaybeDay(Day near) {
    if (Once(3)) return {};
    return near + int(Below(3));
  }
  // Symbols differ little from each other, as in life: stretches of one state.
  void AddCells(Case& made, const std::string& symbol, Day first, Day last) {
    const bool none = Once(4);
    auto state = CellState::kComplete;
    for (Day day = first; day <= last; day = day + 1) {
      if (Once(15)) state = CellState(Below(11));
      if (none || Once(10)) continue;
      CellRow row;
      row.cell.symbol = symbol;
      row.cell.day = day;
      row.cell.state = state;
      row.cell.modified = MaybeDay(first);
      made.present.push_back(row);
    }
  }
  std::mt19937_64 random_;
};

// The rules of work.h, one cell at a time.
std::set<CellKey> ReferenceWork(const Case& given, const WorkOptions& options) {
  std::map<CellKey, const Cell*> cells;
  for (const CellRow& row : given.present) cells[{row.cell.symbol, row.cell.day}] = &row.cell;
  std::set<CellKey> work;
  for (const Listing& listing : given.listings->all()) {
    for (const VendorDay& expected : given.days) {
      const Day day = expected.day;
      const auto found = cells.find({std::string(listing.symbol), day});
      const Cell* cell = found == cells.end() ? nullptr : found->second;
      if (options.first && day < *options.first) continue;
      if (options.last && day > *options.last) continue;
      if (!listing.unresolved.empty()) continue;
      if ((listing.first && day < *listing.first) || (listing.last && day > *listing.last)) continue;
      if (expected.state == State::kPending || expected.state == State::kMissing) continue;
      const bool refused = cell != nullptr && cell->state == CellState::kNotEntitled;
      const bool failed = cell != nullptr && cell->state == CellState::kFailed;
      if (options.retry_failed_only && !refused && !failed) continue;
      bool needed = options.retry_failed_only || cell == nullptr || options.refetch || !ledger::IsSettled(cell->state);
      if (!needed && cell->modified && expected.modified && *cell->modified < *expected.modified) {
        needed = cell->state == CellState::kComplete || cell->state == CellState::kEmpty;
      }
      needed = needed || cell->state == CellState::kClosed;
      if (!needed && cell->state == CellState::kNotListed) needed = listing.first || listing.last;
      if (needed) work.insert({std::string(listing.symbol), day});
    }
  }
  return work;
}

void Add(const Request& request, std::multiset<CellKey>& cells) {
  for (const std::string& symbol : request.symbols) {
    for (const VendorDay& day : request.days) cells.insert({symbol, day.day});
  }
}

void SplitToTheEnd(const Request& request, std::multiset<CellKey>& cells) {
  if (auto halves = Split(request)) {
    ASSERT_EQ(halves->first.cells() + halves->second.cells(), request.cells());
    SplitToTheEnd(halves->first, cells);
    SplitToTheEnd(halves->second, cells);
  } else {
    ASSERT_EQ(request.cells(), 1);
    Add(request, cells);
  }
}

std::string PartitionName(uint64_t kind, Day day) {
  constexpr size_t kLengths[] = {4, 7, 10};
  return FormatDay(day).substr(0, kLengths[kind]);
}

void CheckOne(uint64_t seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  RandomCase random(seed);
  const Case given = random.Make();
  WorkOptions options;
  if (random.Once(3) && !given.days.empty()) options.first = given.days[random.Below(given.days.size())].day;
  if (random.Once(3) && !given.days.empty()) options.last = given.days[random.Below(given.days.size())].day;
  options.refetch = random.Once(5);
  options.retry_failed_only = random.Once(5);
  const Work work = FindWork(given.days, given.listings, PresentCells::Of(given.present), options);
  const std::set<CellKey> reference = ReferenceWork(given, options);
  EXPECT_EQ(work.cells, static_cast<int64_t>(reference.size()));

  const ChunkLimits limits{.symbols = 1 + random.Below(4), .days = int32_t(1 + random.Below(40))};
  const uint64_t kind = random.Below(3);
  const auto partition_of = [&](Day day) { return PartitionName(kind, day); };
  std::multiset<CellKey> chunked, halved;
  std::set<std::string> partitions;
  const std::vector<RequestGroup> groups = Chunk(work, limits, partition_of);
  for (const RequestGroup& group : groups) {
    EXPECT_TRUE(partitions.insert(group.partition).second) << "a partition in two groups";
    for (const Request& request : group.requests) {
      EXPECT_LE(request.symbols.size(), limits.symbols);
      EXPECT_LT(request.last().since_epoch - request.first().since_epoch, limits.days);
      for (const VendorDay& day : request.days) EXPECT_EQ(partition_of(day.day), group.partition);
      Add(request, chunked);
      SplitToTheEnd(request, halved);
    }
  }
  const std::multiset<CellKey> expected(reference.begin(), reference.end());
  EXPECT_TRUE(chunked == expected) << "requests cover other cells than the work";
  EXPECT_TRUE(halved == expected) << "halves cover other cells than the work";

  // What was recorded is known the next time.
  std::map<CellKey, Cell> after;
  for (const CellRow& row : given.present) after[{row.cell.symbol, row.cell.day}] = row.cell;
  for (const Cell& cell : RecordedCells(work)) {
    EXPECT_FALSE(reference.contains({cell.symbol, cell.day})) << "recorded and requested";
    after[{cell.symbol, cell.day}] = cell;
  }
  std::vector<CellRow> rows;
  for (const auto& [key, cell] : after) rows.push_back({cell, 2});
  const Work again = FindWork(given.days, given.listings, PresentCells::Of(rows), options);
  EXPECT_TRUE(again.recorded.empty());
  EXPECT_TRUE(again.closed.empty());
  EXPECT_EQ(again.cells, work.cells);
}

TEST(Planning, RandomLedgersGiveExactlyTheirWork) {
  const uint64_t base = std::random_device()();
  std::printf("seed: planning %lu\n", static_cast<unsigned long>(base));
  for (uint64_t i = 0; i < 300 && !testing::Test::HasFailure(); ++i) CheckOne(base + i);
}

double CpuMs() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

#if defined(NDEBUG)
constexpr double kLimitMs = 300;  // three times the aim: a busy host may be half as fast
#else
constexpr double kLimitMs = 3000;
#endif

// 87 symbols × 15 years × 313 days: from nothing, from a full ledger, and from one with a hole in every symbol.
TEST(Planning, FifteenYearsOf87SymbolsTakeNoTime) {
  Case given;
  for (Day day = ToDay({2010, 6, 6}); day < ToDay({2025, 6, 6}); day = day + 1) {
    if ((day.since_epoch + 4) % 7 != 6) given.days.push_back({day, State::kAvailable, ToDay({2025, 7, 1})});
  }
  Listings listings;
  for (int i = 10; i < 97; ++i) listings.Add({fmt::format("S{}.FUT", i), {}, {}, {}});
  given.listings = std::make_shared<const Listings>(std::move(listings));
  std::vector<CellRow> full;
  for (const Listing& listing : given.listings->all()) {
    for (const VendorDay& day : given.days) {
      CellRow row;
      row.cell = {std::string(listing.symbol), day.day, CellState::kComplete, "", "stream", 100, day.modified, false};
      full.push_back(std::move(row));
    }
  }
  std::vector<CellRow> holes = full;
  for (size_t i = 0; i < holes.size(); i += 97) holes[i].cell.state = CellState::kFailed;
  const auto month = [](Day day) { return "month=" + FormatDay(day).substr(0, 7) + "/data.parquet"; };
  const std::pair<const char*, const std::vector<CellRow>*> ledgers[] = {
      {"nothing", &given.present}, {"everything", &full}, {"holes", &holes}};
  for (const auto& [name, present] : ledgers) {
    const PresentCells there = PresentCells::Of(*present);
    double best_ms = 1e9;
    size_t requests = 0;
    for (int turn = 0; turn < 3; ++turn) {
      const double start_ms = CpuMs();
      const Work work = FindWork(given.days, given.listings, there, {});
      requests = 0;
      for (const RequestGroup& group : Chunk(work, {}, month)) requests += group.requests.size();
      best_ms = std::min(best_ms, CpuMs() - start_ms);
    }
    std::printf("note: 87 symbols x 15 years planned from %s: %.1f ms, %zu requests\n", name, best_ms, requests);
    EXPECT_LT(best_ms, kLimitMs);
  }
}

}  // namespace
}  // namespace lode::plan
