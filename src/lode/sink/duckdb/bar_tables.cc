#include "lode/sink/duckdb/bar_tables.h"

#include <algorithm>

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReadBars = R"sql(
CREATE OR REPLACE TEMP TABLE lode_bars AS
SELECT publisher_id, instrument_id, symbol, root, is_spread, ts_event, CAST(ts_event AS DATE) AS bar_date,
  open, high, low, close, volume
FROM {bars})sql";

// The last definition of each instrument and UTC day, with the legs that came with it.
constexpr std::string_view kReadDefinitions = R"sql(
CREATE OR REPLACE TEMP TABLE lode_definitions AS
WITH known AS (
  SELECT instrument_id, raw_symbol, instrument_class, CAST(expiration AS DATE) AS expiration_date, strike_price,
    nullif(exchange, '') AS exchange, nullif(currency, '') AS currency, coalesce(ts_recv, ts_event) AS known_at,
    leg_count, leg_index, leg_raw_symbol, source_file, source_row
  FROM {definitions}
  WHERE instrument_id IN (SELECT instrument_id FROM lode_bars)
), last AS (
  SELECT * FROM known
  QUALIFY row_number() OVER (PARTITION BY instrument_id, CAST(known_at AS DATE)
                             ORDER BY known_at DESC, source_file DESC, source_row DESC) = 1
), legs AS (
  SELECT instrument_id, known_at, source_file, list(leg_raw_symbol ORDER BY leg_index, source_row) AS legs
  FROM known WHERE leg_count > 0 AND leg_raw_symbol <> '' GROUP BY ALL
)
SELECT last.instrument_id, CAST(known_at AS DATE) AS day, raw_symbol, instrument_class, expiration_date, strike_price,
  exchange, currency, legs
FROM last LEFT JOIN legs USING (instrument_id, known_at, source_file))sql";

constexpr std::string_view kNoDefinitions = R"sql(
CREATE OR REPLACE TEMP TABLE lode_definitions (instrument_id BIGINT, day DATE, raw_symbol VARCHAR,
  instrument_class VARCHAR, expiration_date DATE, strike_price DECIMAL(18,9), exchange VARCHAR, currency VARCHAR,
  legs VARCHAR[]))sql";

// What is known of each contract on each of its days. A definition counts when it is about this very symbol (ids are
// used again for other instruments), or when the bar's symbol is a continuous one, which no definition names.
constexpr std::string_view kContracts = R"sql(
CREATE OR REPLACE TEMP TABLE lode_contracts AS
WITH seen AS (
  SELECT DISTINCT instrument_id, symbol, root, is_spread, bar_date FROM lode_bars WHERE symbol IS NOT NULL
), joined AS (
  SELECT seen.*, lode_contract_kind(symbol, bar_date) AS kind, lode_contract_month(symbol, bar_date) AS month,
    d.* EXCLUDE (instrument_id, day)
  FROM seen ASOF LEFT JOIN lode_definitions AS d
    ON seen.instrument_id = d.instrument_id AND seen.bar_date >= d.day
), facts AS (
  SELECT instrument_id, symbol, root, bar_date, kind, is_spread AS looks_spread,
    kind = 'O' AND root <> symbol AS is_continuous,
    coalesce(raw_symbol = symbol OR is_continuous, false) AS fits,
    CASE WHEN kind <> 'S' THEN month END AS month,
    CASE WHEN fits THEN instrument_class END AS instrument_class,
    CASE WHEN fits THEN expiration_date END AS expiration_date,
    CASE WHEN fits THEN strike_price END AS strike_price,
    CASE WHEN fits THEN exchange END AS exchange,
    CASE WHEN fits THEN currency END AS currency,
    CASE WHEN fits THEN legs END AS legs
  FROM joined
)
SELECT *,
  CASE WHEN instrument_class IN ('F', 'S') THEN 'future'
       WHEN instrument_class IN ('C', 'P', 'T') THEN 'option'
       WHEN instrument_class = 'M' THEN coalesce({declared}, 'future')
       WHEN instrument_class IS NOT NULL THEN NULL
       WHEN kind = 'F' THEN 'future'
       WHEN kind IN ('C', 'P') THEN 'option'
       WHEN kind = 'S' OR is_continuous THEN coalesce({declared}, 'future')
       ELSE {declared} END AS asset,
  CASE WHEN instrument_class IS NOT NULL THEN instrument_class IN ('S', 'T', 'M')
       ELSE coalesce(looks_spread, false) END AS is_spread,
  CASE WHEN is_spread THEN coalesce(legs, CASE WHEN NOT contains(symbol, ':') THEN string_split(symbol, '-') END)
       END AS spread_legs
