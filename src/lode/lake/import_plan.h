// What an import would do to one dataset: which files are new, which partitions must be repaired, cut into units.
// Reads only (files, ledger, listing), so the same plan serves the dry run and the no-op.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/import_unit.h"

namespace lode::lake {

// A data or side file with its hash; without one when nothing depends on it before the file is copied into landing.
struct HashedFile {
  const source::files::Delivery* delivery = nullptr;
  const source::files::DataFile* data = nullptr;  // nullptr for side files
  const source::files::SideFile* side = nullptr;
  std::string sha256;
};

// All files of a discovery, each read once. A data file that no manifest lists and whose size is neither in
// `known_sizes` (of raw files in the lake) nor another file's is new, whatever it holds: its hash comes with the copy.
// kCorrupt when a hash differs from the manifest's; nothing was taken in then.
Result<std::vector<HashedFile>> HashFiles(const source::files::Discovery& discovery,
                                          const std::set<uint64_t>& known_sizes);

struct DatasetPlan {
  std::vector<Unit> units;
  int64_t files_unchanged = 0;
  std::vector<std::string> notices;
  // Deliveries and data files made up from receipts for repairs; units point into them.
  std::deque<source::files::Delivery> replay_deliveries;
};

struct PlanRequest {
  const LakePaths* paths = nullptr;
  std::string dataset;
  const codec::TableSchema* schema = nullptr;
  const Layout* layout = nullptr;
  bool in_place = false;
  bool refetch = false;  // ImportRequest's
  std::string mapping;   // column mapping text for foreign Parquet
};

// `ledger` may be null: a lake that has none yet.
Result<DatasetPlan> PlanDataset(const PlanRequest& request, const std::vector<HashedFile>& files,
                                ledger::Ledger* ledger);

}  // namespace lode::lake
