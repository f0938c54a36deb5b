// `lode load --to duckdb`: brings the warehouse tables of lake.duckdb up to the lake. What it promises, the tables and
// the rules: docs/warehouse.md.
//
// A unit of work is one bronze partition; its rows and its row of ops.databento_load_state are written in one
// transaction, so that a run killed at any point is continued by the next. A partition whose own bytes and whose
// companions (definitions, statistics) are those of its last load is not read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"
#include "lode/sink/duckdb/bar_tables.h"

namespace lode::sink {

struct LoadRequest {
  lake::LakePaths paths;
  ledger::Ledger* ledger = nullptr;   // null: nothing was imported yet
  const Config* config = nullptr;     // says what a dataset is: vendor's code, parents
  std::vector<std::string> datasets;  // of the lake; empty: all, and what is left of datasets that are gone
  uint64_t memory_bytes = uint64_t{512} << 20;
  int threads = 2;
  bool dry_run = false;
  std::function<void(uint64_t bytes_done, uint64_t bytes_total)> progress;
};

struct LoadedDataset {
  std::string name, schema;
  bool has_tables = false;
  int64_t loaded = 0, unchanged = 0, removed = 0, failed = 0;  // partitions; of a dry run: that would be
  int64_t lost = 0;  // of those that receipts name: deleted or replaced by somebody, not in the tables
  int64_t rows_read = 0, rows_rejected = 0;
  std::vector<TableChanges> changes;  // one a table that was looked at
  double seconds = 0;
};

struct FailedPartition {
  std::string file_name;
  Error error;
};

struct LoadReport {
  std::vector<LoadedDataset> datasets;  // by name
  std::vector<FailedPartition> failed;
};

// kBusy when another program holds lake.duckdb or another run publishes. A partition that cannot be loaded is in
// `failed` and in the load state; the others go in. kInterrupted and kStorage end the run between two transactions.
// Leaves lake.duckdb untouched when there is nothing to do.
Result<LoadReport> Load(const LoadRequest& request);

}  // namespace lode::sink
