// Answers of S3's API as values. Pure and total on hostile text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::net {

struct S3Object {
  std::string key;
  uint64_t size = 0;
  std::string etag;  // with its quotes, fit for If-Match
  std::string last_modified;
};

struct S3Page {
  std::vector<S3Object> objects;
  std::vector<std::string> common_prefixes;
  std::string next_token;  // empty: the last page
};

// ListObjectsV2 without encoding-type: some servers say url and mean plain, and references carry any byte of a key.
// kBadInput also for a page that is cut off and does not say how to go on.
Result<S3Page> ParseListing(std::string_view xml);
// UploadId of CreateMultipartUpload.
Result<std::string> ParseUploadId(std::string_view xml);
// CompleteMultipartUpload: the ETag. S3 may answer 200 and an <Error>: kBadInput with its words.
Result<std::string> ParseCompleted(std::string_view xml);
// <Code> of an error body; empty when it is none.
std::string S3ErrorCode(std::string_view xml);

}  // namespace lode::net
