// What a load reads: the partitions of the lake as one moment of the ledger names them, pinned and proven by hash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"
#include "lode/sink/duckdb/pins.h"

namespace lode::sink {

struct LakePartition {
  std::string dataset, schema;
  std::string path;  // below bronze/<dataset>/
  std::string sha256;
  uint64_t size_bytes = 0;
  std::string source_type, job_id;  // of the receipt that wrote it
  // As ops.databento_load_state names it.
  std::string file_name() const { return "bronze/" + dataset + "/" + path; }
};

struct LakeSnapshot {
  std::vector<LakePartition> partitions;  // present ones, sorted by path
  int64_t lost = 0;                       // named by receipts, but deleted or replaced by somebody
};

// The partitions of one dataset, when no publish is under way: one that a dead run left is finished first, if
// `may_repair`. kBusy while another run publishes.
Result<LakeSnapshot> TakeSnapshot(const lake::LakePaths& paths, ledger::Ledger& ledger,
                                  const ledger::DatasetRow& dataset, bool may_repair);

// Partition files as they were when first asked for, whatever is published meanwhile.
class PinnedPartitions {
 public:
  explicit PinnedPartitions(const lake::LakePaths& paths) : paths_(paths) {}
  // A link to the file, whose bytes have the hash of its receipt. kCorrupt when they have not, kNotFound when it is
  // gone.
  Result<std::filesystem::path> Open(const LakePartition& partition);
  // A folder that vanishes with this object, for what DuckDB spills.
  Result<std::filesystem::path> SpillFolder();

 private:
  Result<Pins*> pins();
  lake::LakePaths paths_;
  std::optional<Pins> pins_;
  std::set<std::filesystem::path> proven_;
};

}  // namespace lode::sink
