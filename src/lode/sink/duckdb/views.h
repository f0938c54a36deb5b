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

struct ViewedDataset {
  std::string name, schema;
  bool is_empty = false;  // no receipt names a partition: the vendor had nothing for any of its days
};

// Datasets that have at least one partition file here, and those that never had a row. One whose files are all lost is
// neither: a view of no rows would lie.
Result<std::vector<ViewedDataset>> ViewedDatasets(const lake::LakePaths& paths, ledger::Ledger& ledger);

// CREATE OR REPLACE VIEW over every Parquet file below `folder`; of an empty dataset, over no rows of its schema.
std::string ViewSql(const ViewedDataset& dataset, const std::filesystem::path& folder);

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
