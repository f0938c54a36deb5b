#include "lode/codec/symbology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lode::codec {
namespace {

using ::testing::HasSubstr;

TEST(SymbologyMap, FindsByDay) {
  SymbologyMap map;
  EXPECT_TRUE(map.empty());
  map.Add(7, Day{10}, Day{20}, 1);
  map.Add(7, Day{20}, Day{30}, 2);
  EXPECT_FALSE(map.empty());
  EXPECT_EQ(map.Find(7, Day{9}), StringPool::kNull);
  EXPECT_EQ(map.Find(7, Day{10}), 1);
  EXPECT_EQ(map.Find(7, Day{19}), 1);
  EXPECT_EQ(map.Find(7, Day{20}), 2);
  EXPECT_EQ(map.Find(7, Day{30}), StringPool::kNull);
  EXPECT_EQ(map.Find(8, Day{10}), StringPool::kNull);
}

TEST(SymbologyMap, EmptyIntervalsAddNothing) {
  SymbologyMap map;
  map.Add(7, Day{10}, Day{10}, 1);
  map.Add(7, Day{11}, Day{10}, 1);
  EXPECT_TRUE(map.empty());
}

// Against a plain array of days, later additions overwriting earlier ones.
TEST(SymbologyMap, LaterAdditionsWin) {
  constexpr uint64_t kSeed = 4242;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    SymbologyMap map;
    std::vector<int32_t> days(40, StringPool::kNull);
    for (int32_t symbol = 0; symbol < 12; ++symbol) {
      const auto first = static_cast<int32_t>(random() % 40), last = static_cast<int32_t>(random() % 41);
      map.Add(1, Day{first}, Day{last}, symbol);
      for (int32_t day = first; day < last; ++day) days[static_cast<size_t>(day)] = symbol;
    }
    for (int32_t day = 0; day < 40; ++day) ASSERT_EQ(map.Find(1, Day{day}), days[static_cast<size_t>(day)]) << day;
  }
}

// What the symbol of `id` is on `day`, "-" for none, or the error's text.
std::string Lookup(std::string_view json, uint32_t id, std::string_view day) {
  StringPool strings;
  const auto map = ParseSymbologyJson(json, strings);
  if (!map) {
    EXPECT_EQ(map.error().kind, ErrorKind::kBadInput);
    return map.error().message;
  }
  const int32_t symbol = map->Find(id, *ParseDay(day));
  return symbol == StringPool::kNull ? "-" : std::string(strings.Get(symbol));
}

TEST(SymbologyJson, TextToId) {
  constexpr std::string_view kJson = R"({"result":{"ESH4":[{"d0":"2024-01-01","d1":"2024-03-16","s":"750"}],
      "ESM4":[{"d0":"2024-01-01","d1":"2024-02-01","s":""},{"s":"751","d1":"2024-06-22","d0":"2024-02-01"}]},
      "symbols":["ES.FUT"],"stype_in":"parent","stype_out":"instrument_id","partial":[],"status":0})";
  EXPECT_EQ(Lookup(kJson, 750, "2024-03-15"), "ESH4");
  EXPECT_EQ(Lookup(kJson, 750, "2024-03-16"), "-");
  EXPECT_EQ(Lookup(kJson, 751, "2024-01-31"), "-");
  EXPECT_EQ(Lookup(kJson, 751, "2024-02-01"), "ESM4");
}

TEST(SymbologyJson, IdToText) {
  constexpr std::string_view kJson = R"({"stype_in":"instrument_id","stype_out":"raw_symbol",
      "result":{"750":[{"d0":"2010-01-01","d1":"2010-12-18","s":"NQZ0"},
      {"d0":"2020-01-01","d1":"2020-12-18","s":"A\"B"}]}})";
  EXPECT_EQ(Lookup(kJson, 750, "2010-06-01"), "NQZ0");
  EXPECT_EQ(Lookup(kJson, 750, "2015-06-01"), "-");
  EXPECT_EQ(Lookup(kJson, 750, "2020-06-01"), "A\"B");
}

TEST(SymbologyJson, FaultsNameTheKey) {
  EXPECT_THAT(Lookup("", 1, "2024-01-01"), HasSubstr("not JSON"));
  EXPECT_THAT(Lookup("{", 1, "2024-01-01"), HasSubstr("symbology.json"));
  EXPECT_THAT(Lookup("[]", 1, "2024-01-01"), HasSubstr("symbology.json"));
  EXPECT_THAT(Lookup(R"({"stype_out":"instrument_id"})", 1, "2024-01-01"), HasSubstr("'result' is missing"));
  EXPECT_THAT(Lookup(R"({"result":{},"stype_in":"parent","stype_out":"raw_symbol"})", 1, "2024-01-01"),
              HasSubstr("stype_out 'raw_symbol'"));
  EXPECT_THAT(Lookup(R"({"result":{"ESH4":{}}})", 1, "2024-01-01"), HasSubstr("result['ESH4']: not a list"));
  EXPECT_THAT(Lookup(R"({"result":{"ESH4":[{"d0":"2024-13-01","d1":"2024-03-16","s":"1"}]}})", 1, "2024-01-01"),
              HasSubstr("result['ESH4']: d0 or d1 is not a day"));
  EXPECT_THAT(Lookup(R"({"result":{"ESH4":[{"d0":"2024-01-01","d1":"2024-03-16"}]}})", 1, "2024-01-01"),
              HasSubstr("result['ESH4']: s is missing"));
  EXPECT_THAT(
      Lookup(R"({"result":{"ESH4":[{"d0":"2024-01-01","d1":"2024-03-16","s":"4294967296"}]}})", 1, "2024-01-01"),
      HasSubstr("'4294967296' is not an instrument id"));
  EXPECT_THAT(Lookup(R"({"result":{"E\u0000":[]}})", 1, "2024-01-01"), HasSubstr("control character"));
  EXPECT_THAT(Lookup(R"({"result":{"ESH4":[{"d0":"2024-01-01","d1":"2024-03-16","s":"1"}],}})", 1, "2024-01-01"),
              HasSubstr("symbology.json"));
}

TEST(SymbologyJson, ATruncatedFileIsRefusedWhereverItEnds) {
  const std::string whole =
      R"({"result":{"ESH4":[{"d0":"2024-01-01","d1":"2024-03-16","s":"750"}]},"stype_in":"parent",)"
      R"("stype_out":"instrument_id"})";
  StringPool strings;
  ASSERT_TRUE(ParseSymbologyJson(whole, strings));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseSymbologyJson(whole.substr(0, size), strings)) << size;
  }
}

TEST(SymbologyJson, DeepNestingIsNoProblem) {
  const std::string deep = R"({"result":{"ESH4":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}}";
  EXPECT_THAT(Lookup(deep, 1, "2024-01-01"), HasSubstr("ESH4"));
}

}  // namespace
}  // namespace lode::codec
