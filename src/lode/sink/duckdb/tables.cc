#include "lode/sink/duckdb/tables.h"

#include <algorithm>
#include <cctype>

#include "lode/base/result.h"

namespace lode::sink {
namespace {

using Columns = std::vector<TableColumn>;

Columns operator+(Columns first, const Columns& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const Columns kPrices = {{"open", "DECIMAL(18,9)"},
                         {"high", "DECIMAL(18,9)"},
                         {"low", "DECIMAL(18,9)"},
                         {"close", "DECIMAL(18,9)"},
                         {"volume", "BIGINT"}};
const Columns kStatistics = {{"settle", "DECIMAL(18,9)"}, {"open_interest", "BIGINT"}, {"cleared_volume", "BIGINT"}};
const Columns kContract = {{"is_spread", "BOOLEAN"},    {"spread_legs", "VARCHAR[]"},    {"contract_month", "DATE"},
                           {"expiration_date", "DATE"}, {"instrument_class", "VARCHAR"}, {"exchange", "VARCHAR"},
                           {"currency", "VARCHAR"},     {"instrument_id", "BIGINT"},     {"publisher_id", "INTEGER"},
                           {"dataset", "VARCHAR"}};
const Columns kOrigin = {{"lake_dataset", "VARCHAR"}, {"bronze_file", "VARCHAR"}};

WarehouseTable Futures(std::string name, bool daily) {
  Columns columns = {{"date", "DATE"}, {"root", "VARCHAR"}, {"symbol", "VARCHAR"}, {"ts_event", "TIMESTAMP"}};
  columns = columns + kPrices;
  if (daily) columns = columns + kStatistics;
  return {.schema = "market_data",
          .name = std::move(name),
          .columns = columns + kContract + kOrigin + Columns{{"collection_timestamp", "TIMESTAMP"}},
          .key = {"lake_dataset", "publisher_id", "instrument_id", "symbol", "ts_event"}};
}

WarehouseTable Front(std::string name, bool daily) {
  Columns columns = {{"symbol", "VARCHAR"}, {daily ? "as_of_date" : "ts_event", daily ? "DATE" : "TIMESTAMP"}};
  columns = columns + kPrices;
  if (daily) columns = columns + kStatistics;
  return {.schema = "raw",
          .name = std::move(name),
          .columns = columns + Columns{{"contract", "VARCHAR"},
                                       {"instrument_id", "BIGINT"},
                                       {"publisher_id", "INTEGER"},
                                       {"dataset", "VARCHAR"},
                                       {"lake_dataset", "VARCHAR"},
                                       {"source", "VARCHAR"},
                                       {"ingested_at", "TIMESTAMP"}},
          .key = {"symbol", columns[1].name},
          .has_primary_key = true};
}

WarehouseTable Options() {
  Columns terms = {{"symbol", "VARCHAR"},      {"contract_symbol", "VARCHAR"},    {"as_of_date", "DATE"},
                   {"ts_event", "TIMESTAMP"},  {"strike_price", "DECIMAL(18,9)"}, {"expiration_date", "DATE"},
                   {"option_type", "VARCHAR"}, {"is_spread", "BOOLEAN"}};
  return {.schema = "raw",
          .name = "databento_options_ohlcv_1d",
          .columns = terms + kPrices + kStatistics +
                     Columns{{"exchange", "VARCHAR"},
                             {"currency", "VARCHAR"},
                             {"instrument_id", "BIGINT"},
                             {"publisher_id", "INTEGER"},
                             {"dataset", "VARCHAR"}} +
                     kOrigin + Columns{{"source", "VARCHAR"}, {"ingested_at", "TIMESTAMP"}},
          .key = {"lake_dataset", "publisher_id", "instrument_id", "contract_symbol", "ts_event"}};
}

std::string SqlType(codec::ColumnType type) {
  using enum codec::ColumnType;
  switch (type) {
    case kBool: return "BOOLEAN";
    case kInt32: return "INTEGER";
    case kInt64: return "BIGINT";
    case kUint64: return "UBIGINT";
    case kFloat64: return "DOUBLE";
    case kPrice: return "DECIMAL(18,9)";
    case kTimestampUs: return "TIMESTAMP";
    case kTimestampNs: return "TIMESTAMP_NS";
    case kDate: return "DATE";
    case kText: return "VARCHAR";
  }
  return "VARCHAR";
}

std::string Listed(const std::vector<std::string>& names, std::string_view format_before) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + std::string(format_before) + SqlName(name);
  return list;
}

std::string KeysMeet(const WarehouseTable& table) {
  std::string condition;
  for (const std::string& name : table.key) {
    condition += fmt::format("{}t.{} = s.{}", condition.empty() ? "" : " AND ", SqlName(name), SqlName(name));
  }
  return condition;
}

// The rows of a source with the time of load, in the order of the table's columns.
std::string StampedSource(const WarehouseTable& table, const std::string& source) {
  return fmt::format("SELECT *, CAST(now() AS TIMESTAMP) AS {} FROM {}", SqlName(table.columns.back().name), source);
}

// What a merge does where nothing is yet, in half the time.
std::string InsertSql(const WarehouseTable& table, const std::string& source) {
  return fmt::format("INSERT INTO {} BY NAME {}", table.FullName(), StampedSource(table, source));
}

// The scope stands in the join, so that DuckDB does not look at the rest of the table.
std::string MergeSql(const WarehouseTable& table, const std::string& source, const std::string& scope) {
  std::string differs, sets;
  std::vector<std::string> names;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& name = table.columns[i].name;
    bool is_stamp = i + 1 == table.columns.size();
    names.push_back(name);
    if (std::ranges::find(table.key, name) != table.key.end()) continue;
    std::string column = SqlName(name);
    sets += fmt::format("{}{} = s.{}", sets.empty() ? "" : ", ", column, column);
    if (is_stamp) continue;
    differs += fmt::format("{}t.{} IS DISTINCT FROM s.{}", differs.empty() ? "" : " OR ", column, column);
  }
  return fmt::format(
      "MERGE INTO {} AS t USING ({}) AS s ON {} AND {} "
      "WHEN MATCHED AND ({}) THEN UPDATE SET {} WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
      table.FullName(), StampedSource(table, source), KeysMeet(table), scope, differs, sets, Listed(names, ""),
      Listed(names, "s."));
}

}  // namespace

