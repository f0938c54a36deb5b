// The ledger: an SQLite index of receipts, raw files, partitions, cells and intents at <lake>/.lode/ledger.sqlite.
// Tables and the choice of journal: docs/ledger.md.
//
// One writer per dataset (the dataset's lock); writers of different datasets wait for each other's short transactions.
// Readers take no lode lock, write nothing, and see each dataset as of one commit per call. A Ledger is used by one
// thread at a time. Errors: kStorage (disk full, read-only), kBusy (a transaction of another run took over a minute),
// kCorrupt (damaged: the text says `lode ledger rebuild`), kUnsupported (written by a newer lode).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/ledger/receipt.h"

namespace lode::ledger {

// What a publish is about to do, committed before the first rename; opening the lake finishes or drops it.
struct Intent {
  int64_t id = 0;
  std::string dataset;
  // Renames in order: raw files into landing, quarantine, partitions into bronze. Paths relative to the lake.
  struct Move {
    std::string temporary, target;
    std::string sha256;      // of the new content
    std::string old_sha256;  // of the target before; empty when it did not exist
  };
  std::vector<Move> moves;
  std::string receipt_text;  // WriteReceipt of the receipt to be
};

struct PartitionRow {
  Partition partition;
  int64_t sequence = 0;  // receipt that last wrote it
};

struct RawFileRow {
  RawFile file;
  int64_t sequence = 0;
  bool removed = false;  // by `clean`: nobody misses it in landing
};

struct RemovedRow {
  Removal removal;
  int64_t sequence = 0;
};

struct CellRow {
  Cell cell;
  int64_t sequence = 0;
};

// A cell as it is read, without a copy of its texts; valid for the call that is given it.
struct CellView {
  std::string_view symbol;
  Day day;
  CellState state = CellState::kMissing;
  std::string_view reason, proof;
  std::optional<int64_t> rows;
  std::optional<Day> modified;
  bool degraded = false;
  int64_t sequence = 0;
};
CellView ViewOf(const CellRow& row);
CellRow RowOf(const CellView& cell);

struct ReceiptRow {
  int64_t sequence = 0;
  std::string sha256;  // of the receipt file's bytes
  std::string unit, origin, finished_at;
  int64_t records = 0, rejected = 0;
};

// One dataset in the ledger at one moment.
struct Fingerprint {
  std::vector<int64_t> receipts;  // sequences, ascending
  std::vector<Intent> intents;
  std::map<std::string, std::string> rows;  // kind of row ("cell" …): SHA-256 of its lines of DumpDataset
};

// A receipt as it lies on disk.
struct StoredReceipt {
  Receipt receipt;
  std::string sha256;  // of the file's bytes
};

struct DatasetRow {
  std::string name, schema, layout;
};

// What the rows about a dataset add up to.
struct Totals {
  int64_t receipts = 0, records = 0, rejected = 0;
  int64_t partitions = 0, rows = 0;  // rows of partitions
  uint64_t partition_bytes = 0;
  uint64_t raw_bytes = 0;      // of data files, as the vendor sent them
  uint64_t landing_bytes = 0;  // of raw files in landing, those that `clean` removed left out
};

class Ledger {
 public:
  // Opens for writing, creating file and tables; finishes or undoes what a killed writer left in the file. Writes
  // nothing when there is nothing to do. kStorage on a read-only lake.
  static Result<std::unique_ptr<Ledger>> Open(const std::filesystem::path& file);
  // Opens for reading; never writes, works on a read-only lake. nullptr when there is no ledger yet.
  static Result<std::unique_ptr<Ledger>> OpenReadOnly(const std::filesystem::path& file);
  // In memory, for rebuild-and-compare and tests.
  static Result<std::unique_ptr<Ledger>> OpenInMemory();
  // Removes a ledger file that cannot be read, so that Open starts a new one. Open intents in it are lost.
  static Status Discard(const std::filesystem::path& file);
  virtual ~Ledger() = default;

  virtual Result<std::vector<DatasetRow>> Datasets() = 0;
  virtual Result<std::vector<ReceiptRow>> Receipts(std::string_view dataset) = 0;
  virtual Result<std::vector<PartitionRow>> Partitions(std::string_view dataset) = 0;
  virtual Result<std::optional<PartitionRow>> FindPartition(std::string_view dataset, std::string_view path) = 0;
  // Path and size alone, in order of path; false ends the reading. The path is valid for the call.
  virtual Status ReadPartitionSizes(std::string_view dataset,
                                    const std::function<bool(std::string_view path, uint64_t size)>& take) = 0;
  // All raw files ever received, in receipt order.
  virtual Result<std::vector<RawFileRow>> RawFiles(std::string_view dataset) = 0;
  // Those of one receipt.
  virtual Result<std::vector<RawFileRow>> RawFilesOf(std::string_view dataset, int64_t sequence) = 0;
  // What `clean` removed and no later receipt brought again, by path.
  virtual Result<std::vector<RemovedRow>> Removed(std::string_view dataset) = 0;
  // Sorted by symbol, day; optional inclusive range of days. A range of up to a month costs by the cells in it, any
  // other by those of the dataset.
  virtual Status ReadCells(std::string_view dataset, std::optional<Day> first, std::optional<Day> last,
                           const std::function<void(const CellView&)>& take) = 0;
  Result<std::vector<CellRow>> Cells(std::string_view dataset, std::optional<Day> first = {},
                                     std::optional<Day> last = {});
  // Of one symbol, by day.
  virtual Result<std::vector<CellRow>> CellsOf(std::string_view dataset, std::string_view symbol) = 0;
  virtual Result<Totals> Sum(std::string_view dataset) = 0;
  virtual Result<std::vector<Intent>> Intents(std::string_view dataset) = 0;
  virtual Result<int64_t> NextSequence(std::string_view dataset) = 0;

  // Publish protocol (lake/publish.h). Each is one durable transaction.
  virtual Result<int64_t> AddIntent(const Intent& intent) = 0;
  virtual Status DropIntent(int64_t id) = 0;
  // Indexes a receipt whose file is durable and drops `intent_id` (0: none).
  virtual Status Commit(const Receipt& receipt, std::string_view receipt_sha256, int64_t intent_id) = 0;
  // Forgets what is known of `dataset` and indexes the receipts `next` yields (nullopt: the end), in one transaction:
  // readers see the old or the new index. Open intents stay.
  virtual Status Reindex(std::string_view dataset,
                         const std::function<Result<std::optional<StoredReceipt>>()>& next) = 0;
  // Forgets everything, open intents too.
  virtual Status Clear() = 0;

  // Calls `line` with a text line for each row about `dataset` (its entry, receipts, raw files, partitions, cells), in
  // key order: equal ledgers give equal lines.
  virtual Status DumpDataset(std::string_view dataset, const std::function<void(std::string_view)>& line) = 0;
  // All of it as of one commit: what other runs do meanwhile is not half in it.
  virtual Result<Fingerprint> TakeFingerprint(std::string_view dataset) = 0;
  // The lines of all datasets, for comparing two ledgers.
  Result<std::string> Dump();
};

// How a newer receipt's cell treats an older one: a settled cell is not undone by a delivery that merely lacks it.
// Both commit and rebuild go through this, so that they agree.
bool Replaces(const Cell& newer, const Cell& older);

}  // namespace lode::ledger
