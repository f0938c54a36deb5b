#include "lode/source/databento/api_json.h"

#include <gtest/gtest.h>

namespace lode::source::databento {
namespace {

std::string ErrorOf(const auto& result) { return result ? "accepted" : result.error().ToString(); }

TEST(VendorTime, TakesEveryForm) {
  const int64_t ns = ParseIsoNs("2022-10-31T15:29:43.148303Z").value();
  for (const char* text : {"2022-10-31T15:29:43.148303Z", "2022-10-31 15:29:43.148303+00:00",
                           "2022-10-31T15:29:43.148303000+00:00", "1667230183148303000"}) {
    EXPECT_EQ(ParseVendorTime(text).value(), ns) << text;
  }
  EXPECT_EQ(ParseVendorTime("2022-10-31").value(), ParseDay("2022-10-31")->start_ns());
  for (const char* text : {"", "yesterday", "2022-10-31 15:29:43+01:00", "99999999999999999999", "+00:00"}) {
    EXPECT_FALSE(ParseVendorTime(text)) << text;
  }
}

TEST(ApiJson, Lists) {
  EXPECT_EQ(ParseNames(R"(["GLBX.MDP3","XNAS.ITCH"])").value(), (std::vector<std::string>{"GLBX.MDP3", "XNAS.ITCH"}));
  for (const char* text : {"", "{}", "[1]", "[\"a\"", "null"}) EXPECT_FALSE(ParseNames(text)) << text;
  const auto publishers =
      ParsePublishers(R"([{"publisher_id":1,"dataset":"GLBX.MDP3","venue":"GLBX","description":"CME"}])").value();
  EXPECT_EQ(publishers.at(0).id, 1U);
  EXPECT_EQ(publishers.at(0).venue, "GLBX");
  for (const char* text : {R"([{"dataset":"x"}])", R"([{"publisher_id":70000,"dataset":"x"}])", "[3]"}) {
    EXPECT_FALSE(ParsePublishers(text)) << text;
  }
  EXPECT_EQ(ParseFields(R"([{"name":"ts_event","type":"uint64_t"}])")->at(0).type, "uint64_t");
  EXPECT_FALSE(ParseFields("[1]"));
  const auto prices = ParseUnitPrices(R"([{"mode":"historical","unit_prices":{"tbbo":17.89,"mbo":2}}])").value();
  EXPECT_EQ(prices.at(0).by_schema.at("tbbo"), 17.89);
  EXPECT_EQ(prices.at(0).by_schema.at("mbo"), 2);
  for (const char* text : {R"([{"mode":"historical"}])", R"([{"mode":"m","unit_prices":{"a":"1"}}])", "[1]"}) {
    EXPECT_FALSE(ParseUnitPrices(text)) << text;
  }
}

TEST(ApiJson, NumbersAreWholeAndPositive) {
  EXPECT_EQ(ParseCount("99219648").value(), 99'219'648U);
  for (const char* text : {"", "-1", "1.5", "\"3\"", "[1]", "1e3"}) EXPECT_FALSE(ParseCount(text)) << text;
  EXPECT_EQ(ParseCost("2.587353944778").value(), 2.587353944778);
  EXPECT_EQ(ParseCost("0").value(), 0);
  for (const char* text : {"-0.1", "NaN", "1e999", "null", "\"1\""}) EXPECT_FALSE(ParseCost(text)) << text;
}

TEST(ApiJson, DatasetRangeInBothSpellings) {
  const auto range =
      ParseDatasetRange(R"({"start":"2010-06-06T00:00:00.000000000Z","end":"2024-01-02T00:00:00.000000000Z",
    "schema":{"ohlcv-1d":{"start":"2010-06-06T00:00:00Z","end":"2024-01-01T00:00:00Z"}}})")
          .value();
  EXPECT_EQ(FormatDay(DayOf(range.overall.start_ns)), "2010-06-06");
  EXPECT_EQ(FormatDay(DayOf(range.by_schema.at("ohlcv-1d").end_ns)), "2024-01-01");
  const auto older = ParseDatasetRange(R"({"start_date":"2010-06-06","end_date":"2024-01-02"})").value();
  EXPECT_EQ(older.overall.end_ns, ParseDay("2024-01-02")->start_ns());
  for (const char* text : {"{}", "[]", "3", R"({"start":"2024-01-02","end":"2024-01-01"})", R"({"start":true,"end":1})",
                           R"({"start":"2024-01-02","end":"2024-01-03","schema":[]})",
                           R"({"start":"2024-01-02","end":"2024-01-03","schema":{"a":1}})"}) {
    EXPECT_FALSE(ParseDatasetRange(text)) << text;
  }
}

TEST(ApiJson, Symbology) {
  const auto resolution = ParseResolution(R"({"result":{"ES.c.0":[
      {"d0":"2023-09-18","d1":"2023-12-18","s":"314863"},{"d0":"2023-06-14","d1":"2023-09-18","s":"10245"}],
      "ES.x":[{"d0":"2023-06-14","d1":"2023-06-15","s":""}]},
    "symbols":["ES.c.0"],"partial":["ES.x"],"not_found":["ES.d.0"],"message":"Partially resolved","status":1})")
                              .value();
  const auto& intervals = resolution.intervals.at("ES.c.0");
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[0].symbol, "10245");  // sorted
  EXPECT_EQ(FormatDay(intervals[1].end), "2023-12-18");
  EXPECT_TRUE(resolution.intervals.at("ES.x").empty());
  EXPECT_EQ(resolution.partial, std::vector<std::string>{"ES.x"});
  EXPECT_EQ(resolution.not_found, std::vector<std::string>{"ES.d.0"});
  for (const char* text :
       {"{}", "[]", R"({"result":[]})", R"({"result":{"a":{}}})", R"({"result":{"a":[1]}})",
        R"({"result":{"a":[{"d0":"2023-06-15","d1":"2023-06-15","s":"1"}]}})", R"({"result":{},"partial":3})"}) {
    EXPECT_FALSE(ParseResolution(text)) << text;
  }
}

