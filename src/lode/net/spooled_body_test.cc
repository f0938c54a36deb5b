#include "lode/net/spooled_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "lode/base/hashing.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

namespace fs = std::filesystem;

using testing::Answer;
using testing::Connection;
using testing::Each;
using ::testing::HasSubstr;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::To;

class SpooledBodyTest : public ::testing::Test {
 protected:
  SpooledBodyTest() {
    std::string name = fs::temp_directory_path() / "lode-spooled-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    file_ = folder_ / "x.part";
  }
  ~SpooledBodyTest() override { fs::remove_all(folder_); }

  std::shared_ptr<SpooledBody> Open(std::optional<uint64_t> expected_size, bool resume = false) const {
    return SpooledBody::Open({.path = file_, .resume = resume, .expected_size = expected_size}).value();
  }
  static Status Fetch(const ScriptServer& server, const std::shared_ptr<SpooledBody>& body) {
    return Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body).status;
  }
  std::string Read() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_, file_;
};

TEST_F(SpooledBodyTest, HoldsWhatCame) {
  ScriptServer server(Each({Answer(200, "0123456789")}));
  const auto body = Open(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->size(), 10U);
  EXPECT_EQ(body->crc32c(), Crc32c("0123456789"));
  EXPECT_EQ(body->Take(), "0123456789");
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SpooledBodyTest, NothingIsABody) {
  ScriptServer server(Each({Answer(200, "")}));
  const auto body = Open(0);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), "");
}

TEST_F(SpooledBodyTest, GoesOnWhereItBrokeOff) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Send(Answer(206, "456789", {"Content-Range: bytes 4-9/10"}));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    connection.Close();
  });
  const auto body = Open(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(server.requests()[1].Header("range"), "bytes=4-");
  EXPECT_EQ(body->Take(), "0123456789");
}

TEST_F(SpooledBodyTest, BeginsAnewWhereTheServerDoes) {
  ScriptServer server([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Send(Answer(200, "0123456789"));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcd");
    connection.Close();
  });
  const auto body = Open(10);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), "0123456789");
}

TEST_F(SpooledBodyTest, AnotherSizeIsAskedForAgain) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789+\r\n0\r\n\r\n";
  for (const std::string& wrong : {Answer(200, "012345678"), Answer(200, "0123456789+"), Answer(200, ""), chunked}) {
    ScriptServer server(Each({wrong, Answer(200, "0123456789")}));
    const auto body = Open(10);
    ASSERT_TRUE(Fetch(server, body)) << wrong;
    EXPECT_EQ(server.requests()[1].headers.count("range"), 0U) << wrong;
    EXPECT_EQ(body->Take(), "0123456789");
    ScriptServer never(Each({wrong}));
    const Status status = Fetch(never, Open(10));
    ASSERT_FALSE(status) << wrong;
    EXPECT_THAT(status.error().ToString(), HasSubstr("instead of 10"));
  }
}

TEST_F(SpooledBodyTest, WhatIsLargeGoesIntoTheFile) {
  const std::string large(SpooledBody::kMostHeldBytes + 1, 'x'), most(SpooledBody::kMostHeldBytes, 'y');
  const auto chunked = [](const std::string& text) {
    return fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", text.size(),
                       text);
  };
  for (const bool is_expected : {true, false}) {
    for (const std::string& answer : {Answer(200, large), chunked(large)}) {
      ScriptServer server(Each({answer}));
      const auto body = Open(is_expected ? std::optional(large.size()) : std::nullopt);
      ASSERT_TRUE(Fetch(server, body));
      EXPECT_EQ(body->size(), large.size());
      EXPECT_EQ(body->crc32c(), Crc32c(large));
      EXPECT_EQ(body->Take(), std::nullopt);
      EXPECT_EQ(Read(), large);
      fs::remove(file_);
    }
    for (const std::string& answer : {Answer(200, most), chunked(most)}) {
      ScriptServer server(Each({answer}));
      const auto body = Open(is_expected ? std::optional(most.size()) : std::nullopt);
      ASSERT_TRUE(Fetch(server, body));
      EXPECT_EQ(body->Take(), most);
      EXPECT_FALSE(fs::exists(file_));
    }
  }
}

TEST_F(SpooledBodyTest, WhatGrowsLargeGoesOnInTheFile) {
  const std::string all = std::string(1000, 'a') + std::string(SpooledBody::kMostHeldBytes, 'b');
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) {
      return connection.Send(Answer(206, all.substr(1000),
                                    {fmt::format("Content-Range: bytes 1000-{0}/{1}", all.size() - 1, all.size())}));
    }
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + all.substr(0, 1000));
    connection.Close();
  });
  const auto body = Open(std::nullopt);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(server.requests()[1].Header("range"), "bytes=1000-");
  EXPECT_EQ(Read(), all);
  EXPECT_EQ(body->crc32c(), Crc32c(all));
}

TEST_F(SpooledBodyTest, TheNextRunContinuesWhatWasLeft) {
  ScriptServer broken([](const ReceivedRequest&, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    connection.Close();
  });
  {
    ClientOptions options = Quick();
    options.retry.attempts = 1;
    const auto body = Open(10);
    EXPECT_FALSE(Client::Make(options).value()->Fetch(To(broken.Url("/")), body).status);
    EXPECT_FALSE(fs::exists(file_));
    ASSERT_TRUE(body->Leave());
  }
  EXPECT_EQ(Read(), "0123");
  ScriptServer server(Each({Answer(206, "456789", {"Content-Range: bytes 4-9/10"})}));
  const auto body = Open(10, true);
  EXPECT_EQ(body->held(), 4U);
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(body->Take(), std::nullopt);
  EXPECT_EQ(Read(), "0123456789");
  // Without being told to continue, it does not look.
  EXPECT_EQ(Open(10)->held(), 0U);
}

}  // namespace
}  // namespace lode::net
