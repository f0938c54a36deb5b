#include "lode/sink/duckdb/table_states.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "lode/lake/listing.h"
#include "lode/sink/duckdb/bar_tables.h"
#include "lode/sink/duckdb/connection.h"
#include "lode/sink/duckdb/load_state.h"
#include "lode/sink/duckdb/mirror_tables.h"

namespace lode::sink {
namespace {

std::vector<std::string> TablesOf(const std::string& schema) {
  std::vector<std::string> names;
  for (const WarehouseTable* table : BarTables(schema)) names.push_back(table->schema + "." + table->name);
  if (const std::optional<WarehouseTable> mirror = MirrorOf(schema))
    names.push_back(mirror->schema + "." + mirror->name);
  return names;
}

bool IsCompanion(const std::string& schema) { return schema == "definition" || schema == "statistics"; }

// What a load would have to do about one dataset, as far as its own partitions tell.
Result<int64_t> Pending(const lake::LakePaths& paths, ledger::Ledger& ledger, const std::string& dataset,
                        const LoadStates& states) {
  LODE_TRY(const std::vector<ledger::PartitionRow> rows, ledger.Partitions(dataset));
  LODE_TRY(const std::set<std::string> lost, lake::LostPartitions(paths, ledger, dataset));
  std::set<std::string> present;
  int64_t pending = 0;
  for (const ledger::PartitionRow& row : rows) {
    if (lost.contains(row.partition.path)) continue;
    const std::string file = "bronze/" + dataset + "/" + row.partition.path;
    present.insert(file);
    const auto state = states.find(file);
    const bool loaded =
        state != states.end() && state->second.status == "done" && state->second.sha256 == row.partition.sha256;
    pending += loaded ? 0 : 1;
  }
  pending += std::ranges::count_if(
      states, [&](const auto& entry) { return entry.second.dataset == dataset && !present.contains(entry.first); });
  return pending;
}

Result<std::optional<Connection>> OpenToRead(const lake::LakePaths& paths) {
  std::error_code problem;
  if (!std::filesystem::exists(paths.duckdb(), problem)) return std::optional<Connection>();
  LODE_TRY(
      Connection connection,
      Connection::Open(paths.duckdb(), {{"access_mode", "READ_ONLY"}, {"threads", "1"}, {"memory_limit", "128MiB"}}));
  return std::optional<Connection>(std::move(connection));
}

Result<std::set<std::string>> TablesThere(Connection& connection) {
  LODE_TRY(const std::vector<std::string> names,
           connection.Texts("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = "
                            "current_database()"));
  return std::set<std::string>(names.begin(), names.end());
}

Result<int64_t> CountRows(Connection& connection, const std::string& table) {
  const size_t dot = table.find('.');
  LODE_TRY(const std::vector<std::string> counts,
           connection.Texts(fmt::format("SELECT count(*) FROM {}.{}", SqlName(table.substr(0, dot)),
                                        SqlName(table.substr(dot + 1)))));
  int64_t rows = 0;
  std::from_chars(counts.at(0).data(), counts.at(0).data() + counts.at(0).size(), rows);
  return rows;
}

}  // namespace

Result<std::vector<TableState>> ReadTableStates(const lake::LakePaths& paths, ledger::Ledger& ledger,
                                                const Config& config, const std::vector<ledger::DatasetRow>& datasets) {
  LODE_TRY(std::optional<Connection> connection, OpenToRead(paths));
  LoadStates states;
  std::set<std::string> there;
  if (connection) {
    LODE_TRY(states, ReadLoadStates(*connection));
    LODE_TRY(there, TablesThere(*connection));
  }
  const auto vendor_dataset = [&](const std::string& name) {
    const DatasetConfig* declared = config.FindDataset(name);
    return declared == nullptr ? std::string() : declared->dataset;
  };
  LODE_TRY(const std::vector<ledger::DatasetRow> all, ledger.Datasets());
  std::map<std::string, int64_t> pending, companions;  // by dataset; by vendor dataset
  for (const ledger::DatasetRow& row : all) {
    LODE_TRY(pending[row.name], Pending(paths, ledger, row.name, states));
    if (IsCompanion(row.schema)) companions[vendor_dataset(row.name)] += pending[row.name];
  }
  std::map<std::string, TableState> tables;
  for (const ledger::DatasetRow& row : datasets) {
    for (const std::string& name : TablesOf(row.schema)) {
      TableState& table = tables[name];
      table.table = name;
      table.pending += pending[row.name];
      const std::string vendor = vendor_dataset(row.name);
      if (!vendor.empty() && !BarTables(row.schema).empty()) table.pending += companions[vendor];
    }
  }
  std::vector<TableState> result;
  for (auto& [name, table] : tables) {
    if (there.contains(name)) {
      LODE_TRY(table.rows, CountRows(*connection, name));
    }
    result.push_back(std::move(table));
  }
  return result;
}

}  // namespace lode::sink
