#include <array>

#include "lode/ledger/ledger_internal.h"

namespace lode::ledger {

namespace {

std::optional<int64_t> Optional(const std::optional<bool>& flag) {
  if (!flag) return std::nullopt;
  return *flag ? 1 : 0;
}

std::optional<int64_t> Optional(const std::optional<Day>& day) {
  if (!day) return std::nullopt;
  return day->since_epoch;
}

// What Replaces looks at, from SQL values.
Cell CellOf(sqlite3_value* state, sqlite3_value* modified) {
  Cell cell;
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(state));
  cell.state = ParseCellState(text == nullptr ? "" : text).value_or(CellState::kMissing);
  if (sqlite3_value_type(modified) != SQLITE_NULL) cell.modified = Day{sqlite3_value_int(modified)};
  return cell;
}

void ReplacesFunction(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  sqlite3_result_int(context, Replaces(CellOf(values[0], values[1]), CellOf(values[2], values[3])) ? 1 : 0);
}

}  // namespace

Status RegisterReplaces(Database& db) {
  constexpr int kArguments = 4;
  if (sqlite3_create_function_v2(db.get(), "lode_replaces", kArguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                                 ReplacesFunction, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return db.LastError();
  }
  return Ok();
}

Result<int64_t> SqliteLedger::AddIntent(const Intent& intent) {
  LODE_TRY(Transaction transaction, Transaction::Begin(*db_));
  LODE_TRY(Statement insert, Statement::Prepare(*db_, "INSERT INTO intent(dataset, receipt) VALUES (?, ?)"));
  LODE_TRY(insert.Bind(intent.dataset, intent.receipt_text).Run());
  const int64_t id = sqlite3_last_insert_rowid(db_->get());
  LODE_TRY(AddMoves(id, intent.moves));
  LODE_TRY(transaction.Commit());
  return id;
}

Status SqliteLedger::AddMoves(int64_t intent_id, const std::vector<Intent::Move>& moves) {
  LODE_TRY(Statement insert, Statement::Prepare(*db_, "INSERT INTO intent_move VALUES (?, ?, ?, ?, ?, ?)"));
  int64_t ordinal = 0;
  for (const Intent::Move& move : moves) {
    LODE_TRY(insert.Bind(intent_id, ordinal++, move.temporary, move.target, move.sha256, move.old_sha256).Run());
  }
  return Ok();
}

Status SqliteLedger::RemoveIntent(int64_t id) {
  for (const char* sql : {"DELETE FROM intent_move WHERE intent = ?", "DELETE FROM intent WHERE id = ?"}) {
    LODE_TRY(Statement remove, Statement::Prepare(*db_, sql));
    LODE_TRY(remove.Bind(id).Run());
  }
  return Ok();
}

Status SqliteLedger::DropIntent(int64_t id) {
  LODE_TRY(Transaction transaction, Transaction::Begin(*db_));
  LODE_TRY(RemoveIntent(id));
  return transaction.Commit();
}

Status SqliteLedger::Commit(const Receipt& receipt, std::string_view receipt_sha256, int64_t intent_id) {
  LODE_TRY(Transaction transaction, Transaction::Begin(*db_));
  LODE_TRY(Index(receipt, receipt_sha256));
  if (intent_id != 0) LODE_TRY(RemoveIntent(intent_id));
  return transaction.Commit();
}

Status SqliteLedger::Reindex(std::string_view dataset,
                             const std::function<Result<std::optional<StoredReceipt>>()>& next) {
  LODE_TRY(Transaction transaction, Transaction::Begin(*db_));
  LODE_TRY(Forget(dataset));
  while (true) {
    LODE_TRY(const std::optional<StoredReceipt> stored, next());
    if (!stored) break;
    LODE_TRY(Index(stored->receipt, stored->sha256));
  }
  return transaction.Commit();
}

Status SqliteLedger::Forget(std::string_view dataset) {
  for (const char* table : {"cell", "partition", "raw_file", "removed_file", "receipt"}) {
    const std::string sql =
        fmt::format("DELETE FROM {} WHERE dataset = (SELECT id FROM dataset WHERE name = ?)", table);
    LODE_TRY(Statement remove, Statement::Prepare(*db_, sql));
    LODE_TRY(remove.Bind(dataset).Run());
  }
  LODE_TRY(Statement remove, Statement::Prepare(*db_, "DELETE FROM dataset WHERE name = ?"));
  return remove.Bind(dataset).Run();
}

Status SqliteLedger::Clear() {
  LODE_TRY(Transaction transaction, Transaction::Begin(*db_));
  for (const char* table :
       {"cell", "partition", "raw_file", "removed_file", "receipt", "dataset", "intent_move", "intent"}) {
    LODE_TRY(db_->Execute(fmt::format("DELETE FROM {}", table).c_str()));
  }
  return transaction.Commit();
}

Status SqliteLedger::Index(const Receipt& receipt, std::string_view receipt_sha256) {
  LODE_TRY(Statement upsert, Statement::Prepare(*db_, R"(INSERT INTO dataset(name, schema, layout) VALUES (?, ?, ?)
      ON CONFLICT(name) DO UPDATE SET schema = excluded.schema, layout = excluded.layout)"));
  LODE_TRY(upsert.Bind(receipt.dataset, receipt.schema, receipt.layout).Run());
  LODE_TRY(Statement find, Statement::Prepare(*db_, "SELECT id FROM dataset WHERE name = ?"));
  LODE_TRY(const bool found, find.Bind(receipt.dataset).Step());
  if (!found) return Fail(ErrorKind::kInternal, "ledger: dataset {} vanished", receipt.dataset);
  const int64_t dataset = find.Number(0);
  LODE_TRY(Statement insert, Statement::Prepare(*db_, "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  LODE_TRY(insert
               .Bind(dataset, receipt.sequence, receipt_sha256, receipt.unit, receipt.origin, receipt.finished_at,
                     receipt.records, receipt.rejected)
               .Run());
  LODE_TRY(IndexFiles(dataset, receipt));
  LODE_TRY(IndexRemoved(dataset, receipt));
  return IndexCells(dataset, receipt);
}

Status SqliteLedger::IndexFiles(int64_t dataset, const Receipt& receipt) {
  LODE_TRY(Statement raw, Statement::Prepare(*db_, R"(INSERT INTO raw_file
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))"));
  int64_t ordinal = 0;
  for (const RawFile& file : receipt.raw_files) {
    LODE_TRY(raw.Bind(dataset, receipt.sequence, ordinal++, file.name, file.landed, int64_t{file.in_place},
                      static_cast<int64_t>(file.size), file.sha256, file.role, file.encoding, file.schema,
                      Optional(file.pretty_px), Optional(file.pretty_ts), file.mapping)
                 .Run());
  }
  // A later receipt's version of a partition always wins: it was merged from the one before.
  LODE_TRY(Statement partition, Statement::Prepare(*db_, R"(INSERT INTO partition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(dataset, path) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256, rows = excluded.rows,
      min_key = excluded.min_key, max_key = excluded.max_key, replaces = excluded.replaces,
      sequence = excluded.sequence)"));
  for (const Partition& p : receipt.partitions) {
    LODE_TRY(partition
                 .Bind(dataset, p.path, static_cast<int64_t>(p.size), p.sha256, p.rows, p.min_key, p.max_key,
                       p.replaces, receipt.sequence)
                 .Run());
  }
  return Ok();
}

// A file that a receipt brings is there again, whatever was removed before; one that it removes is no partition any
// more. Of raw files the row stays: rows in bronze still came from it.
Status SqliteLedger::IndexRemoved(int64_t dataset, const Receipt& receipt) {
  LODE_TRY(Statement back, Statement::Prepare(*db_, "DELETE FROM removed_file WHERE dataset = ? AND path = ?"));
  const std::string bronze = fmt::format("bronze/{}/", receipt.dataset);
  for (const RawFile& file : receipt.raw_files) LODE_TRY(back.Bind(dataset, file.landed).Run());
  for (const Partition& partition : receipt.partitions) LODE_TRY(back.Bind(dataset, bronze + partition.path).Run());
  LODE_TRY(Statement gone, Statement::Prepare(*db_, "DELETE FROM partition WHERE dataset = ? AND path = ?"));
  LODE_TRY(Statement removed, Statement::Prepare(*db_, "INSERT OR REPLACE INTO removed_file VALUES (?, ?, ?, ?, ?)"));
  for (const Removal& removal : receipt.removed) {
    LODE_TRY(removed.Bind(dataset, removal.path, static_cast<int64_t>(removal.size), removal.sha256, receipt.sequence)
                 .Run());
    if (!removal.path.starts_with(bronze)) continue;
    LODE_TRY(gone.Bind(dataset, std::string_view(removal.path).substr(bronze.size())).Run());
  }
  return Ok();
}

Status SqliteLedger::IndexCells(int64_t dataset, const Receipt& receipt) {
  LODE_TRY(Statement upsert, Statement::Prepare(*db_, R"(INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(dataset, symbol, day) DO UPDATE SET state = excluded.state, reason = excluded.reason,
      proof = excluded.proof, rows = excluded.rows, modified = excluded.modified, degraded = excluded.degraded,
      sequence = excluded.sequence
      WHERE lode_replaces(excluded.state, excluded.modified, cell.state, cell.modified))"));
  for (const Cell& cell : receipt.cells) {
    LODE_TRY(upsert
                 .Bind(dataset, cell.symbol, int64_t{cell.day.since_epoch}, Name(cell.state), cell.reason, cell.proof,
                       cell.rows, Optional(cell.modified), int64_t{cell.degraded}, receipt.sequence)
                 .Run());
  }
  return Ok();
}

}  // namespace lode::ledger
