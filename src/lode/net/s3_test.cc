#include "lode/net/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "lode/base/hashing.h"
#include "lode/base/time.h"
#include "lode/net/file_body.h"
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
using ::testing::StartsWith;

std::string Failure(int status, const std::string& code) {
  return Answer(status, "<Error><Code>" + code + "</Code><Message>words</Message></Error>");
}

class S3Test : public ::testing::Test {
 protected:
  S3 Serve(ScriptServer::Script script, const S3Options& changes = {}) {
    server_ = std::make_unique<ScriptServer>(std::move(script));
    client_ = Client::Make(Quick()).value();
    S3Options options = changes;
    options.endpoint = server_->origin();
    options.bucket = "bucket";
    options.key = {.key_id = "KEYID", .secret = "verysecret", .session_token = "tok-secret"};
    return S3::Make(*client_, options).value();
  }
  S3 Serve(std::vector<std::string> answers) { return Serve(Each(std::move(answers))); }
  ReceivedRequest Request(size_t i) const { return server_->requests().at(i); }

  std::unique_ptr<ScriptServer> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(S3Test, SignsWhatIsReallySent) {
  S3 s3 = Serve({Answer(200, "data")});
  EXPECT_EQ(s3.Get("dir a/b+c$\xc3\xa9.gz").value(), "data");
  const ReceivedRequest got = Request(0);
  EXPECT_EQ(got.target, "/bucket/dir%20a/b%2Bc%24%C3%A9.gz");
  EXPECT_EQ(got.Header("x-amz-content-sha256"), Sha256Hex(""));
  EXPECT_EQ(got.Header("x-amz-security-token"), "tok-secret");
  // The signature over what arrived is the one that came with it.
  const std::string date = got.Header("x-amz-date");
  const int64_t unix_s =
      ParseIsoNs(fmt::format("{}-{}-{}T{}:{}:{}Z", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2),
                             date.substr(9, 2), date.substr(11, 2), date.substr(13, 2)))
          .value() /
      kNsPerSecond;
  const SigningKey key{.key_id = "KEYID", .secret = "verysecret", .session_token = "tok-secret"};
  const auto expected = Signer(key).SignS3(
      {.method = got.method, .path = got.target, .payload_sha256 = Sha256Hex(got.body)}, got.Header("host"), unix_s);
  EXPECT_EQ(got.Header("authorization"), expected.back().value);
}

