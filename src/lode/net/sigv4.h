// AWS Signature Version 4 of a request, as S3, R2, MinIO and GCS's XML API check it. Pure: the time comes in.
// Source: "Signature Version 4 signing process" of the AWS General Reference; tested against its published vectors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/net/http.h"

namespace lode::net {

struct SigningKey {
  std::string key_id, secret;
  std::string session_token;  // empty: none
  std::string region = "us-east-1";
  std::string service = "s3";
};

struct SignedRequest {
  std::string method;
  std::string path;                                        // percent-encoded once, as it is sent
  std::vector<std::pair<std::string, std::string>> query;  // not encoded; any order
  // All that are signed, `host` among them; names in any case, values as sent.
  std::vector<Header> headers;
  std::string payload_sha256;  // lower-case hex, or "UNSIGNED-PAYLOAD"
};

// "20150830T123600Z".
std::string AmzDate(int64_t unix_s);

std::string CanonicalRequest(const SignedRequest& request);

// Signs with one key; not thread-safe, for it keeps what it derived from the key for the day.
class Signer {
 public:
  explicit Signer(SigningKey key);
  ~Signer();

  // The value of the Authorization header.
  std::string Authorization(const SignedRequest& request, int64_t unix_s);
  // Everything to add to a request to S3: x-amz-date, x-amz-content-sha256, x-amz-security-token when there is one, and
  // Authorization over these, `host` and `request.headers`.
  std::vector<Header> SignS3(SignedRequest request, std::string_view host, int64_t unix_s);

 private:
  class Mac;
  void SetTime(int64_t unix_s);

  const SigningKey key_;
  // Of the time that was signed at last:
  int64_t unix_s_ = 0;
  std::string date_, scope_;
  std::unique_ptr<Mac> mac_;  // with the key of its day
};

}  // namespace lode::net
