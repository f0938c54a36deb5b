// The SQLite ledger, split over ledger_open.cc (files, versions), ledger_read.cc and ledger_write.cc.
#pragma once

#include <memory>

#include "lode/ledger/ledger.h"
#include "lode/ledger/sqlite_internal.h"

namespace lode::ledger {

inline constexpr int64_t kLedgerVersion = 2;
inline constexpr int64_t kApplicationId = 0x6c6f6465;  // "lode"

class SqliteLedger final : public Ledger {
 public:
  // The database must hold the tables already (CreateTables).
  static Result<std::unique_ptr<Ledger>> Create(Database db);

  Result<std::vector<DatasetRow>> Datasets() override;
  Result<std::vector<ReceiptRow>> Receipts(std::string_view dataset) override;
  Result<std::vector<PartitionRow>> Partitions(std::string_view dataset) override;
  Result<std::vector<RawFileRow>> RawFiles(std::string_view dataset) override;
  Result<std::vector<RawFileRow>> RawFilesOf(std::string_view dataset, int64_t sequence) override;
  Result<std::optional<PartitionRow>> FindPartition(std::string_view dataset, std::string_view path) override;
  Status ReadPartitionSizes(std::string_view dataset,
                            const std::function<bool(std::string_view path, uint64_t size)>& take) override;
  Status ReadCells(std::string_view dataset, std::optional<Day> first, std::optional<Day> last,
                   const std::function<void(const CellView&)>& take) override;
  Result<std::vector<CellRow>> CellsOf(std::string_view dataset, std::string_view symbol) override;
  Result<Totals> Sum(std::string_view dataset) override;
  Result<std::vector<RemovedRow>> Removed(std::string_view dataset) override;
  Result<std::vector<Intent>> Intents(std::string_view dataset) override;
  Result<int64_t> NextSequence(std::string_view dataset) override;

  Result<int64_t> AddIntent(const Intent& intent) override;
  Status DropIntent(int64_t id) override;
  Status Commit(const Receipt& receipt, std::string_view receipt_sha256, int64_t intent_id) override;
  Status Reindex(std::string_view dataset, const std::function<Result<std::optional<StoredReceipt>>()>& next) override;
  Status Clear() override;
  Status DumpDataset(std::string_view dataset, const std::function<void(std::string_view)>& line) override;
  Result<Fingerprint> TakeFingerprint(std::string_view dataset) override;

 private:
  explicit SqliteLedger(Database db) : db_(std::make_unique<Database>(std::move(db))) {}

  // Statements run inside the caller's transaction.
  Status Index(const Receipt& receipt, std::string_view receipt_sha256);
  Status IndexFiles(int64_t dataset, const Receipt& receipt);
  Status IndexRemoved(int64_t dataset, const Receipt& receipt);
  Status IndexCells(int64_t dataset, const Receipt& receipt);
  Status Forget(std::string_view dataset);
  Status RemoveIntent(int64_t id);
  Status AddMoves(int64_t intent_id, const std::vector<Intent::Move>& moves);

  // On the heap: statements point to it.
  std::unique_ptr<Database> db_;
};

Status CreateTables(Database& db);
// kUnsupported for a newer version, kCorrupt for another program's database.
Status CheckVersion(Database& db, const std::filesystem::path& file);
// Makes lode_replaces(newer state, newer modified, older state, older modified) known to SQL.
Status RegisterReplaces(Database& db);

}  // namespace lode::ledger
