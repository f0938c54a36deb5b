// Polygon's flat files: the bucket `flatfiles` over S3, an object a market day, from generated data.
//
// Speaks GET, HEAD, Range, If-Match and ListObjectsV2 with pages; every request is signed (AWS Signature Version 4) or
// refused. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "counts.h"
#include "http.h"

namespace lode::vendor {

struct S3Key {
  std::string id = "flat-files-key-id", secret;
};

// Why a request's signature does not hold.
struct S3Refusal {
  int status = 403;
  std::string code, message;
};
// nullopt: it was signed with the key, within a quarter of an hour of `unix_s`.
std::optional<S3Refusal> CheckSignature(const Request& request, const S3Key& key, int64_t unix_s);

struct FlatFilesOptions {
  uint64_t seed = 1;
  int rows = 40;                // of trades and quotes
  S3Key key;                    // an empty secret: requests need no signature
  std::optional<Day> entitled;  // days before it are listed and refused
  std::string folder;           // serves a tree of files instead of generated ones; dates are the files' own
};

class FlatFiles {
 public:
  // `now_ns`: the vendor's clock; a day's file is there from 16:00 UTC of the next day on.
  FlatFiles(const FlatFilesOptions& options, Counts& counts, std::function<int64_t()> now_ns);

  static bool Owns(const std::string& path) { return path == "/flatfiles" || path.starts_with("/flatfiles/"); }
  Response Handle(const Request& request);
  // POST /_sim/flatfiles, README.md.
  Response Control(const Json& body);

 private:
  struct Object {
    std::shared_ptr<const std::string> bytes;
    std::string etag;  // with quotes
    int64_t modified_ns = 0;
  };
  // What tests have done to an object.
  struct Change {
    int revision = 0;
    std::optional<int64_t> modified_ns;
    bool removed = false;
    bool swaps = false;  // revised when it is asked for next: between a listing and the answer
  };

  Response Route(const Request& request);
  Response List(const Request& request);
  Response Get(const Request& request, const std::string& key);
  std::optional<Object> Find(const std::string& key);
  std::shared_ptr<const std::string> BytesOf(const std::string& flat_file, Day day, int revision) const;
  // Keys below a prefix, sorted.
  std::vector<std::string> Keys(const std::string& prefix);
  bool IsPublished(Day day) const;

  const FlatFilesOptions options_;
  Counts& counts_;
  const std::function<int64_t()> now_ns_;
  std::vector<std::string> folder_keys_;  // sorted
  std::mutex mutex_;
  std::map<std::string, Change> changes_;
  std::map<std::pair<std::string, int>, Object> cache_;  // by key and revision
  std::optional<Day> entitled_;
  std::set<std::string> refused_;  // flat files outside the plan
  size_t page_size_ = 1000;
};

}  // namespace lode::vendor