FROM facts)sql";

// The last word on each instrument, statistic and day it refers to; a delete leaves nothing.
constexpr std::string_view kReadStatistics = R"sql(
CREATE OR REPLACE TEMP TABLE lode_statistics AS
WITH last AS (
  SELECT instrument_id, stat_type, CAST(ts_ref AS DATE) AS ref_date, update_action, price, quantity
  FROM {statistics}
  WHERE stat_type IN (3, 6, 9) AND CAST(ts_ref AS DATE) IN (SELECT bar_date FROM lode_bars)
    AND instrument_id IN (SELECT instrument_id FROM lode_bars)
  QUALIFY row_number() OVER (PARTITION BY instrument_id, stat_type, CAST(ts_ref AS DATE)
                             ORDER BY coalesce(ts_recv, ts_event) DESC, sequence DESC, source_file DESC,
                               source_row DESC) = 1
)
SELECT instrument_id, ref_date, max(price) FILTER (stat_type = 3) AS settle,
  max(quantity) FILTER (stat_type = 9) AS open_interest, max(quantity) FILTER (stat_type = 6) AS cleared_volume
FROM last WHERE update_action <> 2 GROUP BY ALL)sql";

constexpr std::string_view kNoStatistics = R"sql(
CREATE OR REPLACE TEMP TABLE lode_statistics (instrument_id BIGINT, ref_date DATE, settle DECIMAL(18,9),
  open_interest BIGINT, cleared_volume BIGINT))sql";

constexpr std::string_view kFutures = R"sql(
CREATE OR REPLACE TEMP TABLE lode_source AS
SELECT b.bar_date AS date, b.root, b.symbol, b.ts_event, b.open, b.high, b.low, b.close, b.volume, {statistics}
  c.is_spread, c.spread_legs, c.month AS contract_month, c.expiration_date, c.instrument_class, c.exchange, c.currency,
  b.instrument_id, b.publisher_id, {vendor} AS dataset, {dataset} AS lake_dataset, {file} AS bronze_file
FROM lode_bars AS b JOIN lode_contracts AS c USING (instrument_id, symbol, bar_date)
  LEFT JOIN lode_statistics AS s ON s.instrument_id = b.instrument_id AND s.ref_date = b.bar_date
WHERE c.asset = 'future')sql";

// An OSI symbol says its strike in thousandths; other venues' symbols do not say theirs exactly.
constexpr std::string_view kOptions = R"sql(
CREATE OR REPLACE TEMP TABLE lode_source AS
SELECT b.root AS symbol, b.symbol AS contract_symbol, b.bar_date AS as_of_date, b.ts_event,
  coalesce(c.strike_price, CASE WHEN osi THEN CAST(CAST(substr(b.symbol, 14) AS DECIMAL(38,9)) * 0.001
                                AS DECIMAL(18,9)) END) AS strike_price,
  coalesce(c.expiration_date, CASE WHEN osi THEN c.month END) AS expiration_date,
  CASE WHEN c.instrument_class IN ('C', 'P') THEN c.instrument_class WHEN c.kind IN ('C', 'P') THEN c.kind
       END AS option_type,
  c.is_spread, b.open, b.high, b.low, b.close, b.volume, {statistics} c.exchange, c.currency,
  b.instrument_id, b.publisher_id, {vendor} AS dataset, {dataset} AS lake_dataset, {file} AS bronze_file,
  'databento' AS source
