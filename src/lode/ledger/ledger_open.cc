#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "lode/base/descriptor.h"
#include "lode/ledger/ledger_internal.h"
#include "lode/store/local_disk.h"

namespace lode::ledger {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTables = R"(
CREATE TABLE ledger_schema(version INTEGER NOT NULL) STRICT;
INSERT INTO ledger_schema VALUES (2);
CREATE TABLE dataset(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, schema TEXT NOT NULL, layout TEXT NOT NULL) STRICT;
CREATE TABLE receipt(
  dataset INTEGER NOT NULL, sequence INTEGER NOT NULL, sha256 TEXT NOT NULL, unit TEXT NOT NULL, origin TEXT NOT NULL,
  finished_at TEXT NOT NULL, records INTEGER NOT NULL, rejected INTEGER NOT NULL,
  PRIMARY KEY(dataset, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE raw_file(
  dataset INTEGER NOT NULL, sequence INTEGER NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL,
  landed TEXT NOT NULL, in_place INTEGER NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, role TEXT NOT NULL,
  encoding TEXT NOT NULL, schema TEXT NOT NULL, pretty_px INTEGER, pretty_ts INTEGER, mapping TEXT NOT NULL,
  PRIMARY KEY(dataset, sequence, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE removed_file(
  dataset INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(dataset, path)) STRICT, WITHOUT ROWID;
CREATE TABLE partition(
  dataset INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL,
  min_key TEXT NOT NULL, max_key TEXT NOT NULL, replaces TEXT NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(dataset, path)) STRICT, WITHOUT ROWID;
CREATE TABLE cell(
  dataset INTEGER NOT NULL, symbol TEXT NOT NULL, day INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  proof TEXT NOT NULL, rows INTEGER, modified INTEGER, degraded INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(dataset, symbol, day)) STRICT, WITHOUT ROWID;
CREATE INDEX cell_day ON cell(dataset, day);
CREATE TABLE intent(id INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, receipt TEXT NOT NULL) STRICT;
CREATE TABLE intent_move(
  intent INTEGER NOT NULL, ordinal INTEGER NOT NULL, temporary TEXT NOT NULL, target TEXT NOT NULL,
  sha256 TEXT NOT NULL, old_sha256 TEXT NOT NULL, PRIMARY KEY(intent, ordinal)) STRICT, WITHOUT ROWID;
)";

fs::path JournalOf(const fs::path& file) { return file.string() + "-journal"; }

// True: the tables are there. False: the file has nothing in it yet.
Result<bool> HasTables(Database& db) {
  LODE_TRY(Statement count, Statement::Prepare(db, "SELECT count(*) FROM sqlite_schema"));
  LODE_TRY(const bool row, count.Step());
  return row && count.Number(0) > 0;
}

Status Configure(Database& db) {
  // TRUNCATE: readers need no shared-memory file beside the ledger and a run without work writes nothing at all
  // (docs/ledger.md, "Journal"). FULL: a commit that returned survives power loss.
  return db.Execute("PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768");
}

// The bytes SQLite locks in the database file (sqlite3.c, "PENDING_BYTE"): readers hold the shared range.
constexpr off_t kSharedFirst = 0x40000002;
constexpr off_t kSharedSize = 510;

// Holds off every writer and every rollback while the file is copied. False: one is at work now.
Result<bool> LockShared(int fd, const fs::path& file) {
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kSharedFirst;
  lock.l_len = kSharedSize;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return Fail(ErrorKind::kStorage, "cannot lock {}", file.string());
}

// A killed writer left a journal that must be rolled back, and a reader may not write into the lake: rolls back in a
// private copy under the system's folder for temporaries, which is unlinked at once. nullptr when the ledger was empty
// before that writer; kBusy when a writer is at work now and the caller should look again.
Result<std::unique_ptr<Ledger>> OpenCopy(const fs::path& file) {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "lode-ledger-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    return Fail(ErrorKind::kStorage, "no folder for temporaries to read the ledger of a killed run from");
  }
  const struct Remover {
    fs::path dir;
    ~Remover() {
      std::error_code ignored;
      fs::remove_all(dir, ignored);
    }
  } remover{name};
  const fs::path copy = remover.dir / "ledger.sqlite";
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Fail(ErrorKind::kStorage, "cannot open {}", file.string());
  LODE_TRY(const bool locked, LockShared(fd.get(), file));
  if (!locked) return Fail(ErrorKind::kBusy, "ledger {}: another run keeps it locked; run again", file.string());
  LODE_TRY(store::CopyDurable(file, copy));
  if (const auto journal = store::CopyDurable(JournalOf(file), JournalOf(copy)); !journal) {
    const bool finished = journal.error().kind == ErrorKind::kNotFound;
    return Fail(finished ? ErrorKind::kBusy : ErrorKind::kStorage, "{}", journal.error().message);
  }
  LODE_TRY(Database db, Database::Open(copy, SQLITE_OPEN_READWRITE));
  LODE_TRY(const bool tables, HasTables(db));
  if (!tables) return nullptr;
  LODE_TRY(CheckVersion(db, file));
  return SqliteLedger::Create(std::move(db));
}

}  // namespace

Status CreateTables(Database& db) {
  LODE_TRY(Transaction transaction, Transaction::Begin(db));
  // Another run may have been faster.
  LODE_TRY(const bool tables, HasTables(db));
  if (tables) return Ok();
  LODE_TRY(db.Execute(fmt::format("PRAGMA application_id={}", kApplicationId).c_str()));
  LODE_TRY(db.Execute(kTables));
  return transaction.Commit();
}

Status CheckVersion(Database& db, const fs::path& file) {
  LODE_TRY(Statement id, Statement::Prepare(db, "PRAGMA application_id"));
  LODE_TRY(const bool row, id.Step());
  if (!row || id.Number(0) != kApplicationId) {
    return Fail(ErrorKind::kCorrupt, "{} is not a ledger of lode; move it away and run `lode ledger rebuild`",
                file.string());
  }
  LODE_TRY(Statement version, Statement::Prepare(db, "SELECT version FROM ledger_schema"));
  LODE_TRY(const bool found, version.Step());
  if (!found) {
    return Fail(ErrorKind::kCorrupt, "ledger {} is damaged (no version); run `lode ledger rebuild`", file.string());
  }
  if (version.Number(0) > kLedgerVersion) {
    return Fail(ErrorKind::kUnsupported, "ledger {} was written by a newer lode (version {}, this one reads {})",
                file.string(), version.Number(0), kLedgerVersion);
  }
  if (version.Number(0) < kLedgerVersion) {
    return Fail(ErrorKind::kCorrupt, "ledger {} was written by an older lode; run `lode ledger rebuild`",
                file.string());
  }
  return Ok();
}

Result<std::unique_ptr<Ledger>> Ledger::Open(const fs::path& file) {
  LODE_TRY(Database db, Database::Open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  // SQLite opens a file it may not write for reading only.
  if (sqlite3_db_readonly(db.get(), "main") != 0) {
    return Fail(ErrorKind::kStorage, "cannot write ledger {}: read-only file system or file", file.string());
  }
  LODE_TRY(Configure(db));
  LODE_TRY(const bool tables, HasTables(db));
  if (!tables) LODE_TRY(CreateTables(db));
  LODE_TRY(CheckVersion(db, file));
  return SqliteLedger::Create(std::move(db));
}

Result<std::unique_ptr<Ledger>> Ledger::OpenReadOnly(const fs::path& file) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    LODE_TRY(const std::optional<uint64_t> size, store::FileSize(file));
    if (!size || *size == 0) return nullptr;
    LODE_TRY(Database db, Database::Open(file, SQLITE_OPEN_READONLY));
    const Result<bool> tables = HasTables(db);
    if (tables) {
      if (!*tables) return nullptr;
      LODE_TRY(CheckVersion(db, file));
      return SqliteLedger::Create(std::move(db));
    }
    if (db.last_code() != SQLITE_READONLY_ROLLBACK) return std::unexpected(tables.error());
    Result<std::unique_ptr<Ledger>> copy = OpenCopy(file);
    if (copy || copy.error().kind != ErrorKind::kBusy) return copy;
  }
  return Fail(ErrorKind::kBusy, "ledger {}: another run keeps it locked; run again", file.string());
}

Result<std::unique_ptr<Ledger>> Ledger::OpenInMemory() {
  LODE_TRY(Database db, Database::Open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  LODE_TRY(CreateTables(db));
  return SqliteLedger::Create(std::move(db));
}

Status Ledger::Discard(const fs::path& file) {
  // The database goes first: a journal without its database is ignored, a database without its journal is damaged.
  LODE_TRY(store::Remove(file));
  LODE_TRY(store::SyncDirectory(file.parent_path()));
  LODE_TRY(store::Remove(JournalOf(file)));
  return store::SyncDirectory(file.parent_path());
}

Result<std::unique_ptr<Ledger>> SqliteLedger::Create(Database db) {
  LODE_TRY(RegisterReplaces(db));
  return std::unique_ptr<Ledger>(new SqliteLedger(std::move(db)));
}

}  // namespace lode::ledger
