#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "lode/net/http.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

using std::chrono::milliseconds;
using testing::Answer;
using testing::Connection;
using testing::Each;
using testing::Fetched;
using testing::Get;
using ::testing::HasSubstr;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::To;

// A Body that can be resumed and that keeps a record of what it was told.
class RecordingBody : public Body {
 public:
  uint64_t held() const override { return text.size(); }
  Status Begin(const ResponseHead&, uint64_t offset) override {
    begins.push_back(offset);
    text.resize(offset);
    return Ok();
  }
  Status Write(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return write_status;
  }
  Status End() override {
    ++ends;
    if (ends <= corrupt_ends) {
      text.clear();
      return Fail(ErrorKind::kCorrupt, "another hash");
    }
    return Ok();
  }
  std::string text;
  std::vector<uint64_t> begins;
  int ends = 0, corrupt_ends = 0;
  Status write_status;
};

TEST(Client, FetchesATextOverOneKeptConnection) {
  ScriptServer server(Each({Answer(200, "hello")}));
  const auto client = Client::Make(Quick()).value();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->FetchText(To(server.Url("/a?b=c"))).value(), "hello");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests()[0].target, "/a?b=c");
  EXPECT_THAT(server.requests()[0].Header("user-agent"), ::testing::StartsWith("lode/"));
}

TEST(Client, SendsMethodHeadersAndBodyAsTheyAre) {
  ScriptServer server(Each({Answer(200, "{}")}));
  Request request = To(server.Url("/v0/x"));
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = "a=1&b=%00";
  Get(request);
  request.method = "PUT";
  request.headers.clear();
  request.body = std::string(300'000, 'x');
  Get(request);
  const auto received = server.requests();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].method, "POST");
  EXPECT_EQ(received[0].body, "a=1&b=%00");
  EXPECT_EQ(received[0].Header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(received[0].Header("accept"), "application/json");
  EXPECT_EQ(received[1].method, "PUT");
  EXPECT_EQ(received[1].body.size(), 300'000U);
  EXPECT_EQ(received[1].headers.count("content-type"), 0U);
  EXPECT_EQ(received[1].headers.count("expect"), 0U);
}

// Such as S3's start of an upload: a type that libcurl makes up would become the object's.
TEST(Client, NoHeaderIsMadeUpForAnyMethod) {
  ScriptServer server(Each({Answer(200, "")}));
  const auto client = Client::Make(Quick()).value();
  for (const char* method : {"GET", "DELETE", "POST", "PUT"}) {
    for (const char* body : {"", "x=1"}) {
      Request request = To(server.Url("/"));
      request.method = method;
      request.body = body;
      ASSERT_TRUE(client->Fetch(std::move(request), nullptr).status) << method;
    }
  }
  for (const ReceivedRequest& request : server.requests()) {
    EXPECT_EQ(request.headers.count("content-type"), 0U) << request.method << " " << request.body;
    EXPECT_EQ(request.headers.count("expect"), 0U) << request.method << " " << request.body;
  }
  EXPECT_EQ(server.requests().size(), 8U);
}

TEST(Client, HeadHasALengthAndNoBody) {
  ScriptServer server([](const ReceivedRequest&, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nETag: \"x\"\r\n\r\n");
  });
  Request request = To(server.Url("/big"));
  request.method = "HEAD";
  const Fetched fetched = Get(request);
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.outcome.response.head.content_length, 5'000'000'000U);
  EXPECT_EQ(fetched.outcome.response.head.Find("etag"), "\"x\"");
}

TEST(Client, PartialContentWithoutARangeAskedIsSuccess) {
  ScriptServer server(Each({Answer(206, "[1]", {"X-Warning: [\"a: b\"]"})}));
  const Fetched fetched = Get(To(server.Url("/")));
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.text, "[1]");
  EXPECT_EQ(fetched.outcome.response.head.status, 206);
}

