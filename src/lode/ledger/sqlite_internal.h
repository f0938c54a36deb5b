// A thin RAII layer over SQLite's C API: connections and prepared statements that answer with Result.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode::ledger {

class Database {
 public:
  // `flags` as for sqlite3_open_v2. Waits up to a minute for locks of other connections.
  static Result<Database> Open(const std::filesystem::path& file, int flags);
  sqlite3* get() const { return db_.get(); }
  Status Execute(const char* sql);
  // The connection's last error, in the words and kinds of ledger.h.
  std::unexpected<Error> LastError() const;
  // SQLite's extended code of the last failure.
  int last_code() const { return sqlite3_extended_errcode(db_.get()); }

 private:
  struct Closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  Database(std::unique_ptr<sqlite3, Closer> db, std::string name) : db_(std::move(db)), name_(std::move(name)) {}
  std::unique_ptr<sqlite3, Closer> db_;
  std::string name_;  // for messages
};

// A prepared statement. Parameters are bound in order by Bind(...), which also resets it; views must live until the
// last Step.
class Statement {
 public:
  static Result<Statement> Prepare(Database& db, std::string_view sql);

  template <typename... Values>
  Statement& Bind(const Values&... values) {
    sqlite3_reset(statement_.get());
    int index = 0;
    (BindOne(++index, values), ...);
    return *this;
  }
  // True: a row is there. False: done.
  Result<bool> Step();
  // Steps once, expecting no row.
  Status Run();

  int64_t Number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::optional<int64_t> NumberOrNull(int column) const;
  std::string_view TextView(int column) const;  // until the next Step
  std::string Text(int column) const { return std::string(TextView(column)); }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(Database* db, std::unique_ptr<sqlite3_stmt, Finalizer> statement)
      : db_(db), statement_(std::move(statement)) {}
  void BindOne(int index, std::string_view text);
  void BindOne(int index, int64_t number) { sqlite3_bind_int64(statement_.get(), index, number); }
  void BindOne(int index, const std::optional<int64_t>& number);

  Database* db_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

// BEGIN IMMEDIATE … Commit, or ROLLBACK when destroyed before. The write lock is taken at the start, so that two
// writers wait for each other and never deadlock.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& db);
  // Takes no write lock: everything read inside is of one commit. Is never committed.
  static Result<Transaction> BeginReading(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status Commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

}  // namespace lode::ledger
