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

constexpr int kViewVersion = 1;  // of the views' own form
constexpr std::string_view kComment = "lode: bronze of ";

fs::path FingerprintFile(const lake::LakePaths& paths) { return paths.root / ".lode" / "views"; }

// All that the views depend on, as text: equal text, equal views.
std::string Fingerprint(const lake::LakePaths& paths, const std::vector<ledger::DatasetRow>& datasets) {
  std::error_code problem;
  fs::path root = fs::canonical(paths.root, problem);
  std::string text = fmt::format("views {}\nlake {}\n", kViewVersion, root.string());
  for (const ledger::DatasetRow& dataset : datasets) {
    const codec::TableSchema* schema = codec::FindSchema(dataset.schema);
    text += fmt::format("dataset {} {} {}\n", dataset.name, dataset.schema, schema == nullptr ? 0 : schema->version);
  }
  return text;
}

bool IsCurrent(const lake::LakePaths& paths, const std::string& fingerprint) {
  std::error_code problem;
  if (!fs::exists(paths.duckdb(), problem)) return false;
  Result<std::string> stored = store::ReadFile(FingerprintFile(paths), 16 << 20);
  return stored && *stored == fingerprint;
}

// Views of ours whose dataset is gone.
Status DropStale(Connection& connection, const std::vector<ledger::DatasetRow>& datasets) {
  LODE_TRY(std::vector<std::string> ours,
           connection.Texts("SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' AND "
                            "starts_with(comment, " +
                            SqlText(kComment) + ")"));
  for (const std::string& name : ours) {
    bool kept = std::ranges::any_of(datasets, [&](const ledger::DatasetRow& dataset) { return dataset.name == name; });
    if (!kept) LODE_TRY(connection.Execute("DROP VIEW IF EXISTS " + SqlName(name)));
  }
  return Ok();
}

Status WriteViews(const lake::LakePaths& paths, const std::vector<ledger::DatasetRow>& datasets) {
  LODE_TRY(Connection connection, Connection::Open(paths.duckdb(), {{"threads", "1"}, {"memory_limit", "128MiB"}}));
  LODE_TRY(connection.Execute("BEGIN"));
  LODE_TRY(DropStale(connection, datasets));
  std::error_code problem;
  fs::path root = fs::canonical(paths.root, problem);
  if (problem) return Fail(ErrorKind::kStorage, "{}: {}", paths.root.string(), problem.message());
  for (const ledger::DatasetRow& dataset : datasets) {
    LODE_TRY(connection.Execute(ViewSql(dataset, root / "bronze" / dataset.name)));
    LODE_TRY(connection.Execute("COMMENT ON VIEW " + SqlName(dataset.name) + " IS " +
                                SqlText(std::string(kComment) + dataset.name)));
  }
  return connection.Execute("COMMIT");
}

}  // namespace

Result<std::vector<ledger::DatasetRow>> DatasetsWithFiles(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(std::vector<ledger::DatasetRow> datasets, ledger.Datasets());
  std::vector<ledger::DatasetRow> present;
  for (ledger::DatasetRow& dataset : datasets) {
    if (!CheckDatasetName(dataset.name)) continue;  // somebody else's ledger: names become paths and SQL
    LODE_TRY(std::vector<ledger::PartitionRow> partitions, ledger.Partitions(dataset.name));
    for (const ledger::PartitionRow& row : partitions) {
      std::error_code problem;
      if (!fs::exists(paths.bronze(dataset.name) / row.partition.path, problem)) continue;
      present.push_back(std::move(dataset));
      break;
    }
  }
  std::ranges::sort(present, {}, &ledger::DatasetRow::name);
  return present;
}

std::string ViewSql(const ledger::DatasetRow& dataset, const fs::path& folder) {
  std::string sql = "CREATE OR REPLACE VIEW " + SqlName(dataset.name) + " AS SELECT *";
  if (const codec::TableSchema* schema = codec::FindSchema(dataset.schema)) {
    for (const codec::Column& column : schema->columns) {
      if (column.type != codec::ColumnType::kPrice) continue;
      sql += fmt::format(", CAST({} AS DOUBLE) AS {}", SqlName(column.name), SqlName(column.name + "_f64"));
    }
  }
  return sql + " FROM read_parquet(" + SqlText(LiteralPattern(folder) + "/**/*.parquet") +
         ", hive_partitioning = false)";
}

Result<bool> ViewsAreCurrent(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(std::vector<ledger::DatasetRow> datasets, DatasetsWithFiles(paths, ledger));
  return IsCurrent(paths, Fingerprint(paths, datasets));
}

Result<ViewRefresh> RefreshViews(const lake::LakePaths& paths, ledger::Ledger& ledger) {
  LODE_TRY(bool current, ViewsAreCurrent(paths, ledger));
  if (current) return ViewRefresh{};
  std::error_code problem;
  DuckdbTurn turn(paths);
  LODE_TRY(std::vector<ledger::DatasetRow> datasets, DatasetsWithFiles(paths, ledger));
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