TEST(Client, TriesTransientStatusesAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504, 520}) {
    ScriptServer server(Each({Answer(status, "later"), Answer(status, "later"), Answer(200, "data")}));
    const Fetched fetched = Get(To(server.Url("/")));
    ASSERT_TRUE(fetched.outcome.status) << status << fetched.error();
    EXPECT_EQ(fetched.text, "data");
    EXPECT_EQ(fetched.outcome.response.tries, 3);
  }
}

TEST(Client, FinalStatusesAreNotTriedAgain) {
  struct Case {
    int status;
    ErrorKind kind;
    FailureClass reason;
  };
  for (const auto& [status, kind, reason] : {Case{400, ErrorKind::kBadInput, FailureClass::kBadRequest},
                                             Case{401, ErrorKind::kRefused, FailureClass::kUnauthorized},
                                             Case{402, ErrorKind::kRefused, FailureClass::kPayment},
                                             Case{403, ErrorKind::kRefused, FailureClass::kForbidden},
                                             Case{404, ErrorKind::kNotFound, FailureClass::kNotFound},
                                             Case{409, ErrorKind::kBadInput, FailureClass::kBadRequest},
                                             Case{416, ErrorKind::kBadInput, FailureClass::kBadRequest},
                                             Case{422, ErrorKind::kBadInput, FailureClass::kBadRequest},
                                             Case{501, ErrorKind::kBadInput, FailureClass::kBadRequest}}) {
    ScriptServer server(Each({Answer(status, R"({"detail": "no"})")}));
    const Fetched fetched = Get(To(server.Url("/")));
    ASSERT_FALSE(fetched.outcome.status);
    EXPECT_EQ(fetched.kind(), kind) << status;
    EXPECT_EQ(fetched.outcome.response.failure, reason) << status;
    EXPECT_EQ(server.requests().size(), 1U) << status;
    EXPECT_EQ(fetched.outcome.response.error_body, R"({"detail": "no"})");
  }
}

TEST(Client, ErrorsQuoteTheVendorAndItsRequestId) {
  ScriptServer server(
      Each({Answer(422, R"({"detail":{"case":"data_end","message":"end is after","docs":"u","payload":{}}})",
                   {"request-id: abc-1"})}));
  EXPECT_EQ(Get(To(server.Url("/"))).error(), "thing: HTTP 422: data_end: end is after (request-id abc-1)");
}

TEST(Client, UsedUpTriesArePartialAndCounted) {
  ScriptServer server(Each({Answer(503, "overloaded")}));
  const Fetched fetched = Get(To(server.Url("/")));
  ASSERT_FALSE(fetched.outcome.status);
  EXPECT_EQ(fetched.kind(), ErrorKind::kPartial);
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kTransient);
  EXPECT_EQ(fetched.outcome.response.tries, 4);
  EXPECT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(fetched.error(), "thing: HTTP 503: overloaded (4 tries, tries used up)");
}

TEST(Client, ObeysRetryAfterAndHoldsTheOthersBack) {
  const auto begin = std::chrono::steady_clock::now();
  ScriptServer server(Each({Answer(429, "slow", {"Retry-After: 1"}), Answer(200, "data")}));
  ClientOptions options = Quick();
  options.limits.connections = 1;
  const auto client = Client::Make(options).value();
  int done = 0;
  for (int i = 0; i < 2; ++i) {
    client->Add(To(server.Url("/")), nullptr, [&](const Outcome& outcome) { done += outcome.status.has_value(); });
  }
  ASSERT_TRUE(client->Run());
  EXPECT_EQ(done, 2);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(1000));
  EXPECT_EQ(server.requests().size(), 3U);  // the second waited too, instead of earning a 429 of its own
}

TEST(Client, ARetryAfterOverTheLimitEndsAtOnce) {
  ScriptServer server(Each({Answer(429, "slow", {"Retry-After: 3600"})}));
  const Fetched fetched = Get(To(server.Url("/")));
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kTransient);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(fetched.error(), HasSubstr("longer wait"));
}

