// Verification of what the files say, beside their bytes (lake/verify.h): every partition read through DuckDB, judged
// by its schema, its receipt, its neighbours and the other bar sizes of the same vendor dataset.
//
// Damage is what contradicts a promise: a file DuckDB cannot read, other rows than the receipt or the footer says, rows
// out of order, two rows of one identity, null where the schema has none. What only looks odd is a warning, one a
// dataset and check, with a count and the first example: markets are odd, vendors too. Prices may be negative.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/lake/verify.h"
#include "lode/ledger/ledger.h"
#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

struct ContentDataset {
  ledger::DatasetRow row;
  std::vector<ledger::PartitionRow> partitions;  // that are to be read; lost ones may be among them
  std::string vendor_dataset;                    // "GLBX.MDP3"; empty: not compared with other datasets
};

struct ContentRequest {
  lake::LakePaths paths;
  ledger::Ledger* ledger = nullptr;
  std::vector<ContentDataset> datasets;
  std::set<std::string> damaged;  // files that are not as receipts say, paths below the lake: nothing is said of them
  bool compare_sizes = true;      // cross-schema sums, where datasets are whole
  int64_t rows_at_once = 2'000'000;  // of finer bars that one statement adds up: what it holds are their sums
  uint64_t memory_bytes = uint64_t{512} << 20;
  int threads = 2;
  std::function<void(uint64_t bytes_done)> progress;  // of the partitions
};

// Writes nothing and takes no lock: a file that a publish replaces meanwhile is judged again by its new receipt, and
// damage is told only of bytes that are those of the receipt. kInterrupted; kInternal when memory does not suffice.
Result<std::vector<lake::Finding>> CheckContents(const ContentRequest& request);

}  // namespace lode::sink