TEST(ApiJson, JobsOfBothAges) {
  const auto newer = ParseJob(R"({"id":"GLBX-20251120-CQRNQQM89S","user_id":"R7","bill_id":null,"cost_usd":0.25,
    "dataset":"GLBX.MDP3","symbols":["ZL.FUT","ZS.FUT"],"stype_in":"parent","stype_out":"instrument_id",
    "schema":"ohlcv-1d","start":"2023-07-19T23:00:04.095538123Z","end":"2023-07-20T00:00:00Z","limit":null,
    "encoding":"dbn","compression":"zstd","pretty_px":false,"split_symbols":false,"split_duration":"day",
    "split_size":null,"delivery":"download","record_count":100,"billed_size":5600,"actual_size":700,
    "package_size":900,"state":"done","ts_received":"2023-07-19T23:00:04.095538123Z","ts_queued":null,
    "ts_expiration":"2023-08-18T23:00:04Z","progress":100})")
                         .value();
  EXPECT_EQ(newer.state, BatchJob::State::kDone);
  EXPECT_EQ(newer.symbols.size(), 2U);
  EXPECT_EQ(newer.cost_usd, 0.25);
  EXPECT_EQ(FormatIsoNs(newer.received_ns.value()), "2023-07-19T23:00:04.095538123Z");
  EXPECT_FALSE(newer.queued_ns);
  EXPECT_EQ(newer.progress_percent, 100);
  const auto older = ParseJobs(R"([{"id":"A-1_b","state":"received","symbols":"ESH1,ESM1","compression":null,
    "split_duration":null,"cost_usd":null,"start":"2022-10-31 15:29:43.148303+00:00","package_size":null}])")
                         .value();
  EXPECT_EQ(older.at(0).state, BatchJob::State::kReceived);
  EXPECT_EQ(older.at(0).symbols, (std::vector<std::string>{"ESH1", "ESM1"}));
  EXPECT_EQ(older.at(0).compression, "none");
  EXPECT_EQ(older.at(0).split_duration, "none");
  EXPECT_EQ(FormatIsoNs(older.at(0).start_ns.value()), "2022-10-31T15:29:43.148303000Z");
  for (const char* text :
       {"3", "{}", R"({"id":"a"})", R"({"id":"../a","state":"done"})", R"({"id":"a","state":"gone"})",
        R"({"id":"a","state":"done","cost_usd":-1})", R"({"id":"a","state":"done","ts_queued":"x"})",
        R"({"id":"a","state":"done","symbols":[1]})", R"({"id":"a","state":"done","limit":-1})"}) {
    EXPECT_FALSE(ParseJob(text)) << text;
  }
}