TEST(Client, ResetsAndTruncatedBodiesAreTriedAgain) {
  const std::string whole = Answer(200, std::string(5000, 'x'));
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{20}, whole.size() - 1}) {
    for (const bool reset : {false, true}) {
      ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
        if (request.number > 0) return connection.Send(whole);
        connection.Send(std::string_view(whole).substr(0, cut));
        reset ? connection.Reset() : connection.Close();
      });
      const Fetched fetched = Get(To(server.Url("/")));
      ASSERT_TRUE(fetched.outcome.status) << cut << reset << fetched.error();
      EXPECT_EQ(fetched.text, std::string(5000, 'x'));
      EXPECT_EQ(fetched.outcome.response.tries, 2) << cut << reset;
    }
  }
}

TEST(Client, AChunkedBodyWithoutItsEndIsTruncated) {
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
    if (request.number > 0) return connection.Send("2\r\nef\r\n0\r\n\r\n");
    connection.Close();
  });
  const Fetched fetched = Get(To(server.Url("/")));
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.text, "abcdef");
  EXPECT_EQ(fetched.outcome.response.tries, 2);
  EXPECT_TRUE(fetched.outcome.response.head.ends_provably);
}

TEST(Client, ABodyThatEndsWithTheConnectionIsNotProvablyWhole) {
  ScriptServer server([&](const ReceivedRequest&, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\n\r\nabcd");
    connection.Close();
  });
  const Fetched fetched = Get(To(server.Url("/")));
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.text, "abcd");
  EXPECT_FALSE(fetched.outcome.response.head.ends_provably);
}

TEST(Client, HtmlInsteadOfDataIsTriedAgain) {
  for (const std::string& page : {Answer(200, "<p>busy</p>", {"Content-Type: text/html; charset=utf-8"}),
                                  Answer(200, "\n <!DOCTYPE HTML><title>x</title>"), Answer(200, "<HTML>x")}) {
    ScriptServer server(Each({page, Answer(200, "<xml/>")}));
    const Fetched fetched = Get(To(server.Url("/")));
    ASSERT_TRUE(fetched.outcome.status) << fetched.error();
    EXPECT_EQ(fetched.text, "<xml/>");
    EXPECT_EQ(fetched.outcome.response.tries, 2);
  }
}

TEST(Client, AnEmptyAnswerIsNoPageWhateverItsType) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n"}) {
    ScriptServer server(Each({answer}));
    EXPECT_EQ(Get(To(server.Url("/"))).outcome.response.tries, 1);
  }
}

TEST(Client, HtmlIsSeenThroughADripAndWelcomeWhenAskedFor) {
  ScriptServer dripping([](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) return connection.Drip(Answer(200, "<html></html>"), 3, 1);
    connection.Drip(Answer(200, "<htm"), 3, 1);  // ends undecided: data
  });
  EXPECT_EQ(Get(To(dripping.Url("/"))).text, "<htm");
  ScriptServer server(Each({Answer(200, "<html></html>", {"Content-Type: text/html"})}));
  Request request = To(server.Url("/"));
  request.headers = {{"Accept", "text/html"}};
  EXPECT_EQ(Get(request).text, "<html></html>");
}

TEST(Client, ConnectionRefusedIsUnreachable) {
  int port = 0;
  {
    port = ScriptServer([](const ReceivedRequest&, Connection&) {}).port();
  }
  const Fetched fetched = Get(To(fmt::format("http://127.0.0.1:{}/", port)));
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kUnreachable);
  EXPECT_EQ(fetched.outcome.response.tries, 4);
  EXPECT_EQ(fetched.kind(), ErrorKind::kPartial);
}

TEST(Client, SilenceIsATimeoutADripIsNot) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Drip(Answer(200, "0123456789"), 8, 60);
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    std::this_thread::sleep_for(milliseconds(700));
  });
  Request request = To(server.Url("/"));
  request.idle_timeout = milliseconds(250);
  const Fetched fetched = Get(request);
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.text, "0123456789");
  EXPECT_EQ(fetched.outcome.response.tries, 2);
}

