#include "lode/source/polygon/flat_file_days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lode::source::polygon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using State = plan::VendorDay::State;

constexpr std::string_view kDaily = "us_stocks_sip/day_aggs_v1";

Day D(std::string_view text) { return *ParseDay(text); }

net::S3Object Listed(std::string key, std::string etag = "\"1f\"", uint64_t size = 10) {
  return {std::move(key), size, std::move(etag), "2024-01-03T16:00:00.000Z"};
}

// Mondays to Fridays.
bool IsWeekday(Day day) { return (day.since_epoch + 4) % 7 != 0 && (day.since_epoch + 4) % 7 != 6; }

TEST(FlatFileDays, ARangeIsListedByMonthOrByYears) {
  EXPECT_THAT(ListingPrefixes(kDaily, D("2024-01-05"), D("2024-01-05")),
              ElementsAre("us_stocks_sip/day_aggs_v1/2024/01/"));
  EXPECT_THAT(ListingPrefixes(kDaily, D("2024-01-31"), D("2024-02-01")),
              ElementsAre("us_stocks_sip/day_aggs_v1/2024/"));
  EXPECT_THAT(ListingPrefixes(kDaily, D("2022-12-30"), D("2024-01-01")),
              ElementsAre("us_stocks_sip/day_aggs_v1/2022/", "us_stocks_sip/day_aggs_v1/2023/",
                          "us_stocks_sip/day_aggs_v1/2024/"));
  EXPECT_THAT(ListingPrefixes(kDaily, D("2024-01-02"), D("2024-01-01")), IsEmpty());
}

TEST(FlatFileDays, OnlyObjectsUnderTheirOwnKeyCount) {
  const auto objects = ObjectsByDay(
      kDaily, {Listed("us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz", "W/\"abc-2\"", 7),
               Listed("us_stocks_sip/day_aggs_v1/2024/01/"), Listed("us_stocks_sip/day_aggs_v1/2024/01/README.txt"),
               Listed("us_stocks_sip/day_aggs_v1/2024/02/2024-01-03.csv.gz"),
               Listed("us_stocks_sip/day_aggs_v1/2024/01/2024-01-04.csv"),
               Listed("us_options_opra/day_aggs_v1/2024/01/2024-01-04.csv.gz"),
               Listed("us_stocks_sip/day_aggs_v1/2024/01/2024-01-05.csv.gz", "", 9)});
  ASSERT_EQ(objects.size(), 2u);
  const FlatFileObject& first = objects.at(D("2024-01-02"));
  EXPECT_EQ(first.key, FlatFileKey(kDaily, D("2024-01-02")));
  EXPECT_EQ(first.version, "abc-2");
  EXPECT_EQ(first.size, 7u);
  EXPECT_EQ(first.modified, D("2024-01-03"));
  // A server without ETags: what else tells two versions apart.
  EXPECT_EQ(objects.at(D("2024-01-05")).version, "2024-01-03T16:00:00.000Z 9");
}

TEST(FlatFileDays, ASessionWithoutAnObjectIsPendingThenMissing) {
  const auto objects = ObjectsByDay(kDaily, {Listed(FlatFileKey(kDaily, D("2024-01-02"))),
                                             Listed(FlatFileKey(kDaily, D("2024-01-06")))});  // a Saturday
  const auto days = DaysOfObjects(objects, IsWeekday, D("2024-01-01"), D("2024-01-08"), D("2024-01-07"));
  std::vector<std::pair<std::string, State>> states;
  for (const plan::VendorDay& day : days) states.emplace_back(FormatDay(day.day), day.state);
  EXPECT_THAT(states, ElementsAre(std::pair("2024-01-01", State::kMissing), std::pair("2024-01-02", State::kAvailable),
                                  std::pair("2024-01-03", State::kMissing), std::pair("2024-01-04", State::kPending),
                                  std::pair("2024-01-05", State::kPending), std::pair("2024-01-06", State::kAvailable),
                                  std::pair("2024-01-08", State::kPending)));
  EXPECT_EQ(days[1].version, "1f");
  EXPECT_EQ(days[1].modified, D("2024-01-03"));
}

TEST(FlatFileDays, EtagsCompareBare) {
  EXPECT_EQ(BareEtag("\"a\""), "a");
  EXPECT_EQ(BareEtag("W/\"a\""), "a");
  EXPECT_EQ(BareEtag("a"), "a");
  EXPECT_EQ(BareEtag("\""), "\"");
  EXPECT_EQ(BareEtag(""), "");
}

}  // namespace
}  // namespace lode::source::polygon
