// The ledger: an SQLite index of receipts, raw files, partitions, cells, intents and runs at
// <lake>/.lode/ledger.sqlite. One writer per dataset (the dataset's lock); readers never lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
};

struct CellRow {
  Cell cell;
  int64_t sequence = 0;
};

struct ReceiptRow {
  int64_t sequence = 0;
  std::string sha256;  // of the receipt file's bytes
  std::string unit, origin, finished_at;
  int64_t records = 0, rejected = 0;
};

struct DatasetRow {
  std::string name, schema, layout;
};

class Ledger {
 public:
  // Opens for writing, creating file and tables. kStorage on a read-only lake.
  static Result<std::unique_ptr<Ledger>> Open(const std::filesystem::path& file);
  // Opens for reading; never writes, works on a read-only lake. nullptr when there is no ledger yet.
  static Result<std::unique_ptr<Ledger>> OpenReadOnly(const std::filesystem::path& file);
  // In memory, for rebuild-and-compare and tests.
  static Result<std::unique_ptr<Ledger>> OpenInMemory();
  virtual ~Ledger() = default;

  virtual Result<std::vector<DatasetRow>> Datasets() = 0;
  virtual Result<std::vector<ReceiptRow>> Receipts(std::string_view dataset) = 0;
  virtual Result<std::vector<PartitionRow>> Partitions(std::string_view dataset) = 0;
  // All raw files ever received, in receipt order.
  virtual Result<std::vector<RawFileRow>> RawFiles(std::string_view dataset) = 0;
  // Sorted by symbol, day; optional inclusive range of days.
  virtual Result<std::vector<CellRow>> Cells(std::string_view dataset, std::optional<Day> first = {},
                                             std::optional<Day> last = {}) = 0;
  virtual Result<std::vector<Intent>> Intents(std::string_view dataset) = 0;
  virtual Result<int64_t> NextSequence(std::string_view dataset) = 0;

  // Publish protocol (lake/publish.h). Each is one durable transaction.
  virtual Result<int64_t> AddIntent(const Intent& intent) = 0;
  virtual Status DropIntent(int64_t id) = 0;
  // Indexes a receipt whose file is durable and drops `intent_id` (0: none).
  virtual Status Commit(const Receipt& receipt, std::string_view receipt_sha256, int64_t intent_id) = 0;
  // Forgets everything but runs (rebuild).
  virtual Status Clear() = 0;

  // Text dump of datasets, receipts, raw files, partitions and cells, for comparing two ledgers.
  virtual Result<std::string> Dump() = 0;
};

// How a newer receipt's cell treats an older one: a settled cell is not undone by a delivery that merely lacks it.
// Both commit and rebuild go through this, so that they agree.
bool Replaces(const Cell& newer, const Cell& older);

}  // namespace lode::ledger
