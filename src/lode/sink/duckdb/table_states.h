// How the tables of lake.duckdb stand to the lake: for `lode status --to duckdb`. Reads only, takes no lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"

namespace lode::sink {

struct TableState {
  std::string table;            // "raw.databento_futures_ohlcv_1d"
  std::optional<int64_t> rows;  // unset: not created
  // Partitions of the datasets that feed it, definitions and statistics of their vendor dataset included, that are not
  // in it as they are now: never loaded, failed, changed since; and loaded ones that the lake has no more.
  int64_t pending = 0;
};

// Tables that the lake's datasets go into, by name; a dataset that `config` does not declare counts too. kBusy when
// another program holds lake.duckdb for writing.
Result<std::vector<TableState>> ReadTableStates(const lake::LakePaths& paths, ledger::Ledger& ledger,
                                                const Config& config, const std::vector<ledger::DatasetRow>& datasets);

}  // namespace lode::sink
