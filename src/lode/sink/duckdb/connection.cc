#include "lode/sink/duckdb/connection.h"

#include <chrono>
#include <thread>
#include <utility>

#include "lode/base/stop.h"
#include "lode/sink/duckdb/result_text.h"

namespace lode::sink {
namespace {

constexpr std::chrono::microseconds kLookAgain{200};

// DuckDB's message as one line, without the part that repeats the SQL; "Did you mean" stays.
std::string OneLine(const char* text) {
  std::string_view message = text == nullptr ? std::string_view("unknown error") : std::string_view(text);
  message = message.substr(0, message.find("\n\nLINE "));
  std::string line;
  for (char c : message) line += c == '\n' || c == '\r' ? ' ' : c;
  return line;
}

// Messages name their class at the start; DuckDB has no code for a failed prepare.
ErrorKind KindOf(std::string_view message) {
  if (message.starts_with("IO Error")) return ErrorKind::kStorage;
  if (message.starts_with("INTERRUPT")) return ErrorKind::kInterrupted;
  if (message.starts_with("Out of Memory") || message.starts_with("INTERNAL")) return ErrorKind::kInternal;
  return ErrorKind::kUsage;
}

std::unexpected<Error> Failed(const char* text) {
  std::string message = OneLine(text);
  ErrorKind kind = KindOf(message);
  if (kind == ErrorKind::kInterrupted) message = "interrupted";
  if (message.starts_with("Out of Memory")) message += " (give more with --memory)";
  return Fail(kind, "{}", message);
}

// A DuckDB handle freed by its own function.
template <typename Handle>
class Owned {
 public:
  explicit Owned(void (*destroy)(Handle*)) : destroy_(destroy) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { destroy_(&handle_); }
  Handle* out() { return &handle_; }
  Handle get() const { return handle_; }

