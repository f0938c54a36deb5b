// What one dataset lacks, as requests: expected − present − fetched already = work. Asks the vendor only what is free.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lode/lake/lake.h"
#include "lode/lake/layout.h"
#include "lode/source/supply.h"
#include "lode/sync/fetch_folder.h"

namespace lode::sync {

struct DemandOptions {
  std::vector<std::string> symbols;  // as the vendor is asked
  Day first, last;                   // inclusive
  bool refetch = false, retry_failed_only = false;
};

// Requests that feed one partition, and what was fetched for it by a run that did not end.
struct Batch {
  std::string partition;
  std::vector<plan::Request> requests;
  std::vector<Fetched> kept;
};

struct Demand {
  plan::Work work;             // without what is kept
  std::vector<Batch> batches;  // in the order to be fetched; a batch may have kept files only
  // Kept files that answer no work any more. Those of other symbols or days are neither here nor in a batch: they wait
  // for a run that wants them.
  std::vector<Fetched> useless;
  std::vector<plan::Listing> listings;
  std::vector<ledger::Cell> recorded;  // cells whose state the vendor told without a request
  bool empty() const { return batches.empty() && recorded.empty(); }
};

// `ledger` may be null: nothing was ever taken in. `kept`: of FetchFolder::Open.
Result<Demand> FindDemand(const lake::LakePaths& paths, ledger::Ledger* ledger, const DatasetConfig& dataset,
                          const lake::Layout& layout, source::Supply& supply, const DemandOptions& options,
                          std::vector<Fetched> kept);

}  // namespace lode::sync
