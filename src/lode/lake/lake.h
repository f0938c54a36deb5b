// A lake on disk: where things lie, who may write, and what an interrupted run left behind. Layout: docs/layout.md.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/ledger/ledger.h"
#include "lode/store/local_disk.h"

namespace lode::lake {

namespace fs = std::filesystem;

// Folders of a lake, all below its root.
struct LakePaths {
  fs::path root;
  fs::path ledger() const { return root / ".lode" / "ledger.sqlite"; }
  fs::path temporary() const { return root / ".lode" / "tmp"; }
  fs::path locks() const { return root / ".lode" / "locks"; }
  fs::path logs() const { return root / ".lode" / "logs"; }
  fs::path pins() const { return root / ".lode" / "pins"; }
  fs::path bronze(std::string_view dataset) const { return root / "bronze" / dataset; }
  fs::path landing(std::string_view dataset) const { return root / "landing" / dataset; }
  fs::path receipts(std::string_view dataset) const { return root / "receipts" / dataset; }
  fs::path quarantine(std::string_view dataset) const { return root / "quarantine" / dataset; }
  fs::path duckdb() const { return root / "lake.duckdb"; }
};

// Creates the folders of an empty lake; existing ones stay as they are.
Status CreateLake(const LakePaths& paths);

// The right to write one dataset: its lock, an open ledger, and the promise that no interrupted publish is left.
class DatasetWriter {
 public:
  // Takes the lock (kBusy when another run holds it), opens the ledger, finishes or drops open intents, indexes
  // receipts the ledger does not know, removes temporaries of dead runs of this dataset. Writes nothing when there is
  // nothing to do. kCorrupt when the ledger is damaged or names a receipt that is gone.
  static Result<DatasetWriter> Open(const LakePaths& paths, std::string_view dataset);

  const LakePaths& paths() const { return paths_; }
  const std::string& dataset() const { return dataset_; }
  ledger::Ledger& ledger() { return *ledger_; }
  // Folder for this run's temporaries: <lake>/.lode/tmp/<dataset>. Same file system as bronze.
  fs::path temporary() const { return paths_.temporary() / dataset_; }
  // After a failed unit: removes its temporaries, except those an open intent still needs. As far as possible.
  void DropTemporaries();

 private:
  DatasetWriter(LakePaths paths, std::string dataset, store::FileLock lock, std::unique_ptr<ledger::Ledger> ledger)
      : paths_(std::move(paths)), dataset_(std::move(dataset)), lock_(std::move(lock)), ledger_(std::move(ledger)) {}
  LakePaths paths_;
  std::string dataset_;
  store::FileLock lock_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

// A finished temporary waiting to be published. Both paths are relative to the lake's root: below .lode/tmp/<dataset>/
// and below landing/, bronze/ or quarantine/<dataset>/.
struct StagedFile {
  std::string temporary, target;
  std::string sha256;
  // Hash of the target it replaces, ours or not; empty: the target must not exist, unless it holds these very bytes
  // already.
  std::string old_sha256;
};

// Publishes staged files and their receipt: intent, renames, folder fsyncs, receipt file, ledger commit. Every
// temporary must already be written and fsynced. After a kill at any instant the next DatasetWriter::Open leaves either
// the state before or the state after. Sets receipt.sequence.
//
// On an error (kStorage: disk full, read-only; kCorrupt: a target is not what old_sha256 says) the state before is
// brought back and the temporaries are removed; where even that fails, the next Open decides.
Status Publish(DatasetWriter& writer, const std::vector<StagedFile>& files, ledger::Receipt receipt);

}  // namespace lode::lake
