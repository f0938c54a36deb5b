#include "lode/source/databento/delivery.h"

#include <gtest/gtest.h>

namespace lode::source::databento {
namespace {

TEST(Delivery, ReadsMetadataInBothSpellings) {
  const auto query = ParseMetadata(R"({"version":1,"job_id":"J","query":{"dataset":"GLBX.MDP3","schema":"ohlcv-1m",
    "symbols":"ZL.FUT,ZS.FUT","stype_in":"parent","stype_out":"instrument_id","start":1275782400000000000,
    "end":"2010-06-08","limit":null,"encoding":"csv","compression":null},
    "customizations":{"pretty_px":true,"pretty_ts":false,"map_symbols":true,"split_duration":"day"}})");
  ASSERT_TRUE(query.has_value()) << query.error().ToString();
  EXPECT_EQ(query->symbols, (std::vector<std::string>{"ZL.FUT", "ZS.FUT"}));
  EXPECT_EQ(FormatDay(DayOf(*query->start_ns)), "2010-06-06");
  EXPECT_EQ(FormatDay(DayOf(*query->end_ns)), "2010-06-08");
  EXPECT_TRUE(query->pretty_px);
  EXPECT_FALSE(query->pretty_ts);
  EXPECT_EQ(query->split_duration, "day");
  EXPECT_FALSE(ParseMetadata("{}").has_value());
  EXPECT_FALSE(ParseMetadata("{").has_value());
  EXPECT_FALSE(ParseMetadata(R"({"query":[]})").has_value());
}

TEST(Delivery, RefusesManifestsThatCouldLeadAstray) {
  const std::string hash(64, 'a');
  const auto manifest = [&](const std::string& name, const std::string& digest) {
    return ParseManifest(R"({"job_id":"J","files":[{"filename":")" + name + R"(","size":3,"hash":")" + digest +
                         R"("}]})");
  };
  EXPECT_TRUE(manifest("a.csv", "sha256:" + hash).has_value());
  EXPECT_FALSE(manifest("../a.csv", "sha256:" + hash).has_value());
  EXPECT_FALSE(manifest("a.csv", "md5:" + hash).has_value());
  EXPECT_FALSE(manifest("a.csv", "sha256:" + hash.substr(1)).has_value());
  EXPECT_FALSE(manifest("", "sha256:" + hash).has_value());
  EXPECT_FALSE(ParseManifest(R"({"files":[3]})").has_value());
}

TEST(Delivery, SortsConditionsAndRefusesRepeatedDays) {
  const auto conditions =
      ParseCondition(R"([{"date":"2024-01-03","condition":"degraded","last_modified_date":"2024-02-01"},
    {"date":"2024-01-02","condition":"missing","last_modified_date":null}])");
  ASSERT_TRUE(conditions.has_value());
  EXPECT_EQ(FormatDay((*conditions)[0].day), "2024-01-02");
  EXPECT_FALSE((*conditions)[0].modified.has_value());
  EXPECT_EQ((*conditions)[1].state, Condition::State::kDegraded);
  EXPECT_FALSE(
      ParseCondition(R"([{"date":"2024-01-03","condition":"available"},{"date":"2024-01-03","condition":"pending"}])")
          .has_value());
  EXPECT_FALSE(ParseCondition(R"([{"date":"2024-01-03","condition":"fine"}])").has_value());
}

TEST(Delivery, TakesFileNamesApart) {
  const FileNameFacts day = ParseDataFileName("glbx-mdp3-20241218.ohlcv-1m.csv");
  EXPECT_EQ(day.dataset, "GLBX.MDP3");
  EXPECT_EQ(day.first, day.last);
  EXPECT_EQ(FormatDay(*day.first), "2024-12-18");
  EXPECT_EQ(day.schema, "ohlcv-1m");
  EXPECT_EQ(day.group, "glbx-mdp3.ohlcv-1m");
  const FileNameFacts week = ParseDataFileName("glbx-mdp3-20241215-20241221.trades.ESH5.dbn.zst");
  EXPECT_EQ(FormatDay(*week.first), "2024-12-15");
  EXPECT_EQ(FormatDay(*week.last), "2024-12-21");
  EXPECT_TRUE(week.compressed);
  EXPECT_EQ(week.encoding, "dbn");
  EXPECT_EQ(week.group, "glbx-mdp3.trades.ESH5");
  const FileNameFacts loose = ParseDataFileName("jan_2025_subset.json");
  EXPECT_FALSE(loose.first.has_value());
  EXPECT_EQ(loose.group, "jan_2025_subset");
  EXPECT_EQ(ParseDataFileName("test_data.definition.v1.dbn.frag.zst").encoding, "dbn.frag");
  EXPECT_EQ(ParseDataFileName("").group, "");
}

}  // namespace
}  // namespace lode::source::databento
