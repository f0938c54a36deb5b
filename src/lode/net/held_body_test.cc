#include "lode/net/held_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

using testing::Answer;
using testing::Connection;
using testing::Each;
using ::testing::HasSubstr;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::To;

Status Fetch(const ScriptServer& server, const std::shared_ptr<HeldBody>& body) {
  return Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body).status;
}

TEST(HeldBodyTest, HoldsWhatCame) {
  ScriptServer server(Each({Answer(200, "0123456789")}));
  const auto body = std::make_shared<HeldBody>(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), "0123456789");
}

TEST(HeldBodyTest, NothingIsABody) {
  ScriptServer server(Each({Answer(200, "")}));
  const auto body = std::make_shared<HeldBody>(0);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), "");
}

TEST(HeldBodyTest, GoesOnWhereItBrokeOff) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Send(Answer(206, "456789", {"Content-Range: bytes 4-9/10"}));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    connection.Close();
  });
  const auto body = std::make_shared<HeldBody>(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(server.requests()[1].Header("range"), "bytes=4-");
  EXPECT_EQ(body->Take(), "0123456789");
}

TEST(HeldBodyTest, BeginsAnewWhereTheServerDoes) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Send(Answer(200, "0123456789"));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcd");
    connection.Close();
  });
  const auto body = std::make_shared<HeldBody>(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), "0123456789");
}

TEST(HeldBodyTest, AnotherSizeIsAskedForAgain) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789+\r\n0\r\n\r\n";
  for (const std::string& wrong : {Answer(200, "012345678"), Answer(200, "0123456789+"), Answer(200, ""), chunked}) {
    ScriptServer server(Each({wrong, Answer(200, "0123456789")}));
    const auto body = std::make_shared<HeldBody>(10);
    ASSERT_TRUE(Fetch(server, body)) << wrong;
    EXPECT_EQ(server.requests()[1].headers.count("range"), 0U) << wrong;
    EXPECT_EQ(body->Take(), "0123456789");
    ScriptServer never(Each({wrong}));
    const Status status = Fetch(never, std::make_shared<HeldBody>(10));
    ASSERT_FALSE(status) << wrong;
    EXPECT_THAT(status.error().ToString(), HasSubstr("instead of 10"));
  }
}

}  // namespace
}  // namespace lode::net
