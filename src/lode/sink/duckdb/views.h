// Views over bronze: one a dataset, with a DOUBLE twin `<column>_f64` of every DECIMAL(18,9) column.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"

namespace lode::sink {

// Datasets that have at least one partition file here.
Result<std::vector<ledger::DatasetRow>> DatasetsWithFiles(const lake::LakePaths& paths, ledger::Ledger& ledger);

// CREATE OR REPLACE VIEW over every Parquet file below `folder`.
std::string ViewSql(const ledger::DatasetRow& dataset, const std::filesystem::path& folder);

enum class ViewState {
  kCurrent,  // nothing had to be done; nothing was touched
  kWritten,
  kPending,  // another program holds lake.duckdb, or it cannot be written: the next run tries again
};
struct ViewRefresh {
  ViewState state = ViewState::kCurrent;
  std::string reason;  // of kPending
};

// Brings lake.duckdb's views up to date: written only when the set of datasets, their columns or the lake's path
// changed. Tables and views of the user stay. Never fails because of lake.duckdb itself.
Result<ViewRefresh> RefreshViews(const lake::LakePaths& paths, ledger::Ledger& ledger);

// Whether RefreshViews would have something to do. Reads only, does not load DuckDB.
Result<bool> ViewsAreCurrent(const lake::LakePaths& paths, ledger::Ledger& ledger);

}  // namespace lode::sink