TEST(Client, AHalvableRequestGivesUpAfterTwoTimeouts) {
  ScriptServer server(Each({Answer(504, "gateway"), Answer(500, ""), Answer(408, "")}));
  Request request = To(server.Url("/"));
  request.halvable = true;
  const Fetched fetched = Get(request);
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kTimeout);
  EXPECT_EQ(fetched.kind(), ErrorKind::kPartial);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(Client, AnUnrepeatableRequestIsSentAgainOnlyWhenItWasNotReceived) {
  for (const int status : {429, 503}) {
    ScriptServer server(Each({Answer(status, ""), Answer(200, "job")}));
    Request request = To(server.Url("/"));
    request.method = "POST";
    request.repeatable = false;
    EXPECT_EQ(Get(request).text, "job");
  }
  for (const int status : {500, 502, 504}) {
    ScriptServer server(Each({Answer(status, ""), Answer(200, "job")}));
    Request request = To(server.Url("/"));
    request.method = "POST";
    request.repeatable = false;
    const Fetched fetched = Get(request);
    EXPECT_EQ(fetched.outcome.response.failure, status == 504 ? FailureClass::kTimeout : FailureClass::kTransient);
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_THAT(fetched.error(), HasSubstr("may have acted"));
  }
}

TEST(Client, AnUnrepeatableRequestNeverTrustsAKeptConnection) {
  // libcurl repeats a request by itself when a kept connection dies; the server may have acted on the first.
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) return connection.Send(Answer(200, "first"));
    if (request.number == 1) return connection.Close();
    connection.Send(Answer(200, "again"));
  });
  const auto client = Client::Make(Quick()).value();
  ASSERT_TRUE(client->FetchText(To(server.Url("/"))));
  Request request = To(server.Url("/"));
  request.method = "POST";
  request.repeatable = false;
  EXPECT_FALSE(client->FetchText(request));
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(Client, ARequestMayCallMoreStatusesTransient) {
  ScriptServer server(Each({Answer(409, "busy"), Answer(200, "x")}));
  Request request = To(server.Url("/"));
  request.transient_statuses = {409};
  EXPECT_EQ(Get(request).outcome.response.tries, 2);
}

TEST(Client, TooLargeEndsWithAndWithoutALength) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) return connection.Send(Answer(200, std::string(2000, 'x')));
    connection.Send("HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x'));
    connection.Close();
  });
  Request request = To(server.Url("/"));
  request.max_response_bytes = 1999;
  for (int i = 0; i < 2; ++i) {
    const Fetched fetched = Get(request);
    EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kTooLarge);
    EXPECT_EQ(fetched.kind(), ErrorKind::kBadInput);
  }
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(Client, ALongErrorBodyIsCut) {
  ScriptServer server(Each({Answer(400, std::string(3 << 20, 'x'))}));
  const Fetched fetched = Get(To(server.Url("/")));
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kBadRequest);
  EXPECT_EQ(fetched.outcome.response.error_body.size(), 64U << 10);
  EXPECT_LT(fetched.error().size(), 700U);
}

// ---- resuming ----

TEST(Resume, ContinuesWhereTheBodyStands) {
  const std::string data = "0123456789";
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"a\"\r\n\r\n0123");
      return connection.Close();
    }
    connection.Send(Answer(206, data.substr(4), {"Content-Range: bytes 4-9/10", "ETag: \"a\""}));
  });
  const auto body = std::make_shared<RecordingBody>();
  const Outcome outcome = Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body);
  ASSERT_TRUE(outcome.status) << outcome.status.error().ToString();
  EXPECT_EQ(body->text, data);
  EXPECT_EQ(body->begins, (std::vector<uint64_t>{0, 4}));
  EXPECT_EQ(server.requests()[1].Header("range"), "bytes=4-");
}

struct RangeCase {
  const char* name;
  std::string answer;
};