TEST(ApiJson, FilesKeepThePathOfTheirUrl) {
  const std::string hash(64, 'a');
  const auto files = [&](const std::string& name, const std::string& url) {
    return ParseFiles(R"([{"filename":")" + name + R"(","size":687,"hash":"sha256:)" + hash + R"(","urls":{"https":")" +
                      url + R"(","ftp":"ftp://x/y"}}])");
  };
  const auto good = files("m.json", "https://api.databento.com/v0/batch/download/R7/GLBX-1/m.json").value();
  EXPECT_EQ(good.at(0).path, "/v0/batch/download/R7/GLBX-1/m.json");
  EXPECT_EQ(good.at(0).file.size, 687U);
  EXPECT_EQ(good.at(0).file.sha256, hash);
  EXPECT_FALSE(files("../m.json", "https://api.databento.com/v0/x"));
  EXPECT_FALSE(files("m.json", "https://api.databento.com"));
  EXPECT_FALSE(files("m.json", ""));
  EXPECT_FALSE(files("m.json", "https://api.databento.com@evil.com/x"));
  EXPECT_FALSE(ParseFiles(R"({"files":[]})"));
  EXPECT_FALSE(ParseFiles("[3]"));
}

TEST(ApiJson, RefusalsKeepWhatTheVendorHas) {
  const Refusal refusal = ParseRefusal(R"({"detail":{"case":"data_end_after_available_end","message":"m",
    "docs":"https://d","payload":{"dataset":"GLBX.MDP3","available_start":"2010-06-06T00:00:00Z",
    "available_end":"2024-03-05 00:10:00+00:00"}}})");
  EXPECT_EQ(refusal.name, "data_end_after_available_end");
  EXPECT_EQ(refusal.message, "m");
  EXPECT_EQ(FormatIsoNs(refusal.available_end_ns.value()), "2024-03-05T00:10:00.000000000Z");
  EXPECT_TRUE(refusal.available_start_ns);
  EXPECT_EQ(ParseRefusal(R"({"detail":"no"})").message, "no");
  for (const char* text : {"", "<html>", "[]", "{}", R"({"detail":[1]})",
                           R"({"detail":{"payload":{"available_end":{}}}})", R"({"detail":{"case":3,"payload":[]}})"}) {
    const Refusal nothing = ParseRefusal(text);
    EXPECT_TRUE(nothing.name.empty() && nothing.message.empty() && !nothing.available_end_ns) << text;
  }
}

TEST(ApiJson, Warnings) {
  EXPECT_EQ(ParseWarnings(R"(["DeprecationWarning: old", "Warning: y", 3])"),
            (std::vector<std::string>{"DeprecationWarning: old", "Warning: y"}));
  EXPECT_EQ(ParseWarnings("plain"), std::vector<std::string>{"plain"});
  EXPECT_TRUE(ParseWarnings("").empty());
}

TEST(ApiJson, DeepNestingIsNoDanger) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_NE(ErrorOf(ParseJobs(deep)), "accepted");
  EXPECT_TRUE(ParseRefusal(deep).name.empty());
}

}  // namespace
}  // namespace lode::source::databento
