// What a client trusts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "lode/net/http.h"
#include "lode/net/testing/fetch.h"
#include "lode/net/testing/script_server.h"

namespace lode::net {
namespace {

namespace fs = std::filesystem;
using testing::Answer;
using testing::Connection;
using testing::Each;
using testing::Fetched;
using testing::Get;
using ::testing::HasSubstr;
using testing::Quick;
using testing::ReceivedRequest;
using testing::ScriptServer;
using testing::TlsIdentity;
using testing::To;

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's writes know no MSG_NOSIGNAL
    ca_file_ = fs::temp_directory_path() / fmt::format("lode_ca_{}.pem", ::getpid());
    std::ofstream(ca_file_) << identity_.certificate();
  }
  void TearDown() override { fs::remove(ca_file_); }
  ClientOptions Trusting() const {
    ClientOptions options = Quick();
    options.ca_file = ca_file_;
    return options;
  }

  TlsIdentity identity_;
  fs::path ca_file_;
};

TEST_F(TlsTest, FetchesFromATrustedServer) {
  ScriptServer server(Each({Answer(200, "data")}), &identity_);
  const Fetched fetched = Get(To(server.Url("/")), Trusting());
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.text, "data");
}

TEST_F(TlsTest, AnUntrustedCertificateEndsAtOnceAndHearsNothing) {
  ScriptServer server(Each({Answer(200, "data")}), &identity_);
  const Fetched fetched = Get(To(server.Url("/")));
  ASSERT_FALSE(fetched.outcome.status);
  EXPECT_EQ(fetched.kind(), ErrorKind::kConfig);
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kUnreachable);
  EXPECT_EQ(fetched.outcome.response.tries, 1);
  EXPECT_THAT(fetched.error(), HasSubstr("certificate"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TlsTest, ACertificateForAnotherNameIsNotTrusted) {
  ScriptServer server(Each({Answer(200, "data")}), &identity_);
  const Fetched fetched = Get(To(fmt::format("https://localhost:{}/", server.port())), Trusting());
  EXPECT_EQ(fetched.kind(), ErrorKind::kConfig);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TlsTest, AServerThatSpeaksNoTlsIsUnreachable) {
  ScriptServer server(Each({Answer(200, "data")}));
  Request request = To(fmt::format("https://127.0.0.1:{}/", server.port()));
  request.idle_timeout = std::chrono::milliseconds(200);  // the server waits for a request, the client for a handshake
  const Fetched fetched = Get(request, Trusting());
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kUnreachable);
}

TEST_F(TlsTest, ARedirectDownToHttpIsRefusedEvenToAnAllowedOrigin) {
  ScriptServer plain(Each({Answer(200, "data")}));
  ScriptServer server(Each({Answer(302, "", {"Location: " + plain.Url("/")})}), &identity_);
  ClientOptions options = Trusting();
  options.allowed_origins = {plain.origin()};
  const Fetched fetched = Get(To(server.Url("/")), options);
  EXPECT_EQ(fetched.outcome.response.failure, FailureClass::kRedirected);
  EXPECT_THAT(fetched.error(), HasSubstr("https to http"));
  EXPECT_TRUE(plain.requests().empty());
}

TEST_F(TlsTest, ABodyCutWithoutTlsGoodbyeIsTruncated) {
  // Neither a length nor chunks: only the goodbye tells an attacker's cut from an end.
  ScriptServer server(
      [](const ReceivedRequest& request, Connection& connection) {
        connection.Send("HTTP/1.1 200 OK\r\n\r\nabcd");
        request.number == 0 ? connection.Reset() : connection.Close();
      },
      &identity_);
  const Fetched fetched = Get(To(server.Url("/")), Trusting());
  ASSERT_TRUE(fetched.outcome.status) << fetched.error();
  EXPECT_EQ(fetched.outcome.response.tries, 2);
  EXPECT_EQ(fetched.text, "abcd");
}

}  // namespace
}  // namespace lode::net
