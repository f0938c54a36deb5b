#include "lode/plan/chunk.h"

#include <gtest/gtest.h>

#include <set>

namespace lode::plan {
namespace {

Day D(const char* text) { return ParseDay(text).value(); }

// All days of the range are expected.
Work AllDays(const char* first, const char* last, const std::vector<std::string>& symbols) {
  Work work;
  for (Day day = D(first); day <= D(last); day = day + 1) work.days.push_back({day, VendorDay::State::kAvailable, {}});
  Listings listings;
  work.runs = {{0, uint32_t(work.days.size())}};
  for (const std::string& symbol : symbols) {
    work.symbols.push_back({uint32_t(listings.size()), 0, 1});
    listings.Add({.symbol = symbol});
  }
  work.listings = std::make_shared<const Listings>(std::move(listings));
  return work;
}

std::string Year(Day day) { return FormatDay(day).substr(0, 4); }
std::string Month(Day day) { return FormatDay(day).substr(0, 7); }

// "A+B 2024-01-01..2024-01-07"
std::string Text(const Request& request) {
  return fmt::format("{} {}..{}", fmt::join(request.symbols, "+"), FormatDay(request.first()),
                     FormatDay(request.last()));
}

std::vector<std::string> Texts(const std::vector<RequestGroup>& groups) {
  std::vector<std::string> texts;
  for (const RequestGroup& group : groups) {
    for (const Request& request : group.requests) texts.push_back(Text(request));
  }
  return texts;
}

TEST(Chunk, CutsAtBordersSymbolsAndDays) {
  const Work work = AllDays("2024-01-25", "2024-02-09", {"A", "B", "C", "D"});
  EXPECT_EQ(Texts(Chunk(work, {.symbols = 3, .days = 7}, Month)),
            (std::vector<std::string>{"A+B+C 2024-02-08..2024-02-09", "D 2024-02-08..2024-02-09",
                                      "A+B+C 2024-02-01..2024-02-07", "D 2024-02-01..2024-02-07",
                                      "A+B+C 2024-01-25..2024-01-31", "D 2024-01-25..2024-01-31"}));
}

TEST(Chunk, LastThenFirstThenInOrder) {
  const Work work = AllDays("2020-06-01", "2024-03-01", {"A"});
  std::vector<std::string> partitions;
  for (const RequestGroup& group : Chunk(work, DefaultLimits("ohlcv-1d"), Year)) partitions.push_back(group.partition);
  EXPECT_EQ(partitions, (std::vector<std::string>{"2024", "2020", "2021", "2022", "2023"}));
}

TEST(Chunk, ALeapYearOfDailyBarsIsOneRequest) {
  const Work work = AllDays("2024-01-01", "2024-12-31", {"A"});
  EXPECT_EQ(Chunk(work, DefaultLimits("ohlcv-1d"), Year)[0].requests.size(), 1u);
  EXPECT_EQ(Chunk(work, {.symbols = 3, .days = 364}, Year)[0].requests.size(), 2u);
  const Work across = AllDays("2024-06-01", "2025-06-01", {"A"});
  const auto all = [](Day) { return std::string("data"); };
  EXPECT_EQ(Chunk(across, DefaultLimits("ohlcv-1d"), all)[0].requests.size(), 2u);
}

TEST(Chunk, OnlySymbolsWithTheSameDaysShare) {
  Work work = AllDays("2024-01-01", "2024-01-07", {"A", "B", "C", "D"});
  work.runs = {{0, 7}, {0, 2}, {5, 7}};
  work.symbols[1].begin = work.symbols[3].begin = 1;
  work.symbols[1].size = work.symbols[3].size = 2;
  EXPECT_EQ(Texts(Chunk(work, {}, Month)),
            (std::vector<std::string>{"A+C 2024-01-01..2024-01-07", "B+D 2024-01-06..2024-01-07",
                                      "B+D 2024-01-01..2024-01-02"}));
}

TEST(Chunk, APartitionMayHoldDaysFarApart) {
  const Work work = AllDays("2023-12-31", "2025-01-01", {"A"});
  const auto groups = Chunk(work, {.symbols = 3, .days = 400}, [](Day day) { return FormatDay(day).substr(5, 2); });
  ASSERT_EQ(groups.size(), 12u);
  EXPECT_EQ(groups[0].partition, "01");
  EXPECT_EQ(Text(groups[0].requests[0]), "A 2025-01-01..2025-01-01");
  EXPECT_EQ(Text(groups[0].requests[1]), "A 2024-01-01..2024-01-31");
  EXPECT_EQ(groups[1].partition, "12");
}

TEST(Chunk, NoWorkNoRequests) {
  EXPECT_TRUE(Chunk(AllDays("2024-01-01", "2024-01-02", {}), {}, Month).empty());
  EXPECT_TRUE(Chunk(Work{}, {}, Month).empty());
}

TEST(Split, HalvesSymbolsThenDays) {
  const Work work = AllDays("2024-01-01", "2024-01-03", {"A", "B", "C"});
  const Request whole = Chunk(work, {}, Month)[0].requests[0];
  auto halves = Split(whole);
  ASSERT_TRUE(halves);
  EXPECT_EQ(Text(halves->first), "A+B 2024-01-01..2024-01-03");
  EXPECT_EQ(Text(halves->second), "C 2024-01-01..2024-01-03");
  halves = Split(halves->second);
  ASSERT_TRUE(halves);
  EXPECT_EQ(Text(halves->first), "C 2024-01-01..2024-01-02");
  EXPECT_EQ(Text(halves->second), "C 2024-01-03..2024-01-03");
  EXPECT_FALSE(Split(halves->second));
}

TEST(RequestIds, ChangeWithEveryPartOfTheRequest) {
  const Selection selection{"GLBX.MDP3", "ohlcv-1d", "parent"};
  Request request = Chunk(AllDays("2024-01-01", "2024-01-03", {"A", "B"}), {}, Month)[0].requests[0];
  std::set<std::string> ids = {RequestId(selection, request)};
  EXPECT_EQ(ids.begin()->size(), 16u);
  EXPECT_EQ(*ids.begin(), "7f727489c5938711");  // stays what it is: ids are in receipts and job intents
  ids.insert(RequestId({"XNAS.ITCH", "ohlcv-1d", "parent"}, request));
  ids.insert(RequestId({"GLBX.MDP3", "ohlcv-1h", "parent"}, request));
  ids.insert(RequestId({"GLBX.MDP3", "ohlcv-1d", "raw_symbol"}, request));
  Request other = request;
  other.days[1].modified = D("2024-02-02");
  ids.insert(RequestId(selection, other));
  other.days[2].modified = D("2024-02-01");  // not the highest
  ids.insert(RequestId(selection, other));
  other.days[2].modified = D("2024-02-03");
  ids.insert(RequestId(selection, other));
  other = request;
  other.symbols = {"AB"};
  ids.insert(RequestId(selection, other));
  other.symbols = {"A"};
  ids.insert(RequestId(selection, other));
  other.days.pop_back();
  ids.insert(RequestId(selection, other));
  EXPECT_EQ(ids.size(), 9u);
}

}  // namespace
}  // namespace lode::plan