FROM lode_bars AS b
  JOIN (SELECT *, kind IN ('C', 'P') AND length(symbol) = 21 AS osi FROM lode_contracts) AS c
    USING (instrument_id, symbol, bar_date)
  LEFT JOIN lode_statistics AS s ON s.instrument_id = b.instrument_id AND s.ref_date = b.bar_date
WHERE c.asset = 'option')sql";

// The front contract of each root and UTC day: of the outrights the one with the highest volume of the day (of one
// dataset, over its venues), then the nearest contract month or expiry, then the first symbol; of that contract the
// venue with the highest volume. All bars of the day come from it.
constexpr std::string_view kFront = R"sql(
CREATE OR REPLACE TEMP TABLE lode_source AS
WITH bars AS (
  SELECT * FROM {table} WHERE date BETWEEN {first} AND {last} AND NOT is_spread
), venues AS (
  SELECT root, date, lake_dataset, symbol, instrument_id, publisher_id, sum(volume) AS venue_volume,
    min(coalesce(contract_month, expiration_date)) AS month
  FROM bars GROUP BY root, date, lake_dataset, symbol, instrument_id, publisher_id
), volumes AS (
  SELECT *, sum(venue_volume) OVER (PARTITION BY root, date, lake_dataset, symbol, instrument_id) AS contract_volume
  FROM venues
), front AS (
  SELECT root, date, lake_dataset, symbol, instrument_id, publisher_id FROM volumes
  QUALIFY row_number() OVER (
    PARTITION BY root, date
    ORDER BY contract_volume DESC, month NULLS LAST, symbol, instrument_id, venue_volume DESC, publisher_id,
      lake_dataset) = 1
)
SELECT root AS symbol, {time}, open, high, low, close, volume, {statistics} symbol AS contract, instrument_id,
  publisher_id, dataset, lake_dataset, 'databento' AS source
FROM bars SEMI JOIN front USING (root, date, lake_dataset, symbol, instrument_id, publisher_id)
{once})sql";

std::string Replaced(std::string_view sql, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string text;
  while (!sql.empty()) {
    auto value = std::ranges::find_if(values, [&](const auto& pair) { return sql.starts_with(pair.first); });
    if (value == values.end()) {
      text += sql.front();
      sql.remove_prefix(1);
    } else {
      text += value->second;
      sql.remove_prefix(value->first.size());
    }
  }
  return text;
}

std::string ReadParquet(const std::vector<fs::path>& files) {
  std::string list;
  for (const fs::path& file : files) list += (list.empty() ? "" : ", ") + SqlText(LiteralPattern(file));
  return "read_parquet([" + list + "], hive_partitioning = false)";
}

bool IsDaily(std::string_view schema) { return schema == "ohlcv-1d"; }

std::string DeclaredText(Asset asset) {
  if (asset == Asset::kUnknown) return "NULL";
  return asset == Asset::kFuture ? "'future'" : "'option'";
}

struct Days {
  std::string first, last;  // SQL
};

// The days whose front rows a partition may change: those it had in the table, and those it has now.
Result<std::optional<Days>> TouchedDays(Connection& connection, const WarehouseTable& table, const std::string& scope) {
  LODE_TRY(auto rows,
           connection.Rows(fmt::format(
               "SELECT CAST(min(date) AS VARCHAR), CAST(max(date) AS VARCHAR) FROM (SELECT date FROM {} AS t WHERE {} "
               "UNION ALL SELECT date FROM lode_source)",
               table.FullName(), scope)));
  if (rows.at(0)[0].empty()) return std::optional<Days>();
  return std::optional<Days>({"DATE " + SqlText(rows[0][0]), "DATE " + SqlText(rows[0][1])});
}

