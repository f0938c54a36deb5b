// The loop itself: many requests, other threads, limits, stops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "lode/base/stop.h"
#include "lode/net/http.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::Answer;
using testing::Connection;
using testing::Each;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::To;

TEST(Loop, ManyRequestsKeepToTheConnectionLimit) {
  std::atomic<int> now{0}, most{0};
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) continue;
    std::this_thread::sleep_for(milliseconds(2));
    --now;
    connection.Send(Answer(200, request.target));
  });
  ClientOptions options = Quick();
  options.limits.connections = 5;
  const auto client = Client::Make(options).value();
  std::vector<std::string> texts(60);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto body = std::make_shared<TextBody>();
    client->Add(To(server.Url(fmt::format("/{}", i))), body,
                [&texts, i, body](const Outcome&) { texts[i] = body->text(); });
  }
  EXPECT_EQ(client->in_flight(), 0U);
  ASSERT_TRUE(client->Run());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], fmt::format("/{}", i));
  EXPECT_EQ(most, 5);
  EXPECT_LE(server.connections(), 5);
  EXPECT_EQ(client->in_flight(), 0U);
}

TEST(Loop, ACallbackMayAddMore) {
  ScriptServer server(Each({Answer(200, "x")}));
  const auto client = Client::Make(Quick()).value();
  int left = 20;
  std::function<void(Outcome)> done = [&](const Outcome&) {
    if (--left > 0) client->Add(To(server.Url("/")), nullptr, done);
  };
  client->Add(To(server.Url("/")), nullptr, done);
  ASSERT_TRUE(client->Run());
  EXPECT_EQ(left, 0);
  EXPECT_EQ(server.connections(), 1);
}

// A callback that waits for the disk, a machine that sleeps: what came meanwhile was not read, and would be paid twice.
TEST(Loop, ItsOwnStandstillIsNoServersSilence) {
  class SlowBody : public TextBody {
   public:
    Status End() override {
      std::this_thread::sleep_for(milliseconds(900));
      return Ok();
    }
  };
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    std::this_thread::sleep_for(milliseconds(request.target == "/slow" ? 100 : 300));
    connection.Send(Answer(200, "x"));
  });
  ClientOptions options = Quick();
  options.idle_timeout = milliseconds(700);
  const auto client = Client::Make(options).value();
  std::vector<int> tries;
  const auto note = [&](const Outcome& outcome) {
    EXPECT_TRUE(outcome.status);
    tries.push_back(outcome.response.tries);
  };
  client->Add(To(server.Url("/slow")), std::make_shared<SlowBody>(), note);
  for (int i = 0; i < 3; ++i) client->Add(To(server.Url("/")), nullptr, note);
  ASSERT_TRUE(client->Run());
  EXPECT_THAT(tries, ::testing::ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(Loop, PostFromAnotherThreadWakesAHeldLoop) {
  ScriptServer server(Each({Answer(200, "x")}));
  const auto client = Client::Make(Quick()).value();
  client->HoldOpen(true);
  std::atomic<int> done{0};
  Status status;
  std::jthread loop([&] { status = client->Run(); });
  auto fastest = steady_clock::duration::max();  // a busy host may stand still now and then
  for (int i = 0; i < 10; ++i) {
    std::atomic<bool> ended{false};
    const auto begin = steady_clock::now();
    client->Post([&] {
      client->Add(To(server.Url("/")), nullptr, [&](const Outcome& outcome) {
        done += outcome.status.has_value();
        ended = true;
      });
    });
    while (!ended) std::this_thread::yield();
    fastest = std::min(fastest, steady_clock::now() - begin);
  }
  EXPECT_LT(fastest, milliseconds(90));  // woken, not found at the next tick
  client->HoldOpen(false);
  loop.join();
  EXPECT_TRUE(status);
  EXPECT_EQ(done, 10);
}

TEST(Loop, HoldsAddUp) {
  const auto client = Client::Make(Quick()).value();
  client->HoldOpen(true);
  client->HoldOpen(true);
  std::atomic<bool> returned{false};
  std::jthread loop([&] {
    EXPECT_TRUE(client->Run());
    returned = true;
  });
  client->HoldOpen(false);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_FALSE(returned);
  bool ran = false;
  client->Post([&] { ran = true; });
  client->HoldOpen(false);
  loop.join();
  EXPECT_TRUE(ran);  // posted before the last hold was let go
}

TEST(Loop, FetchEndsThoughTheLoopIsHeldAndOthersWait) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.target == "/slow") std::this_thread::sleep_for(milliseconds(300));
    connection.Send(Answer(200, "x"));
  });
  const auto client = Client::Make(Quick()).value();
  client->HoldOpen(true);
  bool slow_done = false;
  client->Add(To(server.Url("/slow")), nullptr, [&](const Outcome&) { slow_done = true; });
  EXPECT_TRUE(client->FetchText(To(server.Url("/fast"))));
  EXPECT_FALSE(slow_done);
  client->HoldOpen(false);
  ASSERT_TRUE(client->Run());
  EXPECT_TRUE(slow_done);
}

