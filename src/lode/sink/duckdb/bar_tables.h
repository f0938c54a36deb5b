// One bronze partition of Databento bars into its warehouse tables: contract facts as of the day, settlement, open
// interest and cleared volume by the day they refer to, the front contract of every root and day. Rules:
// docs/warehouse.md. Everything runs within the caller's transaction; temporary tables are named lode_*.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/sink/duckdb/connection.h"
#include "lode/sink/duckdb/tables.h"

namespace lode::sink {

// What the rows of a dataset are, by its declaration; decides only where neither definition nor symbol says.
enum class Asset { kUnknown, kFuture, kOption };
// Parents ending in .FUT and continuous symbols are futures, parents ending in .OPT options.
Asset DeclaredAsset(const DatasetConfig& dataset);

struct BarPartition {
  std::string schema;        // "ohlcv-1d", "ohlcv-1h", "ohlcv-1m"
  std::string lake_dataset;  // dataset of the lake
  std::string bronze_file;   // partition path below bronze/<lake_dataset>/
  std::string vendor_dataset;
  Asset asset = Asset::kUnknown;
  std::filesystem::path file;
  // Partition files of the same vendor dataset that may say something about these bars.
  std::vector<std::filesystem::path> definitions, statistics;
};

struct TableChanges {
  std::string table;  // "raw.databento_futures_ohlcv_1d"
  RowChanges rows;
};

struct LoadedRows {
  int64_t read = 0, merged = 0;  // the rest has no table: no symbol, or neither future nor option
  std::string root;              // when all rows read have one
  std::vector<TableChanges> changes;
};

// Tables that partitions of a bar schema go into; empty: none.
std::vector<const WarehouseTable*> BarTables(std::string_view schema);

// Days of the first and last bar; nullopt without rows.
Result<std::optional<std::pair<Day, Day>>> BarDays(Connection& connection, const std::filesystem::path& file);

// What bars need to know of a partition of definitions or statistics without reading it again.
struct CompanionFacts {
  int64_t rows = 0;
  // Days its rows matter to: of ts_ref (statistics of the joined types), of ts_recv (definitions).
  std::optional<Day> first, last;
};
Result<CompanionFacts> ReadCompanion(Connection& connection, bool statistics, const std::filesystem::path& file);

// Tables and functions must exist (CreateTable, DefineContractFunctions).
Result<LoadedRows> LoadBars(Connection& connection, const BarPartition& partition);
// Removes the rows of a partition that the lake no longer has.
Result<LoadedRows> RemoveBars(Connection& connection, std::string_view schema, std::string_view lake_dataset,
                              std::string_view bronze_file);

}  // namespace lode::sink