std::string WarehouseTable::FullName() const { return SqlName(schema) + "." + SqlName(name); }

const WarehouseTable* FuturesTable(std::string_view bar_schema) {
  static const WarehouseTable daily = Futures("databento_futures_ohlcv_1d", true);
  static const WarehouseTable hourly = Futures("databento_futures_ohlcv_1h", false);
  static const WarehouseTable minute = Futures("databento_futures_ohlcv_1m", false);
  if (bar_schema == "ohlcv-1d") return &daily;
  if (bar_schema == "ohlcv-1h") return &hourly;
  return bar_schema == "ohlcv-1m" ? &minute : nullptr;
}

const WarehouseTable* FrontTable(std::string_view bar_schema) {
  static const WarehouseTable daily = Front("databento_futures_ohlcv_1d", true);
  static const WarehouseTable hourly = Front("databento_futures_ohlcv_1h", false);
  if (bar_schema == "ohlcv-1d") return &daily;
  return bar_schema == "ohlcv-1h" ? &hourly : nullptr;
}

const WarehouseTable* OptionsTable(std::string_view bar_schema) {
  static const WarehouseTable daily = Options();
  return bar_schema == "ohlcv-1d" ? &daily : nullptr;
}

WarehouseTable MirrorTable(const codec::TableSchema& schema) {
  std::string_view type = schema.name;
  if (type.starts_with(schema.source + "/")) type.remove_prefix(schema.source.size() + 1);
  WarehouseTable table{.schema = "raw", .name = schema.source + "_", .columns = {}, .key = schema.key};
  for (char c : type) {
    table.name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  for (const codec::Column& column : schema.columns) table.columns.push_back({column.name, SqlType(column.type)});
  table.columns = table.columns + kOrigin + Columns{{"ingested_at", "TIMESTAMP"}};
  table.key.emplace_back("lake_dataset");
  return table;
}

Status CreateTable(Connection& connection, const WarehouseTable& table) {
  std::string columns;
  for (const TableColumn& column : table.columns) {
    bool in_key = std::ranges::find(table.key, column.name) != table.key.end();
    columns += fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", SqlName(column.name), column.type,
                           in_key ? " NOT NULL" : "");
  }
  if (table.has_primary_key) columns += ", PRIMARY KEY (" + Listed(table.key, "") + ")";
  LODE_TRY(connection.Execute("CREATE SCHEMA IF NOT EXISTS " + SqlName(table.schema)));
  LODE_TRY(connection.Execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", table.FullName(), columns)));
  LODE_TRY(std::vector<std::string> present,
           connection.Texts(fmt::format("SELECT column_name FROM duckdb_columns() WHERE database_name = "
                                        "current_database() AND schema_name = {} AND table_name = {}",
                                        SqlText(table.schema), SqlText(table.name))));
  for (const TableColumn& column : table.columns) {
    if (std::ranges::find(present, column.name) != present.end()) continue;
    LODE_TRY(connection.Execute(
        fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table.FullName(), SqlName(column.name), column.type)));
  }
  return Ok();
}

RowChanges& RowChanges::operator+=(const RowChanges& more) {
  inserted += more.inserted;
  updated += more.updated;
  deleted += more.deleted;
  return *this;
}

// Inserts and updates are told apart by counting, not by RETURNING, which keeps whole rows in memory.
Result<RowChanges> MergeRows(Connection& connection, const WarehouseTable& table, const std::string& source,
                             const std::string& scope) {
  auto number = [&](const std::string& sql) -> Result<int64_t> {
    LODE_TRY(std::vector<std::string> texts, connection.Texts(sql));
    return std::stoll(texts.at(0));
  };
  std::string count = fmt::format("SELECT count(*) FROM {} AS t WHERE {}", table.FullName(), scope);
  RowChanges changes;
  LODE_TRY(changes.deleted,
           number(fmt::format("DELETE FROM {} AS t WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS s WHERE {})",
                              table.FullName(), scope, source, KeysMeet(table))));
  LODE_TRY(int64_t kept, number(count));
  if (kept == 0) {
    LODE_TRY(changes.inserted, number(InsertSql(table, source)));
    return changes;
  }
  LODE_TRY(int64_t merged, number(MergeSql(table, source, scope)));
  LODE_TRY(int64_t now, number(count));
  changes.inserted = now - kept;
  changes.updated = merged - changes.inserted;
  return changes;
}

std::string NoRowsSql(const WarehouseTable& table) {
  return fmt::format("CREATE OR REPLACE TEMP TABLE lode_source AS SELECT * EXCLUDE ({}) FROM {} LIMIT 0",
                     SqlName(table.columns.back().name), table.FullName());
}

std::string PartitionScope(std::string_view dataset, std::string_view file) {
  return fmt::format("t.lake_dataset = {} AND t.bronze_file = {}", SqlText(dataset), SqlText(file));
}

}  // namespace lode::sink