Result<RowChanges> LoadFront(Connection& connection, const WarehouseTable& front, const WarehouseTable& futures,
                             const Days& days, bool daily) {
  LODE_TRY(connection.Execute(Replaced(
      kFront, {{"{table}", futures.FullName()},
               {"{first}", days.first},
               {"{last}", days.last},
               {"{time}", daily ? "date AS as_of_date" : "ts_event"},
               {"{statistics}", daily ? "settle, open_interest, cleared_volume," : ""},
               {"{once}", daily ? "QUALIFY row_number() OVER (PARTITION BY root, date ORDER BY ts_event) = 1" : ""}})));
  std::string time = daily ? "as_of_date" : "ts_event";
  return MergeRows(connection, front, "lode_source",
                   fmt::format("t.{} >= {} AND t.{} < {} + 1", time, days.first, time, days.last));
}

Result<std::vector<TableChanges>> MergeFutures(Connection& connection, std::string_view schema,
                                               const std::string& scope) {
  std::vector<TableChanges> changes;
  const WarehouseTable& futures = *FuturesTable(schema);
  LODE_TRY(std::optional<Days> days, TouchedDays(connection, futures, scope));
  LODE_TRY(RowChanges rows, MergeRows(connection, futures, "lode_source", scope));
  changes.push_back({futures.schema + "." + futures.name, rows});
  const WarehouseTable* front = FrontTable(schema);
  if (front == nullptr || !days) return changes;
  LODE_TRY(rows, LoadFront(connection, *front, futures, *days, IsDaily(schema)));
  changes.push_back({front->schema + "." + front->name, rows});
  return changes;
}

Status ReadInputs(Connection& connection, const BarPartition& partition) {
  bool daily = IsDaily(partition.schema);
  LODE_TRY(connection.Execute(Replaced(kReadBars, {{"{bars}", ReadParquet({partition.file})}})));
  LODE_TRY(
      connection.Execute(partition.definitions.empty()
                             ? std::string(kNoDefinitions)
                             : Replaced(kReadDefinitions, {{"{definitions}", ReadParquet(partition.definitions)}})));
  LODE_TRY(connection.Execute(Replaced(kContracts, {{"{declared}", DeclaredText(partition.asset)}})));
  return connection.Execute(partition.statistics.empty() || !daily
                                ? std::string(kNoStatistics)
                                : Replaced(kReadStatistics, {{"{statistics}", ReadParquet(partition.statistics)}}));
}

Result<int64_t> SourceRows(Connection& connection) {
  LODE_TRY(std::vector<std::string> rows, connection.Texts("SELECT count(*) FROM lode_source"));
  return std::stoll(rows.at(0));
}

Result<LoadedRows> CountRows(Connection& connection) {
  LODE_TRY(auto counts,
           connection.Rows("SELECT count(*), CASE WHEN count(DISTINCT root) = 1 AND count(root) = count(*) "
                           "THEN min(root) END FROM lode_bars"));
  return LoadedRows{.read = std::stoll(counts.at(0)[0]), .merged = 0, .root = counts[0][1], .changes = {}};
}

// First and last UTC day of a time over `from`; nullopt when there is none.
Result<std::optional<std::pair<Day, Day>>> DayRange(Connection& connection, std::string_view time,
                                                    const std::string& from) {
  LODE_TRY(auto rows, connection.Rows(fmt::format("SELECT CAST(CAST(min({0}) AS DATE) AS VARCHAR), "
                                                  "CAST(CAST(max({0}) AS DATE) AS VARCHAR) FROM {1}",
                                                  time, from)));
  if (rows.at(0)[0].empty()) return std::optional<std::pair<Day, Day>>();
  LODE_TRY(Day first, ParseDay(rows[0][0]));
  LODE_TRY(Day last, ParseDay(rows[0][1]));
  return std::optional(std::pair(first, last));
}

}  // namespace

