#include "lode/sink/duckdb/mirror_tables.h"

namespace lode::sink {
namespace {

// Columns that a load adds to those of bronze: lake_dataset, bronze_file, ingested_at.
constexpr size_t kAddedColumns = 3;

}  // namespace

std::optional<WarehouseTable> MirrorOf(std::string_view schema) {
  const codec::TableSchema* known = codec::FindSchema(schema);
  if (known == nullptr || known->source == "databento") return std::nullopt;
  return MirrorTable(*known);
}

Result<LoadedRows> LoadMirror(Connection& connection, const WarehouseTable& table, std::string_view lake_dataset,
                              std::string_view bronze_file, const std::filesystem::path& file) {
  std::string columns;
  for (size_t i = 0; i + kAddedColumns < table.columns.size(); ++i) columns += SqlName(table.columns[i].name) + ", ";
  LODE_TRY(connection.Execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE lode_source AS SELECT {}{} AS lake_dataset, {} AS bronze_file FROM "
                  "read_parquet({}, hive_partitioning = false)",
                  columns, SqlText(lake_dataset), SqlText(bronze_file), SqlText(LiteralPattern(file)))));
  LODE_TRY(std::vector<std::string> rows, connection.Texts("SELECT count(*) FROM lode_source"));
  LoadedRows loaded{.read = std::stoll(rows.at(0)), .merged = std::stoll(rows[0]), .root = {}, .changes = {}};
  LODE_TRY(RowChanges changes, MergeRows(connection, table, "lode_source", PartitionScope(lake_dataset, bronze_file)));
  loaded.changes.push_back({table.schema + "." + table.name, changes});
  return loaded;
}

Result<LoadedRows> RemoveMirror(Connection& connection, const WarehouseTable& table, std::string_view lake_dataset,
                                std::string_view bronze_file) {
  LODE_TRY(connection.Execute(NoRowsSql(table)));
  LODE_TRY(RowChanges changes, MergeRows(connection, table, "lode_source", PartitionScope(lake_dataset, bronze_file)));
  return LoadedRows{.changes = {{table.schema + "." + table.name, changes}}};
}

}  // namespace lode::sink
