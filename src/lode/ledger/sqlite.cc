#include <cerrno>
#include <cstring>

#include "lode/ledger/sqlite_internal.h"

namespace lode::ledger {

namespace {

constexpr int kBusyTimeoutMs = 60'000;

std::string StorageText(sqlite3* db) {
  const int error = sqlite3_system_errno(db);
  if (sqlite3_errcode(db) == SQLITE_FULL || error == ENOSPC || error == EDQUOT) return "disk full";
  if (sqlite3_errcode(db) == SQLITE_READONLY || error == EROFS) return "read-only file system or file";
  if (error != 0) return fmt::format("{} ({})", sqlite3_errmsg(db), std::strerror(error));
  return sqlite3_errmsg(db);
}

}  // namespace

Result<Database> Database::Open(const std::filesystem::path& file, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Database db(std::unique_ptr<sqlite3, Closer>(raw), file.string());
  if (raw == nullptr) return Fail(ErrorKind::kInternal, "ledger {}: no memory for a connection", file.string());
  if (code != SQLITE_OK) return db.LastError();
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  // The file may be a stranger's: its schema gets no say, and its cells are checked as they are read.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  LODE_TRY(db.Execute("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY"));
  return db;
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return LastError();
  return Ok();
}

std::unexpected<Error> Database::LastError() const {
  sqlite3* db = db_.get();
  const char* text = sqlite3_errmsg(db);
  switch (sqlite3_extended_errcode(db)) {
    case SQLITE_READONLY_ROLLBACK:
      return Fail(ErrorKind::kBusy, "ledger {}: a run that writes it was killed just now; run again", name_);
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_IOERR_SHORT_READ:
      return Fail(ErrorKind::kCorrupt, "ledger {} is damaged ({}); run `lode ledger rebuild`", name_, text);
    default: break;
  }
  switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
      return Fail(ErrorKind::kCorrupt, "ledger {} is damaged ({}); run `lode ledger rebuild`", name_, text);
    case SQLITE_CONSTRAINT:
      return Fail(ErrorKind::kCorrupt, "ledger {} contradicts a receipt ({}); run `lode ledger rebuild`", name_, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Fail(ErrorKind::kBusy, "ledger {}: another run keeps it locked; run again", name_);
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Fail(ErrorKind::kStorage, "cannot use ledger {}: {}", name_, StorageText(db));
    default: return Fail(ErrorKind::kInternal, "ledger {}: {}", name_, text);
  }
}

Result<Statement> Statement::Prepare(Database& db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement statement(&db, std::unique_ptr<sqlite3_stmt, Finalizer>(raw));
  // SQLITE_ERROR here is a table or column that is not there: the file is not what its version says.
  if (code == SQLITE_ERROR) {
    return Fail(ErrorKind::kCorrupt, "ledger is damaged ({}); run `lode ledger rebuild`", sqlite3_errmsg(db.get()));
  }
  if (code != SQLITE_OK) return db.LastError();
  return statement;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto error = db_->LastError();
  sqlite3_reset(statement_.get());
  return error;
}

Status Statement::Run() {
  LODE_TRY(const bool row, Step());
  sqlite3_reset(statement_.get());
  if (row) return Fail(ErrorKind::kInternal, "ledger: a row where none is expected");
  return Ok();
}

std::optional<int64_t> Statement::NumberOrNull(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return Number(column);
}

std::string_view Statement::TextView(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Statement::BindOne(int index, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::BindOne(int index, const std::optional<int64_t>& number) {
  if (number) {
    BindOne(index, *number);
  } else {
    sqlite3_bind_null(statement_.get(), index);
  }
}

Result<Transaction> Transaction::Begin(Database& db) {
  LODE_TRY(db.Execute("BEGIN IMMEDIATE"));
  return Transaction(&db);
}

Result<Transaction> Transaction::BeginReading(Database& db) {
  LODE_TRY(db.Execute("BEGIN"));
  return Transaction(&db);
}

Transaction::~Transaction() {
  // Nothing to do about a failure: an error in the middle may have rolled back already.
  if (db_ != nullptr) (void)db_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  LODE_TRY(db_->Execute("COMMIT"));
  db_ = nullptr;
  return Ok();
}

}  // namespace lode::ledger
