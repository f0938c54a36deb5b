#include "lode/sink/duckdb/load_state.h"

#include <charconv>

namespace lode::sink {
namespace {

constexpr std::string_view kCreate = R"sql(
CREATE SCHEMA IF NOT EXISTS ops;
CREATE TABLE IF NOT EXISTS ops.databento_load_state (
  dataset VARCHAR NOT NULL, schema VARCHAR NOT NULL, source_type VARCHAR NOT NULL, job_id VARCHAR NOT NULL,
  file_name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, inputs_sha256 VARCHAR NOT NULL, size_bytes BIGINT NOT NULL,
  root VARCHAR, ts_start TIMESTAMP, ts_end TIMESTAMP, rows_read BIGINT NOT NULL, rows_merged BIGINT NOT NULL,
  rows_rejected BIGINT NOT NULL, status VARCHAR NOT NULL, attempt BIGINT NOT NULL, error VARCHAR,
  started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP NOT NULL,
  PRIMARY KEY (source_type, job_id, file_name, schema)))sql";

constexpr std::string_view kRead = R"sql(
SELECT dataset, schema, source_type, job_id, file_name, sha256, inputs_sha256, size_bytes, root,
  CAST(CAST(ts_start AS DATE) AS VARCHAR), CAST(CAST(ts_end AS DATE) AS VARCHAR), rows_read, rows_merged,
  rows_rejected, status, attempt, error
FROM ops.databento_load_state)sql";

template <typename Integer>
Integer Number(const std::string& text) {
  Integer value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<std::optional<Day>> OptionalDay(const std::string& text) {
  if (text.empty()) return std::optional<Day>();
  LODE_TRY(Day day, ParseDay(text));
  return std::optional<Day>(day);
}

std::string TextOrNull(const std::string& text) { return text.empty() ? "NULL" : SqlText(text); }

std::string Midnight(const std::optional<Day>& day) {
  return day ? fmt::format("TIMESTAMP '{}'", FormatDay(*day)) : std::string("NULL");
}

}  // namespace

Status CreateLoadState(Connection& connection) { return connection.Execute(std::string(kCreate)); }

Result<LoadStates> ReadLoadStates(Connection& connection) {
  LODE_TRY(std::vector<std::string> tables,
           connection.Texts("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND "
                            "schema_name = 'ops' AND table_name = 'databento_load_state'"));
  LoadStates states;
  if (tables.empty()) return states;
  LODE_TRY(auto rows, connection.Rows(std::string(kRead)));
  for (const std::vector<std::string>& row : rows) {
    LODE_TRY(std::optional<Day> first, OptionalDay(row[9]));
    LODE_TRY(std::optional<Day> last, OptionalDay(row[10]));
    states[row[4]] = {.dataset = row[0],
                      .schema = row[1],
                      .source_type = row[2],
                      .job_id = row[3],
                      .file_name = row[4],
                      .sha256 = row[5],
                      .inputs_sha256 = row[6],
                      .size_bytes = Number<uint64_t>(row[7]),
                      .root = row[8],
                      .first = first,
                      .last = last,
                      .rows_read = Number<int64_t>(row[11]),
                      .rows_merged = Number<int64_t>(row[12]),
                      .rows_rejected = Number<int64_t>(row[13]),
                      .status = row[14],
                      .attempt = Number<int64_t>(row[15]),
                      .error = row[16]};
  }
  return states;
}

Status WriteLoadState(Connection& connection, const LoadState& state, int64_t started_at_ns) {
  // Another receipt's row goes first; a row with the same key is replaced in place, because DuckDB's index does not
  // take a key that was deleted in the same transaction.
  LODE_TRY(connection.Execute(fmt::format(
      "DELETE FROM ops.databento_load_state WHERE file_name = {} AND (source_type, job_id, schema) <> ({}, {}, {})",
      SqlText(state.file_name), SqlText(state.source_type), SqlText(state.job_id), SqlText(state.schema))));
  return connection.Execute(fmt::format(
      "INSERT OR REPLACE INTO ops.databento_load_state VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
      "{}, {}, {}, make_timestamp({}), make_timestamp({}))",
      SqlText(state.dataset), SqlText(state.schema), SqlText(state.source_type), SqlText(state.job_id),
      SqlText(state.file_name), SqlText(state.sha256), SqlText(state.inputs_sha256), state.size_bytes,
      TextOrNull(state.root), Midnight(state.first), Midnight(state.last), state.rows_read, state.rows_merged,
      state.rows_rejected, SqlText(state.status), state.attempt, TextOrNull(state.error), started_at_ns / 1000,
      NowNs() / 1000));
}

Status RemoveLoadState(Connection& connection, std::string_view file_name) {
  return connection.Execute("DELETE FROM ops.databento_load_state WHERE file_name = " + SqlText(file_name));
}

}  // namespace lode::sink
