// Objects of one bucket of S3, R2, MinIO or GCS (XML API): list, read, write, conditionally too.
//
// Calls that return a value run the client's loop on the calling thread (Client::Fetch), so they belong before or after
// Client::Run; for the loop there is GetRequest. Path-style addresses; every try is signed anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/net/http.h"
#include "lode/net/s3_xml.h"
#include "lode/net/sigv4.h"

namespace lode::net {

struct S3Options {
  std::string endpoint;  // "https://files.massive.com"; a path before the bucket is kept
  std::string bucket;
  SigningKey key;  // an empty key_id: requests are not signed. Region "auto" for R2 and GCS
  // Objects over single_put_bytes go up in parts: part_bytes each, more when they would be over 10,000; all but the
  // last equally long, as R2 wants it. At most parallel_parts are held in memory.
  uint64_t single_put_bytes = uint64_t{16} << 20;
  uint64_t part_bytes = uint64_t{16} << 20;
  size_t parallel_parts = 4;
};

struct S3Head {
  uint64_t size = 0;
  std::string etag;
  std::string last_modified;
  std::map<std::string, std::string> metadata;  // x-amz-meta-…, names in lower case
};

// A write that happens only if the object is what the writer believes it to be.
struct S3Condition {
  std::string if_match;    // this ETag
  bool if_absent = false;  // If-None-Match: *
  bool is_set() const { return if_absent || !if_match.empty(); }
};

struct S3Written {
  bool written = false;  // false: the condition did not hold
  std::string etag;
};

struct ByteRange {
  uint64_t offset = 0, size = 0;
};

class S3 {
 public:
  // kConfig for an endpoint that is no URL, a bucket that is no name, or a secret without its key id.
  static Result<S3> Make(Client& client, S3Options options);

  // All objects below `prefix`, in the server's order (by key). 1,000 a request.
  Result<std::vector<S3Object>> List(const std::string& prefix);
  // One level: with "/" what looks like files, and the folders in `common_prefixes`.
  Result<S3Page> ListLevel(const std::string& prefix, const std::string& delimiter);
  Result<std::optional<S3Head>> Head(const std::string& key);
  // Whole, or the range, which must lie in the object. With if_match kBadInput when the object is another by now.
  Result<std::string> Get(const std::string& key, std::optional<ByteRange> range = {},
                          const std::string& if_match = "");
  // For Client::Add with a Body; resumable.
  Request GetRequest(const std::string& key) const;
  Result<S3Written> Put(const std::string& key, std::string bytes, const S3Condition& condition = {});
  // In one request or in parts, by size. A failed upload in parts is taken back; what the server then still holds is
  // left to the bucket's lifecycle rule.
  Result<S3Written> PutFile(const std::string& key, const std::filesystem::path& file,
                            const S3Condition& condition = {});
  // Absent is fine.
  Status Delete(const std::string& key);

 private:
  using Query = std::vector<std::pair<std::string, std::string>>;
  struct Upload {
    std::string key, id;
    std::string sha256;  // of the whole, as metadata
    std::vector<std::string> etags;
  };

  S3(Client& client, S3Options options, std::string origin, std::string base_path)
      : client_(&client),
        options_(std::move(options)),
        signer_(std::make_shared<Signer>(options_.key)),
        origin_(std::move(origin)),
        base_path_(std::move(base_path)) {}
  Request Make(std::string method, const std::string& key, const Query& query, std::string body,
               std::vector<Header> headers) const;
  Result<S3Page> ListPage(const std::string& prefix, const std::string& delimiter, const std::string& token);
  Result<S3Written> Settle(const Outcome& outcome, const std::string& key, const S3Condition& condition,
                           std::string_view sha256, std::string etag);
  Result<S3Written> PutParts(const std::string& key, const std::filesystem::path& file, uint64_t size,
                             const S3Condition& condition);
  Status PutAllParts(const std::filesystem::path& file, uint64_t size, uint64_t part_bytes, Upload* upload);
  Result<S3Written> Complete(const Upload& upload, const S3Condition& condition);

  Client* client_;
  S3Options options_;
  std::shared_ptr<Signer> signer_;  // of requests too, which may outlive this
  std::string origin_;
  std::string base_path_;  // "/bucket", or "/prefix/bucket"
};

}  // namespace lode::net