 private:
  void (*destroy_)(Handle*);
  Handle handle_ = nullptr;
};

}  // namespace

ResultChunk::ResultChunk(ResultChunk&& other) noexcept
    : api_(other.api_), chunk_(std::exchange(other.chunk_, nullptr)) {}

ResultChunk::~ResultChunk() {
  if (chunk_ != nullptr) api_->destroy_data_chunk(&chunk_);
}

size_t ResultChunk::rows() const { return api_->data_chunk_get_size(chunk_); }

const void* ResultChunk::Values(size_t column) const {
  return api_->vector_get_data(api_->data_chunk_get_vector(chunk_, column));
}

bool ResultChunk::IsNull(size_t column, size_t row) const {
  uint64_t* validity = api_->vector_get_validity(api_->data_chunk_get_vector(chunk_, column));
  return validity != nullptr && !api_->validity_row_is_valid(validity, row);
}

ResultStream::ResultStream(const DuckdbApi& api, duckdb_result result) : api_(&api), result_(result) {
  for (idx_t i = 0; i < api.column_count(&result_); ++i) {
    const char* name = api.column_name(&result_, i);
    ResultColumn column{.name = name == nullptr ? "" : name, .type = api.column_type(&result_, i)};
    if (column.type == DUCKDB_TYPE_DECIMAL) {
      Owned<duckdb_logical_type> type(api.destroy_logical_type);
      *type.out() = api.column_logical_type(&result_, i);
      column.scale = api.decimal_scale(type.get());
      column.storage_type = api.decimal_internal_type(type.get());
    }
    columns_.push_back(std::move(column));
  }
}

ResultStream::ResultStream(ResultStream&& other) noexcept
    : api_(other.api_),
      result_(other.result_),
      owned_(std::exchange(other.owned_, false)),
      columns_(std::move(other.columns_)) {}

ResultStream::~ResultStream() {
  if (owned_) api_->destroy_result(&result_);
}

Result<std::optional<ResultChunk>> ResultStream::Next() {
  LODE_TRY(CheckStop());
  duckdb_data_chunk chunk = api_->fetch_chunk(result_);
  if (chunk == nullptr) {
    const char* problem = api_->result_error(&result_);
    if (problem != nullptr && *problem != '\0') return Failed(problem);
    return std::optional<ResultChunk>();
  }
  return std::optional<ResultChunk>(ResultChunk(*api_, chunk));
}

Result<Connection> Connection::Open(const std::filesystem::path& file,
                                    const std::map<std::string, std::string>& settings) {
  LODE_TRY(const DuckdbApi* api, LoadDuckdb());
  Owned<duckdb_config> config(api->destroy_config);
  if (api->create_config(config.out()) == DuckDBError) return Fail(ErrorKind::kInternal, "DuckDB: no configuration");
  std::map<std::string, std::string> all = {{"autoinstall_known_extensions", "false"},
                                            {"autoload_known_extensions", "false"}};
  for (const auto& [name, value] : settings) all[name] = value;
  for (const auto& [name, value] : all) {
    if (api->set_config(config.get(), name.c_str(), value.c_str()) == DuckDBError) {
      return Fail(ErrorKind::kInternal, "DuckDB {} refuses the setting {} = {}", api->library_version(), name, value);
    }
  }
  duckdb_database database = nullptr;
  char* problem = nullptr;
  std::string path = file.empty() ? ":memory:" : file.string();
  if (api->open_ext(path.c_str(), &database, config.get(), &problem) == DuckDBError) {
    std::string message = OneLine(problem);
    api->free(problem);
    bool held = message.contains("Could not set lock");
    return Fail(held ? ErrorKind::kBusy : ErrorKind::kStorage, "{}: {}", path, message);
  }
  duckdb_connection connection = nullptr;
  if (api->connect(database, &connection) == DuckDBError) {
    api->close(&database);
    return Fail(ErrorKind::kInternal, "{}: DuckDB does not connect", path);
  }
  return Connection(*api, database, connection);
}

Connection::Connection(Connection&& other) noexcept
    : api_(other.api_),
      database_(std::exchange(other.database_, nullptr)),
      connection_(std::exchange(other.connection_, nullptr)) {}

Connection::~Connection() {
  if (connection_ != nullptr) api_->disconnect(&connection_);
  if (database_ != nullptr) api_->close(&database_);
}

Status Connection::Execute(const std::string& sql) {
  Owned<duckdb_extracted_statements> statements(api_->destroy_extracted);
  LODE_TRY(const idx_t count, Extract(sql, statements.out()));
  for (idx_t i = 0; i < count; ++i) {
    Owned<duckdb_prepared_statement> statement(api_->destroy_prepare);
    LODE_TRY(Prepare(statements.get(), i, statement.out()));
    LODE_TRY(ResultStream dropped, Run(statement.get(), [] { return Ok(); }));
  }
  return Ok();
}

Result<std::vector<std::string>> Connection::Texts(const std::string& sql) {
  LODE_TRY(std::vector<std::vector<std::string>> rows, Rows(sql));
  std::vector<std::string> texts;
  for (std::vector<std::string>& row : rows) texts.push_back(std::move(row[0]));
  return texts;
}

Result<std::vector<std::vector<std::string>>> Connection::Rows(const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  LODE_TRY(ResultStream stream, Stream(sql, IsRendered));
  while (true) {
    LODE_TRY(std::optional<ResultChunk> chunk, stream.Next());
    if (!chunk) return rows;
    for (size_t row = 0; row < chunk->rows(); ++row) {
      std::vector<std::string>& values = rows.emplace_back(stream.columns().size());
      for (size_t column = 0; column < values.size(); ++column) {
        if (chunk->IsNull(column, row)) continue;
        AppendValue(stream.columns()[column], chunk->Values(column), row, values[column]);
      }
    }
  }
}

Status Connection::Define(const ScalarFunction& function) {
  Owned<duckdb_scalar_function> made(api_->destroy_scalar_function);
  *made.out() = api_->create_scalar_function();
  api_->scalar_function_set_name(made.get(), function.name);
  for (duckdb_type parameter : function.parameters) {
    Owned<duckdb_logical_type> type(api_->destroy_logical_type);
    *type.out() = api_->create_logical_type(parameter);
    api_->scalar_function_add_parameter(made.get(), type.get());
  }
  Owned<duckdb_logical_type> result(api_->destroy_logical_type);
  *result.out() = api_->create_logical_type(function.result);
  api_->scalar_function_set_return_type(made.get(), result.get());
  api_->scalar_function_set_function(made.get(), function.function);
  if (api_->register_scalar_function(connection_, made.get()) == DuckDBError) {
    return Fail(ErrorKind::kInternal, "DuckDB does not take the function {}", function.name);
  }
  return Ok();
}

// Task by task, because duckdb_query keeps this thread busy asking while others do the work.
Result<ResultStream> Connection::Run(duckdb_prepared_statement statement, Status (*may_go_on)()) {
  Owned<duckdb_pending_result> pending(api_->destroy_pending);
  if (api_->pending_prepared_streaming(statement, pending.out()) == DuckDBError) {
    return Failed(api_->pending_error(pending.get()));
  }
  while (true) {
    LODE_TRY(may_go_on());
    duckdb_pending_state state = api_->pending_execute_task(pending.get());
    if (state == DUCKDB_PENDING_ERROR) return Failed(api_->pending_error(pending.get()));
    if (api_->pending_execution_is_finished(state)) break;
    if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) std::this_thread::sleep_for(kLookAgain);
  }
  duckdb_result result;
  if (api_->execute_pending(pending.get(), &result) == DuckDBError) {
    auto failure = Failed(api_->result_error(&result));
    api_->destroy_result(&result);
    return failure;
  }
  return ResultStream(*api_, result);
}

