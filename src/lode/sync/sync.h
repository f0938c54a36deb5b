// Sync: what a dataset lacks is fetched from its vendor and goes through the whole loop. First load, daily increment,
// backfill, retry and repair are this one operation over different ranges. A second run asks for no data and writes
// nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/lake/lake.h"
#include "lode/source/supply.h"
#include "lode/sync/demand.h"

namespace lode::sync {

struct SyncRequest {
  lake::LakePaths paths;
  const Config* config = nullptr;
  const DatasetConfig* dataset = nullptr;
  std::vector<std::string> symbols;  // as given; empty: the dataset's own
  Day first, last;                   // inclusive
  bool refetch = false, retry_failed_only = false;
  std::vector<plan::SymbolDays> only;  // DemandOptions::only
  bool trust_ledger = false;           // DemandOptions::trust_ledger
  bool dry_run = false;
  bool estimate_whole = false;  // dry run: records and bytes too, not only money
  size_t in_flight = 50;
  double requests_per_s = 0;  // 0: the vendor's limits only
  // Of the run, all its datasets together; taken from as they are synced. Unset: no limit.
  std::optional<double> budget_usd;
  uint64_t memory_bytes = uint64_t{512} << 20;
};

// The dataset's symbols, or the request's own, as the vendor is asked; list files are relative to lode.toml or to the
// current folder. kConfig when there are none.
Result<std::vector<std::string>> SymbolsOf(const SyncRequest& request);

// Told what happens, from the thread that syncs.
class SyncObserver {
 public:
  virtual ~SyncObserver() = default;
  virtual void OnNotice(const std::string& line) = 0;
  virtual void OnPlan(int64_t requests, const source::Estimate& estimate) = 0;
  virtual void OnBatch(const std::string& partition, int64_t requests_done, uint64_t bytes_done, int64_t rows_done) = 0;
};

struct FailedBatch {
  std::string partition;
  Error error;
};

struct SyncReport {
  std::string dataset, schema, vendor_dataset;
  Day first, last;
  int64_t symbols = 0, expected_cells = 0, work_cells = 0, stale_cells = 0;
  int64_t keyless_cells = 0;  // not asked for: the vendor gives them only with a key, and there is none
  std::string key_wanted;     // where it is looked for: "sources.tardis.key (env:TARDIS_API_KEY)"
  int64_t planned_partitions = 0, planned_requests = 0, kept_requests = 0;
  source::Estimate estimate;
  double fetch_s = 0;                                              // from the first request to the end of the last
  int64_t requests = 0, failed_requests = 0, halved_requests = 0;  // as they ended
  int64_t records = 0, rejected = 0, rows = 0, partitions = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  std::vector<Unresolved> unresolved;
  std::vector<FailedBatch> failed;
  std::string refused;  // first reason of cells that the plan does not cover; empty: none
};

// Whether an error is about more than the one batch or job that met it: the disk, the key, Ctrl-C.
bool StopsTheRun(ErrorKind kind);

// Errors: kConfig, kBusy, kStorage, kInterrupted; kRefused for a key, plan or payment the vendor does not accept and
// for a cost over the budget, before anything billable; kPartial when the vendor cannot be reached. A request that
// fails on its own is counted in the report, its cells are `failed`, and the others go in.
Result<SyncReport> Sync(const SyncRequest& request, double* spent_usd, SyncObserver& observer);

// What is not settled of the request's days, as the vendor says now: days that were never asked for and revised ones
// too. Sorted by symbol and day. Asks only what is free and writes nothing. Errors as of Sync.
Result<std::vector<plan::Gap>> FindGaps(const SyncRequest& request);

}  // namespace lode::sync
