// Receipts: the append-only record of what a unit brought. They and the lake's files are the truth; the ledger is an
// index made again from them. Format: docs/ledger.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode::ledger {

enum class CellState {
  kComplete,
  kEmpty,
  kClosed,
  kNotListed,
  kNotEntitled,
  kPending,
  kPartial,
  kMissing,
  kFailed,
  kStale,
  kExpired,
};
std::string_view Name(CellState state);
Result<CellState> ParseCellState(std::string_view name);
// complete, empty, closed, not_listed, not_entitled and expired are not work.
bool IsSettled(CellState state);

// Whether the lake holds rows of such a cell: complete, partial and stale ones.
bool HoldsRows(CellState state);

// One (symbol or group, day) of the receipt's dataset.
struct Cell {
  std::string symbol;  // requested symbol, or the group of a file without a request ("glbx-mdp3.trades")
  Day day;
  CellState state = CellState::kMissing;
  std::string reason;  // why it is not complete; empty for complete
  // What complete rests on: "manifest", "stream", "file end", or a VersionProof.
  std::string proof;
  std::optional<int64_t> rows;  // unknown where rows cannot be told apart by symbol
  std::optional<Day> modified;  // vendor's last_modified_date
  bool degraded = false;        // vendor's condition list says so
  bool operator==(const Cell&) const = default;
};

// The proof of a cell whose bytes came whole and are one version of an object at the vendor: "object 5d41402abc4b2a76".
std::string VersionProof(std::string_view version);
bool IsVersionProof(std::string_view proof);

// A vendor file the unit read.
struct RawFile {
  std::string name;    // file name as delivered
  std::string landed;  // path relative to the lake, or the absolute path of an --in-place import
  bool in_place = false;
  uint64_t size = 0;
  std::string sha256;
  std::string role;  // "data" | "metadata" | "manifest" | "condition" | "symbology" | "other"
  // How to decode it again (data files): "dbn" | "dbn.frag" | "csv" | "ndjson" | "parquet", and its facts.
  std::string encoding;
  std::string schema;
  std::optional<bool> pretty_px, pretty_ts;
  std::string mapping;  // column mapping of foreign Parquet, as TOML text
  bool operator==(const RawFile&) const = default;
};

struct Partition {
  std::string path;  // relative to bronze/<dataset>/
  uint64_t size = 0;
  std::string sha256;
  int64_t rows = 0;
  std::string min_key, max_key;  // first and last row's order key, as text
  std::string replaces;          // sha256 of the version it replaced; empty for a new file
  bool operator==(const Partition&) const = default;
};

// A file that `lode clean` takes out of the lake: recorded first, deleted after.
struct Removal {
  std::string path;  // relative to the lake: below landing/<dataset>/ or bronze/<dataset>/
  uint64_t size = 0;
  std::string sha256;
  bool operator==(const Removal&) const = default;
};

struct Receipt {
  int64_t sequence = 0;  // 1, 2, … within the dataset: later wins
  std::string dataset, schema;
  int schema_version = 1;
  std::string layout;
  std::string origin;   // "file" | "api" | "job" | "repair" | "clean"
  std::string unit;     // what it was, for people: file name or delivery id
  std::string request;  // the request as JSON text; for files the delivery's own metadata query
  int attempts = 1;
  std::string started_at, finished_at;  // ISO-8601
  std::string program;                  // lode version
  std::vector<RawFile> raw_files;
  std::vector<Partition> partitions;
  std::vector<Cell> cells;
  std::vector<Removal> removed;  // of `clean`, which names neither raw files nor partitions
  int64_t records = 0;           // read from the raw files
  int64_t rejected = 0;          // of those, quarantined
  std::string quarantine;        // path relative to the lake; empty when nothing was
  int64_t duplicates = 0;        // equal rows dropped by key (bars)
  bool operator==(const Receipt&) const = default;
};

// File name under receipts/<dataset>/: "00000001.json".
std::string ReceiptFileName(int64_t sequence);
// The sequence in a receipt file's name; nullopt for any other name.
std::optional<int64_t> ReceiptSequence(std::string_view file_name);

// More cells than this in one receipt are refused by ReadReceipt: a few bytes of JSON can name a million days.
inline constexpr int64_t kMaxReceiptCells = 4'000'000;
// Largest receipt file that is read.
inline constexpr uint64_t kMaxReceiptBytes = uint64_t{64} << 20;

// Sorts by symbol and day and folds several cells of one (symbol, day) with Replaces (ledger.h).
void SortCells(std::vector<Cell>* cells);

// Canonical JSON text (sorted keys, cells sorted and run-length grouped, a trailing "sha256" over the rest): the same
// receipt gives the same bytes. ReadReceipt gives it back with SortCells applied.
std::string WriteReceipt(Receipt receipt);
// kCorrupt when the text is not a receipt or its own checksum does not match: any single flipped bit is found.
// kUnsupported when a newer lode wrote it. Paths of a receipt that was read stay below the lake (in-place files aside).
Result<Receipt> ReadReceipt(std::string_view text);

}  // namespace lode::ledger
