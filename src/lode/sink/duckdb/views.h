// Views over bronze: one a dataset, with a DOUBLE twin `<column>_f64` of every DECIMAL(18,9) column, and one by ticker
// where rows list tickers.
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

struct View {
  std::string name, dataset;
  std::string sql;  // CREATE OR REPLACE VIEW …
};
// A dataset's views, each after those it reads. The first has its name and is over every Parquet file below `folder`;
// of an empty dataset, over no rows of its schema. A table with a list `tickers` has <dataset>_by_ticker too, of one
// row a row and ticker, unless `all` has a dataset of that name.
std::vector<View> ViewsOf(const ViewedDataset& dataset, const std::vector<ViewedDataset>& all,
                          const std::filesystem::path& folder);

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