TEST(Resume, StartsAnewWhenTheServerDoesNotHonourTheRange) {
  const std::string data = "0123456789";
  for (const auto& [name, answer] :
       {RangeCase{"ignored", Answer(200, data)}, RangeCase{"416", Answer(416, "", {"Content-Range: bytes */10"})},
        RangeCase{"another", Answer(206, "3456789", {"Content-Range: bytes 3-9/10"})},
        RangeCase{"none", Answer(206, "456789")},
        RangeCase{"nonsense", Answer(206, "456789", {"Content-Range: bytes 4-99/10"})}}) {
    ScriptServer server(Each({answer, Answer(200, data)}));
    const auto body = std::make_shared<RecordingBody>();
    body->text = "abcd";
    const Outcome outcome = Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body);
    ASSERT_TRUE(outcome.status) << name << outcome.status.error().ToString();
    EXPECT_EQ(body->text, data) << name;
    EXPECT_EQ(body->begins, std::vector<uint64_t>{0}) << name;
    if (std::string_view(name) == "ignored") continue;
    EXPECT_EQ(server.requests().at(1).headers.count("range"), 0U) << name;
  }
}

TEST(Resume, StartsAnewWhenTheFileChanged) {
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nETag: \"old\"\r\n\r\nold");
      return connection.Close();
    }
    if (request.Header("range").empty()) return connection.Send(Answer(200, "newnew", {"ETag: \"new\""}));
    connection.Send(Answer(206, "new", {"Content-Range: bytes 3-5/6", "ETag: \"new\""}));
  });
  const auto body = std::make_shared<RecordingBody>();
  ASSERT_TRUE(Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body).status);
  EXPECT_EQ(body->text, "newnew");
}

TEST(Resume, AskForTheRestOfAShortRange) {
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    if (request.Header("range") == "bytes=2-") {
      return connection.Send(Answer(206, "234", {"Content-Range: bytes 2-4/8"}));
    }
    connection.Send(Answer(206, "567", {"Content-Range: bytes 5-7/8"}));
  });
  const auto body = std::make_shared<RecordingBody>();
  body->text = "01";
  ASSERT_TRUE(Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body).status);
  EXPECT_EQ(body->text, "01234567");
  EXPECT_EQ(body->ends, 1);
}

TEST(Resume, ProgressCountsTriesAnew) {
  // Twelve connections that die after a MiB each, with four tries allowed.
  constexpr size_t kPiece = 1 << 20, kPieces = 12;
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    const std::string range = request.Header("range");
    const size_t from = range.empty() ? 0 : std::strtoul(range.c_str() + 6, nullptr, 10);
    const size_t total = kPiece * kPieces;
    connection.Send(fmt::format("HTTP/1.1 {} OK\r\nContent-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n",
                                range.empty() ? 200 : 206, total - from, from, total - 1, total));
    connection.Send(std::string(std::min(kPiece, total - from), 'x'));
    connection.Close();
  });
  const auto body = std::make_shared<RecordingBody>();
  const Outcome outcome = Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body);
  ASSERT_TRUE(outcome.status) << outcome.status.error().ToString();
  EXPECT_EQ(body->text.size(), kPiece * kPieces);
  EXPECT_GE(outcome.response.tries, 12);
}

TEST(Body, ACorruptEndIsTriedAgainOtherRefusalsAreFinal) {
  ScriptServer server(Each({Answer(200, "data")}));
  const auto client = Client::Make(Quick()).value();
  const auto corrupt = std::make_shared<RecordingBody>();
  corrupt->corrupt_ends = 2;
  EXPECT_EQ(client->Fetch(To(server.Url("/")), corrupt).response.tries, 3);
  const auto hopeless = std::make_shared<RecordingBody>();
  hopeless->corrupt_ends = 100;
  const Outcome used_up = client->Fetch(To(server.Url("/")), hopeless);
  EXPECT_EQ(used_up.status.error().kind, ErrorKind::kPartial);
  EXPECT_THAT(used_up.status.error().ToString(), HasSubstr("another hash"));
  const auto full = std::make_shared<RecordingBody>();
  full->write_status = Fail(ErrorKind::kStorage, "disk full");
  const Outcome outcome = client->Fetch(To(server.Url("/")), full);
  EXPECT_EQ(outcome.status.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(outcome.status.error().ToString(), "thing: disk full");
  EXPECT_EQ(outcome.response.failure, FailureClass::kStopped);
}

}  // namespace
}  // namespace lode::net
