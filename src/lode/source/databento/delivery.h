// The side files of a Databento batch delivery: metadata.json, manifest.json, condition.json, and what a data file's
// name says. Source: the vendor's batch format, docs/sources. Hostile input: every function is total and bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/source/file_name.h"

namespace lode::source::databento {

// The request a delivery answers (metadata.json).
struct Query {
  std::string job_id;
  std::string dataset;  // "GLBX.MDP3"
  std::string schema;
  std::vector<std::string> symbols;
  std::string stype_in, stype_out;
  std::optional<int64_t> start_ns, end_ns;  // end exclusive
  uint64_t limit = 0;                       // 0: none
  std::string encoding;                     // dbn | csv | json
  bool pretty_px = false, pretty_ts = false, map_symbols = false;
  std::string split_duration;  // day | week | month | year | none
  std::string json;            // the query object as compact JSON text, for receipts
};
Result<Query> ParseMetadata(std::string_view json);

struct ManifestFile {
  std::string name;
  uint64_t size = 0;
  std::string sha256;  // lower-case hex
};
struct Manifest {
  std::string job_id;
  std::vector<ManifestFile> files;
  const ManifestFile* Find(std::string_view name) const;
};
// kBadInput also for names with a path separator, repeated names and hashes that are not "sha256:<64 hex>".
Result<Manifest> ParseManifest(std::string_view json);

// One day of the vendor's own calendar.
struct Condition {
  enum class State { kAvailable, kDegraded, kPending, kMissing };
  Day day;
  State state = State::kAvailable;
  std::optional<Day> modified;  // last_modified_date
  std::string version = {};     // other vendors: of the file that holds the day (plan::VendorDay)
};
// Sorted by day; kBadInput for a repeated day or an unknown condition.
Result<std::vector<Condition>> ParseCondition(std::string_view json);

// Takes "glbx-mdp3-20241215-20241221.ohlcv-1m.csv.zst" apart.
// Never fails: fields it cannot read stay empty.
FileNameFacts ParseDataFileName(std::string_view name);

}  // namespace lode::source::databento
