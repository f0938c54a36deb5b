#include "lode/net/file_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
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

class FileBodyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("lode_file_body_{}", ::getpid());
    fs::create_directories(folder_);
    file_ = folder_ / "x.bin";
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(std::string_view text) const { std::ofstream(file_, std::ios::binary) << text; }
  std::string Read() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static Status Fetch(const ScriptServer& server, const std::shared_ptr<FileBody>& body) {
    return Client::Make(Quick()).value()->Fetch(To(server.Url("/")), body).status;
  }

  fs::path folder_, file_;
  const std::string data_ = "0123456789";
};

TEST_F(FileBodyTest, WritesAndHashes) {
  Write("older and longer than the new one");
  ScriptServer server(Each({Answer(200, data_)}));
  const auto body = FileBody::Open({.path = file_, .expected_size = 10, .expected_sha256 = Sha256Hex(data_)}).value();
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(Read(), data_);
  EXPECT_EQ(body->size(), 10U);
  EXPECT_EQ(body->crc32c(), Crc32c(data_));
  EXPECT_EQ(server.requests()[0].headers.count("range"), 0U);
}

TEST_F(FileBodyTest, ResumesWhatAnEarlierRunLeft) {
  Write("0123");
  ScriptServer server(Each({Answer(206, "456789", {"Content-Range: bytes 4-9/10"})}));
  const auto body = FileBody::Open({.path = file_, .resume = true, .expected_sha256 = Sha256Hex(data_)}).value();
  EXPECT_EQ(body->held(), 4U);
  EXPECT_FALSE(body->whole());
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(server.requests()[0].Header("range"), "bytes=4-");
  EXPECT_EQ(Read(), data_);
  EXPECT_EQ(body->crc32c(), Crc32c(data_));
}

TEST_F(FileBodyTest, ABadBeginningIsThrownAwayAndFetchedAgain) {
  Write("abcd");
  ScriptServer server([&](const ReceivedRequest& request, Connection& connection) {
    connection.Send(request.Header("range").empty() ? Answer(200, data_)
                                                    : Answer(206, "456789", {"Content-Range: bytes 4-9/10"}));
  });
  const auto body = FileBody::Open({.path = file_, .resume = true, .expected_sha256 = Sha256Hex(data_)}).value();
  ASSERT_TRUE(Fetch(server, body));
  EXPECT_EQ(Read(), data_);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(FileBodyTest, AnotherHashLeavesAnEmptyFileAndAnError) {
  ScriptServer server(Each({Answer(200, data_)}));
  const auto body = FileBody::Open({.path = file_, .expected_sha256 = Sha256Hex("else")}).value();
  const Status status = Fetch(server, body);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().ToString(), HasSubstr("SHA-256"));
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(FileBodyTest, AnotherSizeIsRefusedWithAndWithoutALength) {
  const std::string unsized_answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n";
  for (const uint64_t expected : {9, 11}) {
    for (const std::string& answer : {Answer(200, data_), unsized_answer}) {
      ScriptServer server(Each({answer}));
      const auto body = FileBody::Open({.path = file_, .expected_size = expected}).value();
      EXPECT_FALSE(Fetch(server, body)) << expected;
      EXPECT_EQ(Read(), "") << expected;
    }
  }
}

TEST_F(FileBodyTest, AWholeFileNeedsNoRequest) {
  Write(data_);
  const auto whole =
      FileBody::Open({.path = file_, .resume = true, .expected_size = 10, .expected_sha256 = Sha256Hex(data_)}).value();
  EXPECT_TRUE(whole->whole());
  EXPECT_EQ(whole->crc32c(), Crc32c(data_));
  EXPECT_EQ(Read(), data_);
  const auto other =
      FileBody::Open({.path = file_, .resume = true, .expected_size = 10, .expected_sha256 = Sha256Hex("x")}).value();
  EXPECT_FALSE(other->whole());
  EXPECT_EQ(other->held(), 0U);
  Write(data_ + "more");
  const auto longer =
      FileBody::Open({.path = file_, .resume = true, .expected_size = 10, .expected_sha256 = Sha256Hex(data_)}).value();
  EXPECT_EQ(longer->held(), 0U);
}

TEST_F(FileBodyTest, LinksAndFoldersAreRefused) {
  fs::create_symlink("/etc/hostname", folder_ / "link");
  ScriptServer server(Each({Answer(200, data_)}));
  for (const fs::path& path : {folder_ / "link", folder_, folder_ / "absent" / "x"}) {
    const Status status = Fetch(server, FileBody::Open({.path = path}).value());
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().kind, ErrorKind::kStorage) << path;
  }
  EXPECT_EQ(FileBody::Open({.path = folder_ / "link", .resume = true}).error().kind, ErrorKind::kStorage);
  EXPECT_TRUE(FileBody::Open({.path = folder_ / "new", .resume = true}));
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(FileBodyTest, AFileThatGrewMeanwhileIsNotContinued) {
  Write("0123");
  ScriptServer server([&](const ReceivedRequest&, Connection& connection) {
    Write("0123and more");
    connection.Send(Answer(206, "456789", {"Content-Range: bytes 4-9/10"}));
  });
  const Status status = Fetch(server, FileBody::Open({.path = file_, .resume = true}).value());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().ToString(), HasSubstr("changed by somebody else"));
}

TEST_F(FileBodyTest, WaitingBodiesHoldNoDescriptor) {
  const auto open_descriptors = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  const auto before = open_descriptors();
  Write("0123");
  std::vector<std::shared_ptr<FileBody>> bodies;
  for (const bool resume : {false, true}) bodies.push_back(FileBody::Open({.path = file_, .resume = resume}).value());
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(Read(), "0123");
}

TEST_F(FileBodyTest, AWriteThatFailsEndsTheRequestAtOnce) {
  ScriptServer server(Each({Answer(200, std::string(100'000, 'x'))}));
  const auto body = FileBody::Open({.path = file_}).value();
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const Status status = Fetch(server, body);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace lode::net
