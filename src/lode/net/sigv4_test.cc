#include "lode/net/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lode/base/hashing.h"
#include "lode/base/time.h"

namespace lode::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// AWS's published test suite (aws-sig-v4-test-suite).
const SigningKey kSuite{.key_id = "AKIDEXAMPLE",
                        .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                        .region = "us-east-1",
                        .service = "service"};
const int64_t kSuiteTime = ParseIsoNs("2015-08-30T12:36:00Z").value() / kNsPerSecond;

SignedRequest Suite(std::string method, std::string path = "/") {
  return {.method = std::move(method),
          .path = std::move(path),
          .headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
          .payload_sha256 = Sha256Hex("")};
}

TEST(SigV4, GetVanilla) {
  EXPECT_EQ(CanonicalRequest(Suite("GET")),
            "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Signer(kSuite).Authorization(Suite("GET"), kSuiteTime),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SigV4, QueriesAreSortedAndEncoded) {
  SignedRequest request = Suite("GET");
  request.query = {{"Param2", "value2"}, {"Param1", "value1"}};  // get-vanilla-query-order-key-case
  EXPECT_THAT(Signer(kSuite).Authorization(request, kSuiteTime),
              EndsWith("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
  request.query = {{"b", "x y+z/"}, {"a", ""}, {"a-", "2"}};
  EXPECT_THAT(CanonicalRequest(request), HasSubstr("\na=&a-=2&b=x%20y%2Bz%2F\n"));
}

TEST(SigV4, HeaderValuesAreTrimmedAndJoined) {
  SignedRequest request = Suite("GET");  // get-header-value-trim
  request.headers.push_back({"My-Header1", " value1"});
  request.headers.push_back({"My-Header2", " \"a   b   c\""});
  EXPECT_THAT(Signer(kSuite).Authorization(request, kSuiteTime),
              EndsWith("acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"));
  SignedRequest twice = Suite("GET");  // get-header-key-duplicate
  twice.headers = {{"Host", "example.amazonaws.com"},
                   {"My-Header1", "value2"},
                   {"My-Header1", "value2"},
                   {"My-Header1", "value1"},
                   {"X-Amz-Date", "20150830T123600Z"}};
  EXPECT_THAT(CanonicalRequest(twice), HasSubstr("\nmy-header1:value2,value2,value1\n"));
}

// What a signer keeps of one time and day is of no use at another.
TEST(SigV4, OneSignerSignsAtAnyTime) {
  constexpr int64_t kDay = 86'400;
  Signer signer(kSuite);
  for (const int64_t later : {int64_t{0}, int64_t{0}, int64_t{1}, kDay, kDay + 1, int64_t{0}}) {
    const int64_t at = kSuiteTime + later;
    EXPECT_EQ(signer.Authorization(Suite("GET"), at), Signer(kSuite).Authorization(Suite("GET"), at)) << later;
    EXPECT_EQ(signer.SignS3(Suite("GET"), "host", at).at(1).value, AmzDate(at)) << later;
  }
  EXPECT_NE(signer.Authorization(Suite("GET"), kSuiteTime), signer.Authorization(Suite("GET"), kSuiteTime + kDay));
  EXPECT_THAT(Signer(kSuite).Authorization(Suite("GET"), 0), HasSubstr("/19700101/"));
}

// "Examples: Signature Calculations" of the S3 API reference.
const SigningKey kDocs{.key_id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const int64_t kDocsTime = ParseIsoNs("2013-05-24").value() / kNsPerSecond;
constexpr char kDocsHost[] = "examplebucket.s3.amazonaws.com";

std::string DocsSignature(const SignedRequest& request) {
  const std::string value = Signer(kDocs).SignS3(request, kDocsHost, kDocsTime).back().value;
  return value.substr(value.rfind('=') + 1);
}

TEST(SigV4, S3DocumentationExamples) {
  const std::string empty = Sha256Hex("");
  EXPECT_EQ(DocsSignature(
                {.method = "GET", .path = "/test.txt", .headers = {{"Range", "bytes=0-9"}}, .payload_sha256 = empty}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(DocsSignature(
                {.method = "PUT",
                 .path = "/test%24file.text",
                 .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                 .payload_sha256 = Sha256Hex("Welcome to Amazon S3.")}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(DocsSignature({.method = "GET", .path = "/", .query = {{"lifecycle", ""}}, .payload_sha256 = empty}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(DocsSignature(
                {.method = "GET", .path = "/", .query = {{"max-keys", "2"}, {"prefix", "J"}}, .payload_sha256 = empty}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, SessionTokensAreSentAndSigned) {
  SigningKey key = kDocs;
  key.session_token = "token";
  const auto headers =
      Signer(key).SignS3({.method = "GET", .path = "/x", .payload_sha256 = Sha256Hex("")}, kDocsHost, kDocsTime);
  EXPECT_EQ(headers[2].name, "x-amz-security-token");
  EXPECT_EQ(headers[2].value, "token");
  EXPECT_THAT(headers[3].value, HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
}

}  // namespace
}  // namespace lode::net
