// The warehouse tables of lake.duckdb as data, and the statements that bring one partition into one of them. Columns,
// types and units: docs/warehouse.md. Pure: SQL text in, SQL text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/schema.h"
#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

struct TableColumn {
  std::string name, type;  // type as SQL
};

// A table whose rows each belong to one bronze partition (lake_dataset, bronze_file), or, for front tables, to a day.
struct WarehouseTable {
  std::string schema, name;
  std::vector<TableColumn> columns;  // in order; the last one is the time of load, which no comparison looks at
  std::vector<std::string> key;      // identity; never null
  bool has_primary_key = false;
  std::string FullName() const;
};

// Bars of futures, one row a contract: market_data.databento_futures_ohlcv_{1d,1h,1m}. Nullptr for other schemas.
const WarehouseTable* FuturesTable(std::string_view bar_schema);
// One row a root and day or hour, of the front contract: raw.databento_futures_ohlcv_{1d,1h}. Nullptr for others.
const WarehouseTable* FrontTable(std::string_view bar_schema);
// raw.databento_options_ohlcv_1d. Nullptr for schemas other than ohlcv-1d.
const WarehouseTable* OptionsTable(std::string_view bar_schema);
// raw.<source>_<type>: the bronze columns as they are, for sources without tables of a seed.
WarehouseTable MirrorTable(const codec::TableSchema& schema);

// Creates schema and table, or adds the columns an older lode did not have.
Status CreateTable(Connection& connection, const WarehouseTable& table);

struct RowChanges {
  int64_t inserted = 0, updated = 0, deleted = 0;
  RowChanges& operator+=(const RowChanges& more);
};

// Makes the rows of `table` for which `scope` (SQL over alias t) holds equal to those of `source`, a temporary table
// with all columns of `table` but the last: rows without a partner are deleted, others merged by key; equal rows stay
// untouched. No row outside the scope may have a key of `source`. Within the caller's transaction.
Result<RowChanges> MergeRows(Connection& connection, const WarehouseTable& table, const std::string& source,
                             const std::string& scope);

// Makes `lode_source` an empty source for `table`: merging it removes every row of the scope.
std::string NoRowsSql(const WarehouseTable& table);

// `t.lake_dataset = … AND t.bronze_file = …`.
std::string PartitionScope(std::string_view dataset, std::string_view file);

}  // namespace lode::sink
