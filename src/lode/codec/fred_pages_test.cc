#include "lode/codec/fred_pages.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/codec/testing/decoded_rows.h"

namespace lode::codec {
namespace {

using fixture::Decoded;
using fixture::DecodedRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Row {
  std::string start, end, date, value;
};

std::string Page(const std::string& start, const std::string& end, const std::vector<Row>& rows,
                 const std::string& more = "") {
  std::string list;
  for (const Row& row : rows) {
    list += fmt::format(R"({}{{"realtime_start":"{}","realtime_end":"{}","date":"{}","value":"{}"{}}})",
                        list.empty() ? "" : ",", row.start, row.end, row.date, row.value, more);
  }
  return fmt::format(R"({{"realtime_start":"{}","realtime_end":"{}","count":1,"observations":[{}]}})", start, end,
                     list) +
         "\n";
}

Decoded Decode(const std::string& text, std::string_view series = "UNRATE") {
  return fixture::DecodeAll([&](const DecodeContext& context) {
    return OpenFredObservations(FromMemory(std::as_bytes(std::span(text.data(), text.size()))), series,
                                *FindSchema("fred/observations"), context);
  });
}

std::string DayOr(const std::string& days) { return days == "null" ? days : FormatDay(Day{std::stoi(days)}); }

// "date start..end value", in few letters.
std::vector<std::string> Short(const Decoded& decoded) {
  EXPECT_EQ(decoded.error_text(), "");
  std::vector<std::string> all;
  if (decoded.rows.empty()) return all;
  for (const DecodedRow& row : decoded.only()) {
    EXPECT_EQ(row.at("series_id"), "UNRATE");
    all.push_back(fmt::format("{} {}..{} {}", DayOr(row.at("date")), DayOr(row.at("realtime_start")),
                              DayOr(row.at("realtime_end")), row.at("value")));
  }
  return all;
}

TEST(FredPages, KeepsVintagesAndTheMarkForNoValue) {
  const Decoded decoded = Decode(Page("1776-07-04", "9999-12-31",
                                      {{"2024-02-02", "2024-03-07", "2024-01-01", "3.7"},
                                       {"2024-03-08", "9999-12-31", "2024-01-01", "3.65"},
                                       {"2024-03-08", "9999-12-31", "2024-02-01", "."}}));
  EXPECT_THAT(Short(decoded), ElementsAre("2024-01-01 2024-02-02..2024-03-07 3.7", "2024-01-01 2024-03-08..null 3.65",
                                          "2024-02-01 2024-03-08..null null"));
  EXPECT_EQ(decoded.bad.count(), 0);
  EXPECT_EQ(decoded.facts.records, 3);
  EXPECT_TRUE(decoded.facts.ended);
  EXPECT_THAT(decoded.facts.symbols, ElementsAre("UNRATE"));
}

TEST(FredPages, ASeriesWithoutVintagesHasNoPeriods) {
  const Decoded decoded =
      Decode(Page("2024-03-05", "2024-03-05", {{"2024-03-05", "2024-03-05", "2024-01-02", "-37.63"}}));
  EXPECT_THAT(Short(decoded), ElementsAre("2024-01-02 null..null -37.63"));
}

// However real time is cut into windows, the rows are the same.
TEST(FredPages, WindowsAreJoinedAgain) {
  const std::vector<std::string> whole = Short(Decode(Page("1776-07-04", "9999-12-31",
                                                           {{"2020-01-10", "2022-12-31", "2019-12-01", "1"},
                                                            {"2023-01-01", "9999-12-31", "2019-12-01", "2"},
                                                            {"2020-02-10", "9999-12-31", "2020-01-01", "5"},
                                                            {"2022-06-01", "2023-05-31", "2022-05-01", "7"},
                                                            {"2023-06-01", "9999-12-31", "2022-05-01", "8"}})));
  const std::vector<std::string> cut = Short(
      Decode(Page("1776-07-04", "2020-12-31",
                  {{"2020-01-10", "2020-12-31", "2019-12-01", "1"}, {"2020-02-10", "2020-12-31", "2020-01-01", "5"}}) +
             Page("2021-01-01", "2022-12-31",
                  {{"2021-01-01", "2022-12-31", "2019-12-01", "1"}, {"2021-01-01", "2022-12-31", "2020-01-01", "5"}}) +
             Page("2021-01-01", "2022-12-31",  // the same window's second page
                  {{"2022-06-01", "2022-12-31", "2022-05-01", "7"}}) +
             Page("2023-01-01", "9999-12-31",
                  {{"2023-01-01", "9999-12-31", "2019-12-01", "2"},
                   {"2023-01-01", "9999-12-31", "2020-01-01", "5"},
                   {"2023-01-01", "2023-05-31", "2022-05-01", "7"},
                   {"2023-06-01", "9999-12-31", "2022-05-01", "8"}})));
  EXPECT_EQ(cut, whole);
  EXPECT_EQ(whole.size(), 5u);
}

TEST(FredPages, AValueThatReturnsIsANewPeriod) {
  EXPECT_THAT(Short(Decode(Page("1776-07-04", "2020-12-31", {{"2020-01-10", "2020-06-30", "2019-12-01", "1"}}) +
                           Page("2021-01-01", "9999-12-31", {{"2021-01-01", "9999-12-31", "2019-12-01", "1"}}))),
              ElementsAre("2019-12-01 2020-01-10..2020-06-30 1", "2019-12-01 2021-01-01..null 1"));
}

TEST(FredPages, MalformedObservationsAreNamed) {
  const Decoded decoded = Decode(Page("1776-07-04", "9999-12-31",
                                      {{"2024-02-02", "9999-12-31", "2024-01-32", "1"},
                                       {"2024-02-02", "9999-12-31", "2024-01-01", "1.5x"},
                                       {"2024-02-02", "9999-12-31", "2024-01-01", "nan"},
                                       {"2024-02-02", "2024-02-01", "2024-01-01", "1"},
                                       {"2024-02-02", "9999-12-31", "2024-02-01", "1"}}));
  EXPECT_THAT(Short(decoded), ElementsAre("2024-02-01 2024-02-02..null 1"));
  ASSERT_EQ(decoded.bad.count(), 4);
  EXPECT_THAT(decoded.bad.kept()[0].reason, HasSubstr("its date is no day"));
  EXPECT_THAT(decoded.bad.kept()[1].reason, HasSubstr("its value is neither a number nor '.'"));
  EXPECT_THAT(decoded.bad.kept()[1].raw, HasSubstr("1.5x"));
  EXPECT_THAT(decoded.bad.kept()[3].reason, HasSubstr("its real-time period is none"));
}

TEST(FredPages, UnknownKeysAreKept) {
  const Decoded decoded = Decode(Page("1776-07-04", "9999-12-31", {{"2024-02-02", "9999-12-31", "2024-01-01", "1"}},
                                      R"(,"status":{"code":[1,2]})"));
  ASSERT_EQ(Short(decoded).size(), 1u);
  EXPECT_EQ(decoded.only()[0].at("_extra"), R"({"status":{"code":[1,2]}})");
}

TEST(FredPages, WhatIsNoPageEndsTheStream) {
  const std::string good = Page("1776-07-04", "2020-12-31", {});
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "empty file"},
           {good.substr(0, 40), "cut short"},
           {"{]\n", "page 1: not JSON"},
           {"[]\n", "no 'observations'"},
           {good + "{\"observations\":[]}\n", "page 2: no real-time period"},
           {good + Page("2019-01-01", "9999-12-31", {}), "page 2: its real-time period does not follow"},
           {good + Page("2021-01-01", "2021-01-01", {}), "does not follow"}}) {
    const Decoded decoded = Decode(text);
    ASSERT_TRUE(decoded.error) << text;
    EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
    EXPECT_THAT(decoded.error_text(), HasSubstr(why));
  }
  EXPECT_THAT(Short(Decode(good)), IsEmpty());
  EXPECT_TRUE(Decode(good, "").error);
}

}  // namespace
}  // namespace lode::codec