// The statement wrapped so that columns lode does not render arrive as text; empty when none is needed.
std::string Connection::AsTexts(duckdb_prepared_statement statement, std::string_view sql,
                                bool (*rendered)(duckdb_type)) const {
  std::string positions, outputs;
  bool needed = false;
  idx_t count = api_->prepared_statement_column_count(statement);
  for (idx_t i = 0; i < count; ++i) {
    bool plain = rendered(api_->prepared_statement_column_type(statement, i));
    needed = needed || !plain;
    const char* name = api_->prepared_statement_column_name(statement, i);
    positions += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
    outputs += i == 0 ? "" : ", ";
    outputs += plain ? fmt::format("c{}", i) : fmt::format("CAST(c{} AS VARCHAR)", i);
    outputs += " AS " + SqlName(name == nullptr ? "" : name);
    api_->free(const_cast<char*>(name));
  }
  if (!needed) return "";
  while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n')) sql.remove_suffix(1);
  return fmt::format("SELECT {} FROM (\n{}\n) AS lode_result({})", outputs, sql, positions);
}

Result<idx_t> Connection::Extract(const std::string& sql, duckdb_extracted_statements* statements) {
  const idx_t count = api_->extract_statements(connection_, sql.c_str(), statements);
  if (count > 0) return count;
  const char* problem = api_->extract_statements_error(*statements);
  if (problem != nullptr) return Failed(problem);
  return Fail(ErrorKind::kUsage, "no SQL statement");
}

Status Connection::Prepare(duckdb_extracted_statements statements, idx_t i, duckdb_prepared_statement* prepared) {
  if (api_->prepare_extracted_statement(connection_, statements, i, prepared) != DuckDBError) return Ok();
  return Failed(api_->prepare_error(*prepared));
}

Result<ResultStream> Connection::Stream(const std::string& sql, bool (*rendered)(duckdb_type)) {
  Owned<duckdb_extracted_statements> statements(api_->destroy_extracted);
  LODE_TRY(const idx_t count, Extract(sql, statements.out()));
  for (idx_t i = 0;; ++i) {
    Owned<duckdb_prepared_statement> statement(api_->destroy_prepare);
    LODE_TRY(Prepare(statements.get(), i, statement.out()));
    if (i + 1 < count) {
      LODE_TRY(ResultStream dropped, Run(statement.get(), CheckStop));
      continue;
    }
    std::string wrapped = count == 1 ? AsTexts(statement.get(), sql, rendered) : "";
    if (wrapped.empty()) return Run(statement.get(), CheckStop);
    Owned<duckdb_prepared_statement> texts(api_->destroy_prepare);
    if (api_->prepare(connection_, wrapped.c_str(), texts.out()) == DuckDBError) {
      return Run(statement.get(), CheckStop);
    }
    return Run(texts.get(), CheckStop);
  }
}

std::string SqlText(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + '\'';
}

std::string LiteralPattern(const std::filesystem::path& path) {
  std::string pattern;
  for (char c : path.string()) {
    if (c == '*' || c == '?' || c == '[') {
      pattern += {'[', c, ']'};
    } else {
      pattern += c;
    }
  }
  return pattern;
}

std::string SqlName(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace lode::sink