TEST(Loop, FetchAllRunsSideBySideAndKeepsTheOrder) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    std::this_thread::sleep_for(milliseconds(request.target == "/0" ? 400 : 200));
    connection.Send(Answer(request.target == "/1" ? 404 : 200, request.target));
  });
  const auto client = Client::Make(Quick()).value();
  std::vector<std::pair<Request, std::shared_ptr<Body>>> requests;
  for (int i = 0; i < 4; ++i) requests.emplace_back(To(server.Url(fmt::format("/{}", i))), nullptr);
  const auto begin = steady_clock::now();
  const auto outcomes = client->FetchAll(std::move(requests));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(900));
  ASSERT_EQ(outcomes.size(), 4U);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(outcomes[i].response.head.status, i == 1 ? 404 : 200);
  EXPECT_TRUE(client->FetchAll({}).empty());
}

TEST(Loop, RunInsideACallbackIsRefused) {
  ScriptServer server(Each({Answer(200, "x")}));
  const auto client = Client::Make(Quick()).value();
  client->Add(To(server.Url("/")), nullptr,
              [&](const Outcome&) { EXPECT_EQ(client->Run().error().kind, ErrorKind::kInternal); });
  ASSERT_TRUE(client->Run());
}

TEST(Loop, PathLimitsHoldTheirOwnRequestsBackOnly) {
  ScriptServer server(Each({Answer(200, "x")}));
  const auto client = Client::Make(Quick()).value();
  client->LimitPath("/v0/metadata.", 10);
  const auto begin = steady_clock::now();
  milliseconds other{0}, last{0};
  for (int i = 0; i < 12; ++i) {
    client->Add(To(server.Url("/v0/metadata.x")), nullptr,
                [&](const Outcome&) { last = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin); });
  }
  client->Add(To(server.Url("/v0/timeseries.x")), nullptr,
              [&](const Outcome&) { other = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin); });
  ASSERT_TRUE(client->Run());
  EXPECT_LT(other, milliseconds(900));
  EXPECT_GE(last, milliseconds(1000));  // ten in the first second, the rest after it
}

TEST(Loop, AStopEndsTransfersWaitsAndQueue) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.target == "/retry") return connection.Send(Answer(503, "", {"Retry-After: 30"}));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    for (int i = 0; i < 1000 && connection.open(); ++i) std::this_thread::sleep_for(milliseconds(10));
  });
  ClientOptions options = Quick();
  options.limits.connections = 2;
  const auto client = Client::Make(options).value();
  std::vector<FailureClass> reasons;
  for (const char* path : {"/retry", "/hang", "/hang", "/queued"}) {
    client->Add(To(server.Url(path)), nullptr, [&](const Outcome& outcome) {
      EXPECT_EQ(outcome.status.error().kind, ErrorKind::kInterrupted);
      reasons.push_back(outcome.response.failure);
    });
  }
  std::jthread stopper([] {
    std::this_thread::sleep_for(milliseconds(80));
    RequestStop();
  });
  const auto begin = steady_clock::now();
  const Status status = client->Run();
  EXPECT_LT(steady_clock::now() - begin, milliseconds(5000));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(reasons, std::vector<FailureClass>(4, FailureClass::kStopped));
  EXPECT_EQ(client->in_flight(), 0U);
  ForgetStop();
}

}  // namespace
}  // namespace lode::net
