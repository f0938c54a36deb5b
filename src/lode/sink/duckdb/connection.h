// A thin RAII skin over DuckDB's C API: open, execute, stream. Not thread-safe; one connection runs one query at a
// time.
#pragma once

#include <duckdb.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/sink/duckdb/library.h"

namespace lode::sink {

struct ResultColumn {
  std::string name;
  duckdb_type type = DUCKDB_TYPE_INVALID;
  int scale = 0;                                   // DECIMAL: digits after the point
  duckdb_type storage_type = DUCKDB_TYPE_INVALID;  // DECIMAL: integer type it is stored in
};

// A few thousand rows of a result.
class ResultChunk {
 public:
  ResultChunk(const DuckdbApi& api, duckdb_data_chunk chunk) : api_(&api), chunk_(chunk) {}
  ResultChunk(ResultChunk&& other) noexcept;
  ResultChunk& operator=(ResultChunk&&) = delete;
  ~ResultChunk();

  size_t rows() const;
  // Values of a column and its validity mask; both live as long as the chunk.
  const void* Values(size_t column) const;
  bool IsNull(size_t column, size_t row) const;

 private:
  const DuckdbApi* api_;
  duckdb_data_chunk chunk_;
};

// The rows of one statement, produced while they are read.
class ResultStream {
 public:
  ResultStream(const DuckdbApi& api, duckdb_result result);
  ResultStream(ResultStream&& other) noexcept;
  ResultStream& operator=(ResultStream&&) = delete;
  ~ResultStream();

  const std::vector<ResultColumn>& columns() const { return columns_; }
  // nullopt at the end.
  Result<std::optional<ResultChunk>> Next();

 private:
  const DuckdbApi* api_;
  duckdb_result result_;
  bool owned_ = true;
  std::vector<ResultColumn> columns_;
};

// A function of ours that SQL of one connection may call; nothing of it is stored in a database.
struct ScalarFunction {
  const char* name;
  std::vector<duckdb_type> parameters;
  duckdb_type result;
  duckdb_scalar_function_t function;
};

class Connection {
 public:
  // `file` empty: in memory. Extensions are never installed or loaded behind the user's back. kBusy when another
  // process holds the file.
  static Result<Connection> Open(const std::filesystem::path& file, const std::map<std::string, std::string>& settings);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // Ends the running statement with kInterrupted. From any thread.
  void Interrupt() const { api_->interrupt(connection_); }
  // Runs statements of ours and drops their rows.
  Status Execute(const std::string& sql);
  // First column of all rows, as text.
  Result<std::vector<std::string>> Texts(const std::string& sql);
  // All rows as text; null is an empty text.
  Result<std::vector<std::vector<std::string>>> Rows(const std::string& sql);
  Status Define(const ScalarFunction& function);
  // Runs the user's statements; the last one's rows are returned. Columns of types that `rendered` refuses come as
  // text. kUsage: the SQL is at fault. kInterrupted when a stop was asked for.
  Result<ResultStream> Stream(const std::string& sql, bool (*rendered)(duckdb_type));

 private:
  Connection(const DuckdbApi& api, duckdb_database database, duckdb_connection connection)
      : api_(&api), database_(database), connection_(connection) {}
  Result<idx_t> Extract(const std::string& sql, duckdb_extracted_statements* statements);
  Status Prepare(duckdb_extracted_statements statements, idx_t i, duckdb_prepared_statement* prepared);
  Result<ResultStream> Run(duckdb_prepared_statement statement, Status (*may_go_on)());
  std::string AsTexts(duckdb_prepared_statement statement, std::string_view sql, bool (*rendered)(duckdb_type)) const;

  const DuckdbApi* api_;
  duckdb_database database_;
  duckdb_connection connection_;
};

// 'it''s' and "a ""name""".
std::string SqlText(std::string_view text);
std::string SqlName(std::string_view name);
// The text of a path whose '*', '?' and '[' stand for themselves where DuckDB reads patterns.
std::string LiteralPattern(const std::filesystem::path& path);

}  // namespace lode::sink
