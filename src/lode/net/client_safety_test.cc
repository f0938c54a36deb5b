// Redirects, and what they and errors must not do with a key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/net/http.h"
#include "lode/net/redact.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

using testing::Answer;
using testing::Connection;
using testing::Each;
using testing::Fetched;
using testing::Get;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::To;

constexpr char kSecret[] = "db-S3cret/with+odd =chars";

Request WithKey(const std::string& url, const std::string& origin,
                Credential::Kind kind = Credential::Kind::kBasicUser) {
  Request request = To(url);
  request.credential = {.kind = kind, .secret = kSecret, .origin = origin, .query_name = "api_key"};
  return request;
}

std::string Redirect(const std::string& location, int status = 302) {
  return Answer(status, "gone", {"Location: " + location});
}

// Everything a server saw, in one text.
std::string Seen(const ScriptServer& server) {
  std::string all;
  for (const ReceivedRequest& request : server.requests()) {
    all += request.method + " " + request.target + "\n";
    for (const auto& [name, value] : request.headers) all += name + ": " + value + "\n";
    all += request.body + "\n";
  }
  return all;
}

TEST(Credential, GoesToItsOriginInEachForm) {
  ScriptServer server(Each({Answer(200, "x")}));
  EXPECT_TRUE(Get(WithKey(server.Url("/a"), server.origin() + "/")).outcome.status);
  EXPECT_TRUE(Get(WithKey(server.Url("/a"), server.origin(), Credential::Kind::kBearer)).outcome.status);
  EXPECT_TRUE(Get(WithKey(server.Url("/a"), server.origin(), Credential::Kind::kQuery)).outcome.status);
  EXPECT_TRUE(Get(WithKey(server.Url("/a?b=1"), server.origin(), Credential::Kind::kQuery)).outcome.status);
  const auto requests = server.requests();
  EXPECT_EQ(requests[0].Header("authorization"), "Basic " + Base64(std::string(kSecret) + ":"));
  EXPECT_EQ(requests[1].Header("authorization"), std::string("Bearer ") + "db-S3cret/with+odd =chars");
  EXPECT_EQ(requests[2].target, "/a?api_key=db-S3cret%2Fwith%2Bodd%20%3Dchars");
  EXPECT_EQ(requests[3].target, "/a?b=1&api_key=db-S3cret%2Fwith%2Bodd%20%3Dchars");
}

TEST(Credential, GoesToNoOtherOrigin) {
  ScriptServer server(Each({Answer(200, "x")}));
  for (const auto kind : {Credential::Kind::kBasicUser, Credential::Kind::kBearer, Credential::Kind::kQuery}) {
    EXPECT_TRUE(Get(WithKey(server.Url("/a"), "https://hist.databento.com", kind)).outcome.status);
  }
  EXPECT_THAT(Seen(server), Not(HasSubstr("authorization")));
  EXPECT_THAT(Seen(server), Not(HasSubstr("S3cret")));
}

TEST(Redirect, WithinTheOriginKeepsTheKey) {
  ScriptServer server(Each({Redirect("/b?c=1"), Redirect("d"), Answer(200, "x")}));
  const Fetched fetched = Get(WithKey(server.Url("/a"), server.origin()));
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[1].target, "/b?c=1");
  EXPECT_EQ(requests[2].target, "/d");
  EXPECT_EQ(requests[2].Header("authorization"), requests[0].Header("authorization"));
  EXPECT_EQ(fetched.outcome.response.tries, 1);
}

TEST(Redirect, ToAnotherOriginFails) {
  ScriptServer other(Each({Answer(200, "loot")}));
  ScriptServer server(Each({Redirect(other.Url("/?token=abc"))}));
  const Fetched fetched = Get(WithKey(server.Url("/a"), server.origin()));
  ASSERT_FALSE(fetched.outcome.status);
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kRedirected);
  EXPECT_EQ(fetched.kind(), ErrorKind::kRefused);
  EXPECT_THAT(fetched.error(), HasSubstr(other.origin()));
  EXPECT_THAT(fetched.error(), Not(HasSubstr("token")));  // a presigned URL is a secret too
  EXPECT_TRUE(other.requests().empty());
}

TEST(Redirect, ToAnAllowedOriginGoesWithoutAnyKey) {
  ScriptServer other(Each({Answer(200, "x")}));
  ScriptServer server(Each({Redirect(other.Url("/presigned"), 307)}));
  for (const auto kind : {Credential::Kind::kBasicUser, Credential::Kind::kBearer, Credential::Kind::kQuery}) {
    ClientOptions options = Quick();
    options.allowed_origins = {other.origin()};
    Request request = WithKey(server.Url("/a"), server.origin(), kind);
    request.headers = {{"Accept", "x/y"}, {"X-Amz-Security-Token", "tokenS3cret"}, {"authorization", "S3cret"}};
    request.fresh_headers = [] { return std::vector<Header>{{"X-Signature", "S3cret"}}; };
    const Fetched fetched = Get(request, options);
    ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  }
  EXPECT_EQ(other.requests().size(), 3U);
  EXPECT_THAT(Seen(server), HasSubstr("x-signature: S3cret"));
  EXPECT_THAT(Seen(other), Not(HasSubstr("S3cret")));
  EXPECT_THAT(Seen(other), Not(HasSubstr("authorization")));
  EXPECT_THAT(Seen(other), HasSubstr("accept: x/y"));
}

