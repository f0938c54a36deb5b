// One dataset as it stands now: ledger overlaid with the lake's listing. Reads only.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/plan/coverage.h"

namespace lode::lake {

struct DatasetSurvey {
  ledger::DatasetRow dataset;
  std::vector<ledger::CellRow> cells;            // effective: days of lost partitions are `missing`
  std::vector<ledger::PartitionRow> partitions;  // as receipts name them, lost ones included
  std::vector<ledger::PartitionRow> lost;        // named but not in the listing (name, size)
  std::vector<ledger::RawFileRow> raw_files;
  std::vector<ledger::ReceiptRow> receipts;
  int64_t rows = 0;  // of partitions present
  uint64_t bronze_bytes = 0, landing_bytes = 0;
};

Result<DatasetSurvey> Survey(const LakePaths& paths, ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
                             std::optional<Day> first = {}, std::optional<Day> last = {});

}  // namespace lode::lake
