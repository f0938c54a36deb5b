#include "lode/sink/duckdb/views.h"

#include <algorithm>
#include <optional>

#include "lode/base/config.h"
#include "lode/codec/schema.h"
#include "lode/sink/duckdb/connection.h"
#include "lode/sink/duckdb/turn.h"
#include "lode/store/local_disk.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

constexpr int kViewVersion = 2;  // of the views' own form
constexpr std::string_view kComment = "lode: bronze of ";

fs::path FingerprintFile(const lake::LakePaths& paths) { return paths.root / ".lode" / "views"; }

// All that the views depend on, as text: equal text, equal views.
std::string Fingerprint(const lake::LakePaths& paths, const std::vector<ViewedDataset>& datasets) {
  std::error_code problem;
  fs::path root = fs::canonical(paths.root, problem);
  std::string text = fmt::format("views {}\nlake {}\n", kViewVersion, root.string());
  for (const ViewedDataset& dataset : datasets) {
    const codec::TableSchema* schema = codec::FindSchema(dataset.schema);
    text += fmt::format("dataset {} {} {}{}\n", dataset.name, dataset.schema, schema == nullptr ? 0 : schema->version,
                        dataset.is_empty ? " empty" : "");
  }
  return text;
}

bool IsCurrent(const lake::LakePaths& paths, const std::string& fingerprint) {
  std::error_code problem;
  if (!fs::exists(paths.duckdb(), problem)) return false;
  Result<std::string> stored = store::ReadFile(FingerprintFile(paths), 16 << 20);
  return stored && *stored == fingerprint;
}

// The type that DuckDB gives a column of our Parquet.
std::string_view SqlType(codec::ColumnType type) {
  switch (type) {
    case codec::ColumnType::kBool: return "BOOLEAN";
    case codec::ColumnType::kInt32: return "INTEGER";
    case codec::ColumnType::kInt64: return "BIGINT";
    case codec::ColumnType::kUint64: return "UBIGINT";
    case codec::ColumnType::kFloat64: return "DOUBLE";
    case codec::ColumnType::kPrice: return "DECIMAL(18,9)";
    case codec::ColumnType::kTimestampUs: return "TIMESTAMP";
    case codec::ColumnType::kTimestampNs: return "TIMESTAMP_NS";
    case codec::ColumnType::kDate: return "DATE";
    case codec::ColumnType::kText: break;
  }
  return "VARCHAR";
}

// A table of the schema without rows: read_parquet of a pattern that no file fits is an error.
std::string NoRowsSql(const codec::TableSchema& schema) {
  std::vector<std::string> columns;
  for (const codec::Column& column : schema.columns) {
    columns.push_back(fmt::format("CAST(NULL AS {}) AS {}", SqlType(column.type), SqlName(column.name)));
  }
  return fmt::format("SELECT {} WHERE false", fmt::join(columns, ", "));
}

std::string BronzeSql(const ViewedDataset& dataset, const codec::TableSchema* schema, const fs::path& folder) {
  std::string sql = "CREATE OR REPLACE VIEW " + SqlName(dataset.name) + " AS SELECT *";
  if (schema != nullptr) {
    for (const codec::Column& column : schema->columns) {
      if (column.type != codec::ColumnType::kPrice) continue;
      sql += fmt::format(", CAST({} AS DOUBLE) AS {}", SqlName(column.name), SqlName(column.name + "_f64"));
    }
  }
  if (dataset.is_empty && schema != nullptr) return sql + " FROM (" + NoRowsSql(*schema) + ")";
  return sql + " FROM read_parquet(" + SqlText(LiteralPattern(folder) + "/**/*.parquet") +
         ", hive_partitioning = false)";
}

// Views of ours whose dataset is gone.
Status DropStale(Connection& connection, const std::vector<View>& views) {
  LODE_TRY(std::vector<std::string> ours,
           connection.Texts("SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' AND "
                            "starts_with(comment, " +
                            SqlText(kComment) + ")"));
  for (const std::string& name : ours) {
    if (std::ranges::find(views, name, &View::name) == views.end())
      LODE_TRY(connection.Execute("DROP VIEW IF EXISTS " + SqlName(name)));
  }
  return Ok();
}

