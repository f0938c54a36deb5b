// Import: vendor files already on disk go through the whole loop into one dataset (a mixed capture into one dataset a
// schema). The same files again are a no-op that writes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/lake/lake.h"

namespace lode::lake {

struct ImportRequest {
  LakePaths paths;
  const Config* config = nullptr;   // declared datasets; a new one is appended to config->file()
  std::vector<fs::path> inputs;     // files, folders of files, batch deliveries
  std::string dataset;              // name in the lake
  std::string origin = "file";      // of the receipts: file | job
  bool no_manifest = false;         // take data files the manifest does not list
  bool in_place = false;            // record path and SHA-256 only, do not copy into landing
  bool refetch = false;             // files of days that `clean` removed from bronze are taken in again
  bool dry_run = false;             // say what would happen
  std::optional<fs::path> mapping;  // column mapping of foreign Parquet
  uint64_t memory_bytes = uint64_t{512} << 20;
};

// Told what happens, for progress bars and JSON events. Calls come from the importing thread.
class ImportObserver {
 public:
  virtual ~ImportObserver() = default;
  virtual void OnPlan(int64_t files, uint64_t bytes) = 0;               // work found, before the first unit
  virtual void OnProgress(uint64_t bytes_done, int64_t rows_done) = 0;  // raw bytes decoded, records seen
  virtual void OnNotice(const std::string& line) = 0;                   // inferred facts, drift, unresolved symbols
};

struct FailedFile {
  std::string path;
  Error error;
};

// What happened to one dataset of the lake.
struct ImportedDataset {
  std::string name, schema, vendor_dataset;
  bool declared_now = false;             // appended to lode.toml in this run
  int64_t files = 0;                     // data files that went in now
  int64_t files_planned = 0;             // data files to go in, whether or not this is a dry run
  int64_t files_unchanged = 0;           // already in the lake, byte for byte
  int64_t records = 0;                   // read, bad ones included
  int64_t rejected = 0;                  // quarantined
  int64_t duplicates = 0;                // equal rows dropped by key
  int64_t rows = 0;                      // rows of the partitions written
  int64_t partitions = 0;                // partitions written
  int64_t repaired = 0;                  // of those, lost ones written again from landing
  uint64_t bytes_in = 0, bytes_out = 0;  // raw bytes read, Parquet bytes written
};

struct ImportReport {
  std::vector<ImportedDataset> datasets;
  std::vector<FailedFile> failed;
  std::vector<std::string> planned;  // dry run: one line a unit
};

// Errors: kUsage/kConfig (bad request, dataset declared differently), kBusy, kStorage, kInterrupted; kCorrupt,
// kBadInput, kUnsupported for a delivery refused as a whole (manifest, hash, format). A file that fails on its own is
// in `failed` and the others go in.
Result<ImportReport> Import(const ImportRequest& request, ImportObserver& observer);

}  // namespace lode::lake
