#include "lode/source/databento/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/net/redact.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::source::databento {
namespace {

using net::testing::Answer;
using net::testing::Connection;
using net::testing::Each;
using net::testing::Quick;
using net::testing::ReceivedRequest;
using net::testing::ScriptServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "db-abcdefghijklmnopqrstuvwxyz123";

class ApiTest : public ::testing::Test {
 protected:
  // An Api on a server that gives these answers in turn.
  Api Serve(std::vector<std::string> answers) {
    server_ = std::make_unique<ScriptServer>(Each(std::move(answers)));
    client_ = net::Client::Make(Quick()).value();
    return Api::Make(*client_, server_->Url("/v0/"), kKey).value();
  }
  ReceivedRequest Last() const { return server_->requests().back(); }

  static SeriesQuery Query() {
    return {.dataset = "GLBX.MDP3",
            .schema = "ohlcv-1d",
            .symbols = {"ZL.FUT", "ZS.FUT", "ZM.FUT"},
            .stype_in = "parent",
            .start_ns = ParseDay("2024-01-01")->start_ns(),
            .end_ns = ParseDay("2024-01-08")->start_ns()};
  }

  std::unique_ptr<ScriptServer> server_;
  std::unique_ptr<net::Client> client_;
};

TEST_F(ApiTest, AsksWithTheKeyAndReadsTheAnswer) {
  Api api = Serve({Answer(200, R"(["GLBX.MDP3"])")});
  EXPECT_EQ(api.ListDatasets().value(), std::vector<std::string>{"GLBX.MDP3"});
  EXPECT_EQ(Last().method, "GET");
  EXPECT_EQ(Last().target, "/v0/metadata.list_datasets");
  EXPECT_EQ(Last().Header("authorization"), "Basic " + net::Base64(std::string(kKey) + ":"));
  EXPECT_EQ(Last().Header("accept"), "application/json");
}

TEST_F(ApiTest, EveryMethodAsksAsDocumented) {
  Api api = Serve({Answer(200, "[]")});
  ASSERT_TRUE(api.ListSchemas("GLBX.MDP3"));
  EXPECT_EQ(Last().target, "/v0/metadata.list_schemas?dataset=GLBX.MDP3");
  ASSERT_TRUE(api.ListPublishers());
  EXPECT_EQ(Last().target, "/v0/metadata.list_publishers");
  ASSERT_TRUE(api.ListFields("mbo", "dbn"));
  EXPECT_EQ(Last().target, "/v0/metadata.list_fields?schema=mbo&encoding=dbn");
  ASSERT_TRUE(api.ListUnitPrices("GLBX.MDP3"));
  EXPECT_EQ(Last().target, "/v0/metadata.list_unit_prices?dataset=GLBX.MDP3");
  ASSERT_TRUE(api.GetDatasetCondition("GLBX.MDP3", ParseDay("2024-01-01").value(), ParseDay("2024-01-05").value()));
  EXPECT_EQ(Last().target,
            "/v0/metadata.get_dataset_condition?dataset=GLBX.MDP3&start_date=2024-01-01&end_date=2024-01-05");
  ASSERT_TRUE(api.ListJobs({"queued", "done"}, ParseIsoNs("2024-01-02T03:04:05Z").value()));
  EXPECT_EQ(Last().target, "/v0/batch.list_jobs?states=queued%2Cdone&since=2024-01-02T03%3A04%3A05");
  ASSERT_TRUE(api.ListFiles("GLBX-1"));
  EXPECT_EQ(Last().target, "/v0/batch.list_files?job_id=GLBX-1");
  EXPECT_FALSE(api.GetDatasetRange("GLBX.MDP3"));
  EXPECT_EQ(Last().target, "/v0/metadata.get_dataset_range?dataset=GLBX.MDP3");
  EXPECT_FALSE(api.GetJob("GLBX-1"));
  EXPECT_EQ(Last().target, "/v0/batch.get_job_details?job_id=GLBX-1");
}

TEST_F(ApiTest, QueriesArePostedForms) {
  Api api = Serve({Answer(200, "12"), Answer(200, "672"), Answer(200, "0.5")});
  EXPECT_EQ(api.GetRecordCount(Query()).value(), 12U);
  EXPECT_EQ(api.GetBillableSize(Query()).value(), 672U);
  EXPECT_EQ(api.GetCost(Query()).value(), 0.5);
  EXPECT_EQ(Last().method, "POST");
  EXPECT_EQ(Last().target, "/v0/metadata.get_cost");
  EXPECT_EQ(Last().Header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(Last().body,
            "dataset=GLBX.MDP3&symbols=ZL.FUT%2CZS.FUT%2CZM.FUT&schema=ohlcv-1d&start=2024-01-01&end=2024-01-08&"
            "stype_in=parent");
  SeriesQuery all = Query();
  all.symbols.clear();
  all.limit = 7;
  all.start_ns += 1;
  api.GetCost(all).value();
  EXPECT_THAT(Last().body, HasSubstr("symbols=ALL_SYMBOLS&"));
  EXPECT_THAT(Last().body, HasSubstr("start=2024-01-01T00%3A00%3A00.000000001&"));
  EXPECT_THAT(Last().body, HasSubstr("&limit=7"));
}

TEST_F(ApiTest, SymbologyPartlyResolvedIsAnAnswer) {
  Api api = Serve({Answer(206, R"({"result":{"A":[]},"partial":[],"not_found":["B"],"status":1})")});
  const auto resolution = api.Resolve({.dataset = "GLBX.MDP3",
                                       .symbols = {"A", "B"},
                                       .first = ParseDay("2024-01-01").value(),
                                       .end = ParseDay("2024-01-02").value()});
  ASSERT_TRUE(resolution);
  EXPECT_EQ(resolution->not_found, std::vector<std::string>{"B"});
  EXPECT_EQ(Last().body,
            "dataset=GLBX.MDP3&symbols=A%2CB&stype_in=raw_symbol&stype_out=instrument_id&start_date=2024-01-01&"
            "end_date=2024-01-02");
}

TEST_F(ApiTest, AStreamOfRecordsIsAddedToTheLoop) {
  Api api = Serve({Answer(206, "\x28\xb5\x2f\xfd...", {"X-Warning: [\"W: partly\"]"})});
  const auto body = std::make_shared<net::TextBody>();
  Status status = Fail(ErrorKind::kInternal, "never called");
  ASSERT_TRUE(api.GetRange(Query(), body, [&](net::Outcome outcome) { status = std::move(outcome.status); }));
  ASSERT_TRUE(client_->Run());
  ASSERT_TRUE(status);
  EXPECT_EQ(body->text(), "\x28\xb5\x2f\xfd...");
  EXPECT_EQ(Last().target, "/v0/timeseries.get_range");
  EXPECT_THAT(Last().body, ::testing::EndsWith("&stype_out=instrument_id&encoding=dbn&compression=zstd"));
  const net::Request request = api.SeriesRequest(Query()).value();
  EXPECT_TRUE(request.halvable);
  EXPECT_EQ(request.label, "timeseries.get_range ohlcv-1d ZL.FUT,ZS.FUT and 1 more 2024-01-01..2024-01-07");
}

TEST_F(ApiTest, QueriesNobodyCouldAnswerAreNotSent) {
  Api api = Serve({Answer(200, "1")});
  SeriesQuery many = Query();
  many.symbols.assign(2001, "A");
  SeriesQuery comma = Query();
  comma.symbols = {"A,B"};
  SeriesQuery backwards = Query();
  backwards.end_ns = backwards.start_ns;
  for (const SeriesQuery& query : {many, comma, backwards}) {
    EXPECT_EQ(api.GetCost(query).error().kind, ErrorKind::kUsage);
    EXPECT_EQ(api.SeriesRequest(query).error().kind, ErrorKind::kUsage);
  }
  many.symbols.resize(2000);
  EXPECT_TRUE(api.GetCost(many));
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(ApiTest, RefusalsKeepTheVendorsWords) {
  Api api = Serve({Answer(422, R"({"detail":{"case":"data_end_after_available_end","message":"too late",
                      "payload":{"available_end":"2024-01-05T00:00:00.000000000Z"}}})",
                          {"request-id: r-1"}),
                   Answer(402, R"({"detail":"no funds"})")});
  const auto late = api.GetCost(Query());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(late.error().http_status, 422);
  EXPECT_EQ(late.error().refusal.available_end_ns, ParseDay("2024-01-05")->start_ns());
  EXPECT_EQ(late.error().ToString(),
            "metadata.get_cost ohlcv-1d ZL.FUT,ZS.FUT and 1 more 2024-01-01..2024-01-07: HTTP 422: "
            "data_end_after_available_end: too late (request-id r-1)");
  const auto unpaid = api.GetCost(Query());
  EXPECT_EQ(unpaid.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(unpaid.error().failure, net::FailureClass::kPayment);
  EXPECT_EQ(unpaid.error().refusal.message, "no funds");
}

TEST_F(ApiTest, AnAnswerThatIsNoJsonIsAskedForAgain) {
  Api api = Serve({Answer(200, R"(["GLBX.)"), Answer(200, R"(["GLBX.MDP3"])")});
  EXPECT_EQ(api.ListDatasets().value().size(), 1U);
  EXPECT_EQ(server_->requests().size(), 2U);
  // So is valid JSON that is not what the method gives.
  Api other = Serve({Answer(200, R"({"a":1})"), Answer(200, R"(["GLBX.MDP3"])")});
  EXPECT_EQ(other.ListDatasets().value().size(), 1U);
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(ApiTest, AJobIsSubmittedOnce) {
  Api lost = Serve({Answer(502, "")});
  const BatchRequest batch{.query = Query()};
  EXPECT_FALSE(lost.SubmitJob(batch));
  EXPECT_EQ(server_->requests().size(), 1U);
  Api api = Serve({Answer(200, R"({"id":"GLBX-1","state":"queued"})")});
  EXPECT_EQ(api.SubmitJob(batch).value().id, "GLBX-1");
  EXPECT_THAT(Last().body, ::testing::EndsWith("stype_in=parent&stype_out=instrument_id&encoding=dbn&compression=zstd&"
                                               "map_symbols=false&split_symbols=false&split_duration=day&"
                                               "delivery=download"));
}

TEST_F(ApiTest, FilesComeFromTheConfiguredHostOnly) {
  const std::string hash(64, 'a');
  Api api = Serve({Answer(200, R"([{"filename":"m.json","size":4,"hash":"sha256:)" + hash +
                                   R"(","urls":{"https":"https://api.databento.com/v0/batch/download/U/J/m.json"}}])"),
                   Answer(200, "data")});
  const BatchFile file = api.ListFiles("J").value().at(0);
  EXPECT_EQ(client_->FetchText(api.DownloadRequest(file)).value(), "data");
  EXPECT_EQ(Last().target, "/v0/batch/download/U/J/m.json");
  EXPECT_NE(Last().Header("authorization"), "");
}

TEST_F(ApiTest, KeepsToTheMetadataLimit) {
  Api api = Serve({Answer(200, "[]")});
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 21; ++i) ASSERT_TRUE(api.ListDatasets());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST_F(ApiTest, BadConfigurationIsRefusedWithoutTheKey) {
  const auto client = net::Client::Make(Quick()).value();
  for (const char* url : {"hist.databento.com", "https://u:p@h/v0", "https://h/v0?x=1"}) {
    const auto api = Api::Make(*client, url, kKey);
    ASSERT_FALSE(api) << url;
    EXPECT_EQ(api.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(api.error().ToString(), Not(HasSubstr(kKey)));
  }
  EXPECT_FALSE(Api::Make(*client, "https://h/v0", ""));
}

}  // namespace
}  // namespace lode::source::databento