Asset DeclaredAsset(const DatasetConfig& dataset) {
  if (dataset.stype_in == "continuous") return Asset::kFuture;
  if (dataset.stype_in != "parent" || dataset.symbols.empty()) return Asset::kUnknown;
  auto all_end_in = [&](std::string_view ending) {
    return std::ranges::all_of(dataset.symbols, [&](const std::string& symbol) { return symbol.ends_with(ending); });
  };
  if (all_end_in(".FUT")) return Asset::kFuture;
  return all_end_in(".OPT") ? Asset::kOption : Asset::kUnknown;
}

std::vector<const WarehouseTable*> BarTables(std::string_view schema) {
  std::vector<const WarehouseTable*> tables = {FuturesTable(schema), FrontTable(schema), OptionsTable(schema)};
  std::erase(tables, nullptr);
  return tables;
}

Result<std::optional<std::pair<Day, Day>>> BarDays(Connection& connection, const fs::path& file) {
  return DayRange(connection, "ts_event", ReadParquet({file}));
}

Result<CompanionFacts> ReadCompanion(Connection& connection, bool statistics, const fs::path& file) {
  std::string from = ReadParquet({file});
  LODE_TRY(std::vector<std::string> rows, connection.Texts("SELECT count(*) FROM " + from));
  CompanionFacts facts{.rows = std::stoll(rows.at(0)), .first = {}, .last = {}};
  // A ts_ref of 1970 is a zero: no day at all.
  LODE_TRY(auto days, statistics ? DayRange(connection, "ts_ref",
                                            from + " WHERE stat_type IN (3, 6, 9) AND "
                                                   "ts_ref >= TIMESTAMP '1970-01-02'")
                                 : DayRange(connection, "coalesce(ts_recv, ts_event)", from));
  if (days) facts.first = days->first;
  if (days) facts.last = days->second;
  return facts;
}

Result<LoadedRows> LoadBars(Connection& connection, const BarPartition& partition) {
  bool daily = IsDaily(partition.schema);
  LODE_TRY(ReadInputs(connection, partition));
  LODE_TRY(LoadedRows loaded, CountRows(connection));
  std::string scope = PartitionScope(partition.lake_dataset, partition.bronze_file);
  std::vector<std::pair<std::string_view, std::string>> values = {
      {"{statistics}", daily ? "s.settle, s.open_interest, s.cleared_volume," : ""},
      {"{vendor}", SqlText(partition.vendor_dataset)},
      {"{dataset}", SqlText(partition.lake_dataset)},
      {"{file}", SqlText(partition.bronze_file)}};
  LODE_TRY(connection.Execute(Replaced(kFutures, values)));
  LODE_TRY(loaded.merged, SourceRows(connection));
  LODE_TRY(loaded.changes, MergeFutures(connection, partition.schema, scope));
  if (const WarehouseTable* options = OptionsTable(partition.schema)) {
    LODE_TRY(connection.Execute(Replaced(kOptions, values)));
    LODE_TRY(RowChanges rows, MergeRows(connection, *options, "lode_source", scope));
    loaded.changes.push_back({options->schema + "." + options->name, rows});
    LODE_TRY(int64_t merged, SourceRows(connection));
    loaded.merged += merged;
  }
  return loaded;
}

Result<LoadedRows> RemoveBars(Connection& connection, std::string_view schema, std::string_view lake_dataset,
                              std::string_view bronze_file) {
  LoadedRows removed;
  std::string scope = PartitionScope(lake_dataset, bronze_file);
  const WarehouseTable& futures = *FuturesTable(schema);
  LODE_TRY(connection.Execute(NoRowsSql(futures)));
  LODE_TRY(removed.changes, MergeFutures(connection, schema, scope));
  if (const WarehouseTable* options = OptionsTable(schema)) {
    LODE_TRY(connection.Execute(NoRowsSql(*options)));
    LODE_TRY(RowChanges rows, MergeRows(connection, *options, "lode_source", scope));
    removed.changes.push_back({options->schema + "." + options->name, rows});
  }
  return removed;
}

}  // namespace lode::sink