TEST(Redirect, BackFromAnotherOriginDoesNotBringTheKeyBack) {
  // The other server may choose the path: it must not choose what the key is used for.
  std::string home;
  ScriptServer other(
      [&](const ReceivedRequest&, Connection& connection) { connection.Send(Redirect(home + "/delete")); });
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    connection.Send(request.target == "/a" ? Redirect(other.Url("/")) : Answer(200, "x"));
  });
  home = server.origin();
  ClientOptions options = Quick();
  options.allowed_origins = {other.origin(), server.origin()};
  ASSERT_TRUE(Get(WithKey(server.Url("/a"), server.origin()), options).outcome.status);
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[1].Header("authorization"), "");
}

TEST(Redirect, EndsAfterFiveHops) {
  ScriptServer server(Each({Redirect("/again")}));
  const Fetched fetched = Get(To(server.Url("/")));
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kRedirected);
  EXPECT_EQ(server.requests().size(), 6U);
}

TEST(Redirect, MethodsFollowTheStatus) {
  struct Case {
    int status;
    const char* method;
    const char* body;
  };
  for (const auto& [status, method, body] : {Case{301, "GET", ""}, Case{302, "GET", ""}, Case{303, "GET", ""},
                                             Case{307, "POST", "abc"}, Case{308, "POST", "abc"}}) {
    ScriptServer server(Each({Redirect("/b", status), Answer(200, "x")}));
    Request request = To(server.Url("/a"));
    request.method = "POST";
    request.body = "abc";
    ASSERT_TRUE(Get(request).outcome.status) << status;
    EXPECT_EQ(server.requests()[1].method, method) << status;
    EXPECT_EQ(server.requests()[1].body, body) << status;
  }
}

TEST(Redirect, OddLocationsAreRefused) {
  for (const char* location : {"ftp://127.0.0.1/x", "http://user:pw@127.0.0.1/x", "file:///etc/passwd", "http://"}) {
    ScriptServer server(Each({Redirect(location)}));
    const Fetched fetched = Get(To(server.Url("/")));
    EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kRedirected) << location;
    EXPECT_EQ(server.requests().size(), 1U) << location;
  }
}

TEST(Redirect, ATryAfterARedirectStartsFromTheFirstUrl) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.target == "/a") return connection.Send(Redirect(fmt::format("/b{}", request.number)));
    connection.Send(request.number < 2 ? Answer(503, "") : Answer(200, "x"));
  });
  ASSERT_TRUE(Get(To(server.Url("/a"))).outcome.status);
  EXPECT_EQ(server.requests()[2].target, "/a");
}

TEST(Secrets, AreBlottedOutOfErrorsInEveryForm) {
  const std::string secret = kSecret;
  const std::string basic = Base64(secret + ":");
  const std::string echo = "you sent " + secret + " as " + basic + " or db-S3cret%2Fwith%2Bodd%20%3Dchars or " +
                           "db-S3cret%2fwith%2bodd%20%3dchars or " + Base64("user:" + secret);
  ScriptServer server(Each({Answer(401, echo, {"request-id: " + secret, "X-Echo: " + basic})}));
  const Fetched fetched = Get(WithKey(server.Url("/a"), server.origin()));
  ASSERT_FALSE(fetched.outcome.status);
  std::string all = fetched.error() + "\n" + fetched.outcome.response.error_body + "\n";
  for (const Header& header : fetched.outcome.response.head.headers) all += header.value + "\n";
  EXPECT_THAT(all, HasSubstr("you sent ***"));
  EXPECT_THAT(all, Not(HasSubstr("S3cret")));
  EXPECT_THAT(all, Not(HasSubstr(basic.substr(0, 12))));
  EXPECT_THAT(all, Not(HasSubstr(Base64("user:" + secret).substr(8, 12))));
}

TEST(Secrets, AKeyWithALineBreakIsNotSent) {
  ScriptServer server(Each({Answer(200, "x")}));
  Request request = WithKey(server.Url("/a"), server.origin(), Credential::Kind::kBearer);
  request.credential.secret = "abcd\r\nX-Injected: 1";
  const Fetched fetched = Get(request);
  ASSERT_FALSE(fetched.outcome.status);
  EXPECT_EQ(fetched.kind(), ErrorKind::kConfig);
  EXPECT_TRUE(server.requests().empty());
}

TEST(Secrets, AUrlThatNamesAUserIsRefusedUnrepeated) {
  const Fetched fetched = Get(To("https://user:hunter22@host/x"));
  ASSERT_FALSE(fetched.outcome.status);
  EXPECT_EQ(fetched.kind(), ErrorKind::kConfig);
  EXPECT_THAT(fetched.error(), Not(HasSubstr("hunter22")));
}

}  // namespace
}  // namespace lode::net
