// What one dataset lacks, as requests: expected − present − fetched already = work. Asks the vendor only what is free.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/lake.h"
#include "lode/lake/layout.h"
#include "lode/plan/work.h"
#include "lode/source/supply.h"
#include "lode/sync/fetch_folder.h"

namespace lode::sync {

struct DemandOptions {
  std::vector<std::string> symbols;  // as the vendor is asked
  Day first, last;                   // inclusive
  bool refetch = false, retry_failed_only = false;
  std::vector<plan::SymbolDays> only;  // nothing else is asked for; empty: no such limit
  // What the ledger says is there is not looked for in the lake: what somebody deleted is not noticed.
  bool trust_ledger = false;
  bool find_gaps = false;  // fills Demand::gaps
};

// Requests that feed one partition, and what was fetched for it by a run that did not end.
struct Batch {
  // With {symbol} in the layout: without the symbol, for the partitions of all of them; or with it, where it has days
  // of its own (Expectation::more).
  std::string partition;
  std::vector<plan::Request> requests;
  std::vector<Fetched> kept;
};

struct Demand {
  // One for symbols that share their days (Expectation::more); without what is kept.
  std::vector<plan::Work> works;
  std::vector<Batch> batches;  // in the order to be fetched; a batch may have kept files only
  // Kept files that answer no work any more. Those of other symbols or days are neither here nor in a batch: they wait
  // for a run that wants them.
  std::vector<Fetched> useless;
  int64_t expected_cells = 0;
  std::set<std::string> lost;          // partitions that receipts name and that are not there
  std::vector<plan::Gap> gaps;         // what is not settled, by symbol and day
  std::vector<ledger::Cell> recorded;  // cells whose state the vendor told without a request
  bool empty() const { return batches.empty() && recorded.empty(); }
};

// A symbol that the vendor's dataset does not know.
struct Unresolved {
  std::string symbol, reason;
};
std::vector<Unresolved> UnresolvedOf(const Demand& demand);

// `ledger` may be null: nothing was ever taken in. `kept`: of FetchFolder::Open.
Result<Demand> FindDemand(const lake::LakePaths& paths, ledger::Ledger* ledger, const DatasetConfig& dataset,
                          const lake::Layout& layout, source::Supply& supply, const DemandOptions& options,
                          std::vector<Fetched> kept);

}  // namespace lode::sync
