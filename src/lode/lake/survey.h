// One dataset as it stands now, added up: ledger overlaid with the lake's listing. Reads only. Its cells are many: see
// ReadCells (lake/listing.h), which takes `lost`.
#pragma once

#include <set>
#include <string>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"

namespace lode::lake {

struct DatasetSurvey {
  ledger::DatasetRow dataset;
  ledger::Totals totals;       // as the receipts have it, lost partitions included
  std::set<std::string> lost;  // paths of partitions that are not there as receipts name them (name, size)
  int64_t rows = 0;            // of partitions present
  uint64_t bronze_bytes = 0;   // of these
};

Result<DatasetSurvey> Survey(const LakePaths& paths, ledger::Ledger& ledger, const ledger::DatasetRow& dataset);

}  // namespace lode::lake