Status WriteViews(const lake::LakePaths& paths, const std::vector<ViewedDataset>& datasets) {
  LODE_TRY(Connection connection, Connection::Open(paths.duckdb(), {{"threads", "1"}, {"memory_limit", "128MiB"}}));
  std::error_code problem;
  fs::path root = fs::canonical(paths.root, problem);
  if (problem) return Fail(ErrorKind::kStorage, "{}: {}", paths.root.string(), problem.message());
  std::vector<View> views;
  for (const ViewedDataset& dataset : datasets) {
    std::ranges::move(ViewsOf(dataset, datasets, root / "bronze" / dataset.name), std::back_inserter(views));
  }
  LODE_TRY(connection.Execute("BEGIN"));
  LODE_TRY(DropStale(connection, views));
  for (const View& view : views) {
    LODE_TRY(connection.Execute(view.sql));
    LODE_TRY(connection.Execute("COMMENT ON VIEW " + SqlName(view.name) + " IS " +
                                SqlText(std::string(kComment) + view.dataset)));
  }
  return connection.Execute("COMMIT");
}

}  // namespace

Result<std::vector<ViewedDataset>> ViewedDatasets(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(std::vector<ledger::DatasetRow> datasets, ledger.Datasets());
  std::vector<ViewedDataset> viewed;
  for (ledger::DatasetRow& dataset : datasets) {
    if (!CheckDatasetName(dataset.name)) continue;  // somebody else's ledger: names become paths and SQL
    bool has_partitions = false, has_files = false;
    LODE_TRY(ledger.ReadPartitionSizes(dataset.name, [&](std::string_view path, uint64_t) {
      std::error_code problem;
      has_partitions = true;
      has_files = fs::exists(paths.bronze(dataset.name) / path, problem);
      return !has_files;
    }));
    const bool is_empty = !has_partitions && codec::FindSchema(dataset.schema) != nullptr;
    if (has_files || is_empty) viewed.push_back({std::move(dataset.name), std::move(dataset.schema), is_empty});
  }
  std::ranges::sort(viewed, {}, &ViewedDataset::name);
  return viewed;
}

std::vector<View> ViewsOf(const ViewedDataset& dataset, const std::vector<ViewedDataset>& all, const fs::path& folder) {
  const codec::TableSchema* schema = codec::FindSchema(dataset.schema);
  std::vector<View> views = {{dataset.name, dataset.name, BronzeSql(dataset, schema, folder)}};
  std::string by_ticker = dataset.name + "_by_ticker";
  const bool is_free = std::ranges::find(all, by_ticker, &ViewedDataset::name) == all.end();
  if (schema != nullptr && schema->Find("tickers") >= 0 && is_free) {
    std::string sql = fmt::format(
        R"(CREATE OR REPLACE VIEW {} AS SELECT unnest(from_json(tickers, '["VARCHAR"]')) AS ticker, * FROM {})",
        SqlName(by_ticker), SqlName(dataset.name));
    views.push_back({std::move(by_ticker), dataset.name, std::move(sql)});
  }
  return views;
}

Result<bool> ViewsAreCurrent(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(std::vector<ViewedDataset> datasets, ViewedDatasets(paths, ledger));
  return IsCurrent(paths, Fingerprint(paths, datasets));
}

Result<ViewRefresh> RefreshViews(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(bool current, ViewsAreCurrent(paths, ledger));
  if (current) return ViewRefresh{};
  std::error_code problem;
  DuckdbTurn turn(paths);
  LODE_TRY(std::vector<ViewedDataset> datasets, ViewedDatasets(paths, ledger));
  std::string fingerprint = Fingerprint(paths, datasets);
  if (IsCurrent(paths, fingerprint)) return ViewRefresh{};
  Status written = WriteViews(paths, datasets);
  if (written) {
    fs::create_directories(paths.temporary(), problem);
    written = store::ReplaceDurable(FingerprintFile(paths), fingerprint, paths.temporary());
  }
  if (!written && written.error().kind == ErrorKind::kInterrupted) return std::unexpected(written.error());
  if (!written) return ViewRefresh{ViewState::kPending, written.error().ToString()};
  return ViewRefresh{ViewState::kWritten, {}};
}

}  // namespace lode::sink