TEST_F(S3Test, ListsPageAfterPage) {
  const auto page = [](const std::string& key, const std::string& token) {
    return Answer(200, "<ListBucketResult><IsTruncated>" + std::string(token.empty() ? "false" : "true") +
                           "</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken><Contents><Key>" +
                           key + "</Key><Size>1</Size></Contents></ListBucketResult>");
  };
  S3 s3 = Serve({page("a", "t 1"), page("b", "t 2"), page("c", "")});
  const auto objects = s3.List("p/").value();
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[2].key, "c");
  EXPECT_EQ(Request(0).target, "/bucket?list-type=2&prefix=p%2F");
  EXPECT_EQ(Request(1).target, "/bucket?list-type=2&prefix=p%2F&continuation-token=t%201");
  S3 endless = Serve({page("a", "same")});
  EXPECT_FALSE(endless.List(""));
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(S3Test, AListingCutOffIsAskedForAgain) {
  S3 s3 = Serve({Answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated>"),
                 Answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")});
  EXPECT_TRUE(s3.List("").value().empty());
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(S3Test, HeadAndDeleteTakeAbsenceAsAnAnswer) {
  S3 s3 = Serve([](const ReceivedRequest& request, Connection& connection) {
    if (request.number > 0) return connection.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nETag: \"e\"\r\nX-Amz-Meta-Color: Blue\r\n\r\n");
  });
  const auto head = s3.Head("x").value();
  EXPECT_EQ(head->size, 12U);
  EXPECT_EQ(head->etag, "\"e\"");
  EXPECT_EQ(head->metadata.at("color"), "Blue");
  EXPECT_FALSE(s3.Head("y").value());
  EXPECT_TRUE(s3.Delete("y"));
  EXPECT_EQ(Request(2).method, "DELETE");
}

TEST_F(S3Test, RangesAreChecked) {
  S3 s3 = Serve({Answer(206, "234", {"Content-Range: bytes 2-4/10"}), Answer(200, "0123456789"),
                 Answer(206, "345", {"Content-Range: bytes 3-5/10"}), Failure(416, "InvalidRange")});
  EXPECT_EQ(s3.Get("x", ByteRange{2, 3}, "\"e\"").value(), "234");
  EXPECT_EQ(Request(0).Header("range"), "bytes=2-4");
  EXPECT_EQ(Request(0).Header("if-match"), "\"e\"");
  EXPECT_FALSE(s3.Get("x", ByteRange{2, 3}));
  EXPECT_FALSE(s3.Get("x", ByteRange{2, 3}));
  EXPECT_FALSE(s3.Get("x", ByteRange{20, 3}));
  EXPECT_EQ(s3.Get("x", ByteRange{2, 0}).value(), "");
  EXPECT_EQ(server_->requests().size(), 4U);
}

TEST_F(S3Test, ErrorsAreTheServersWords) {
  S3 s3 = Serve({Failure(403, "AccessDenied"), Failure(404, "NoSuchKey"), Failure(503, "SlowDown"), Answer(200, "x")});
  const auto denied = s3.Get("x");
  EXPECT_EQ(denied.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(denied.error().ToString(), "GET s3://bucket/x: HTTP 403: AccessDenied: words");
  EXPECT_EQ(s3.Get("x").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(s3.Get("x").value(), "x");  // after SlowDown
}

TEST_F(S3Test, PutsWithConditions) {
  S3 s3 = Serve({Answer(200, "", {"ETag: \"n\""}), Failure(412, "PreconditionFailed"), Failure(404, "NoSuchKey"),
                 Failure(409, "ConditionalRequestConflict"), Answer(200, "", {"ETag: \"m\""}),
                 Failure(404, "NoSuchBucket")});
  const auto created = s3.Put("x", "bytes", {.if_absent = true}).value();
  EXPECT_TRUE(created.written);
  EXPECT_EQ(created.etag, "\"n\"");
  EXPECT_EQ(Request(0).method, "PUT");
  EXPECT_EQ(Request(0).body, "bytes");
  EXPECT_EQ(Request(0).Header("if-none-match"), "*");
  EXPECT_EQ(Request(0).Header("x-amz-content-sha256"), Sha256Hex("bytes"));
  EXPECT_FALSE(s3.Put("x", "bytes", {.if_absent = true}).value().written);
  EXPECT_FALSE(s3.Put("x", "bytes", {.if_match = "\"n\""}).value().written);
  EXPECT_EQ(Request(2).Header("if-match"), "\"n\"");
  EXPECT_TRUE(s3.Put("x", "bytes", {.if_match = "\"n\""}).value().written);  // after the conflict
  EXPECT_FALSE(s3.Put("x", "bytes", {.if_match = "\"n\""}));                 // no bucket is no failed condition
}

TEST_F(S3Test, AConditionThatFailedByOurOwnLostWriteHolds) {
  for (const bool ours : {true, false}) {
    S3 s3 = Serve([ours](const ReceivedRequest& request, Connection& connection) {
      if (request.number == 0) return connection.Close();  // written, but the answer is lost
      if (request.method == "PUT") return connection.Send(Failure(412, "PreconditionFailed"));
      connection.Send(
          fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"w\"\r\nx-amz-meta-lode-sha256: {}\r\n\r\n",
                      Sha256Hex(ours ? "bytes" : "other")));
    });
    const auto written = s3.Put("x", "bytes", {.if_absent = true}).value();
    EXPECT_EQ(written.written, ours);
    EXPECT_EQ(written.etag, ours ? "\"w\"" : "");
  }
}

class S3UploadTest : public S3Test {
 protected:
  void SetUp() override {
    file_ = fs::temp_directory_path() / fmt::format("lode_s3_{}", ::getpid());
    for (int i = 0; i < 2'500; ++i) data_ += fmt::format("{:04}", i % 1000);
    std::ofstream(file_, std::ios::binary) << data_;
  }
  void TearDown() override { fs::remove(file_); }

  // A server that keeps parts and fails the request that `fails` picks.
  ScriptServer::Script Store(std::function<bool(const ReceivedRequest&)> fails) {
    return [this, fails = std::move(fails)](const ReceivedRequest& request, Connection& connection) {
      if (fails(request)) return connection.Send(Failure(403, "AccessDenied"));
      if (request.target == "/bucket/k?uploads=") {
        return connection.Send(
            Answer(200, "<InitiateMultipartUploadResult><UploadId>u 1</UploadId></InitiateMultipartUploadResult>"));
      }
      if (request.method == "DELETE") return connection.Send("HTTP/1.1 204 No Content\r\n\r\n");
      if (request.method == "PUT") {
        const std::lock_guard lock(mutex_);
        parts_[request.target] = request.body;
        return connection.Send(Answer(200, "", {fmt::format("ETag: \"{}\"", request.body.size())}));
      }
      connection.Send(Answer(200, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>"));
    };
  }

  fs::path file_;
  std::string data_;
  std::mutex mutex_;
  std::map<std::string, std::string> parts_;
};

TEST_F(S3UploadTest, SmallFilesGoInOneRequest) {
  S3 s3 = Serve({Answer(200, "", {"ETag: \"n\""})});
  EXPECT_TRUE(s3.PutFile("k", file_).value().written);
  EXPECT_EQ(server_->requests().size(), 1U);
  EXPECT_EQ(Request(0).body, data_);
  EXPECT_EQ(s3.PutFile("k", file_.parent_path()).error().kind, ErrorKind::kStorage);
}

TEST_F(S3UploadTest, LargeFilesGoInEqualParts) {
  S3 s3 = Serve(Store([](const ReceivedRequest&) { return false; }),
                {.single_put_bytes = 5'000, .part_bytes = 3'000, .parallel_parts = 2});
  const auto written = s3.PutFile("k", file_, {.if_absent = true}).value();
  EXPECT_TRUE(written.written);
  EXPECT_EQ(written.etag, "whole");
  ASSERT_EQ(parts_.size(), 4U);
  std::string all;
  for (int i = 1; i <= 4; ++i) {
    const std::string& part = parts_.at(fmt::format("/bucket/k?partNumber={}&uploadId=u%201", i));
    EXPECT_EQ(part.size(), i < 4 ? 3'000U : 1'000U);
    all += part;
  }
  EXPECT_EQ(all, data_);
  const ReceivedRequest last = server_->requests().back();
  EXPECT_EQ(last.Header("if-none-match"), "*");
  EXPECT_THAT(last.body, HasSubstr("<Part><PartNumber>4</PartNumber><ETag>&quot;1000&quot;</ETag></Part>"));
  EXPECT_EQ(Request(0).Header("x-amz-meta-lode-sha256"), Sha256Hex(data_));
}

TEST_F(S3UploadTest, AFailedUploadIsTakenBack) {
  for (const char* step : {"partNumber=3", "POST"}) {
    S3 s3 = Serve(Store([step](const ReceivedRequest& request) {
                    const bool is_start = request.target.ends_with("uploads=");
                    return !is_start && (request.method + " " + request.target).find(step) != std::string::npos;
                  }),
                  {.single_put_bytes = 5'000, .part_bytes = 3'000, .parallel_parts = 2});
    const auto written = s3.PutFile("k", file_);
    ASSERT_FALSE(written) << step;
    EXPECT_EQ(written.error().kind, ErrorKind::kRefused) << step;
    EXPECT_EQ(server_->requests().back().method, "DELETE") << step;
    EXPECT_EQ(server_->requests().back().target, "/bucket/k?uploadId=u%201") << step;
  }
}

TEST_F(S3UploadTest, AnErrorUnder200IsNoSuccess) {
  S3 s3 = Serve(
      [&](const ReceivedRequest& request, Connection& connection) {
        const bool is_complete = request.method == "POST" && !request.target.ends_with("uploads=");
        if (is_complete) return connection.Send(Failure(200, "InternalError"));
        Store([](const ReceivedRequest&) { return false; })(request, connection);
      },
      {.single_put_bytes = 5'000, .part_bytes = 6'000});
  const auto written = s3.PutFile("k", file_);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().ToString(), HasSubstr("InternalError"));
}

TEST_F(S3Test, DownloadsResume) {
  S3 s3 = Serve([](const ReceivedRequest& request, Connection& connection) {
    if (request.number == 0) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\n0123");
      return connection.Close();
    }
    connection.Send(Answer(206, "456789", {"Content-Range: bytes 4-9/10", "ETag: \"e\""}));
  });
  const fs::path file = fs::temp_directory_path() / fmt::format("lode_s3_get_{}", ::getpid());
  const auto body = FileBody::Open({.path = file, .expected_sha256 = Sha256Hex("0123456789")}).value();
  EXPECT_TRUE(client_->Fetch(s3.GetRequest("k"), body).status);
  EXPECT_EQ(Request(1).Header("range"), "bytes=4-");
  EXPECT_THAT(Request(1).Header("authorization"), StartsWith("AWS4-HMAC-SHA256 Credential=KEYID/"));
  fs::remove(file);
}

TEST_F(S3Test, BadOptionsAreRefused) {
  const auto client = Client::Make(Quick()).value();
  EXPECT_FALSE(S3::Make(*client, {.endpoint = "s3.example.com", .bucket = "bucket"}));
  EXPECT_FALSE(S3::Make(*client, {.endpoint = "https://h", .bucket = "a/b"}));
  EXPECT_FALSE(S3::Make(*client, {.endpoint = "https://h", .bucket = ".."}));
  EXPECT_FALSE(S3::Make(*client, {.endpoint = "https://h", .bucket = "abc", .key = {.key_id = "x"}}));
  EXPECT_TRUE(S3::Make(*client, {.endpoint = "https://h", .bucket = "abc"}));
}

}  // namespace
}  // namespace lode::net
