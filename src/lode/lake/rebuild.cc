#include <algorithm>
#include <set>
#include <unordered_set>

#include "lode/base/log.h"
#include "lode/lake/receipt_folder.h"
#include "lode/lake/recover.h"
#include "lode/lake/verify.h"

namespace lode::lake {

namespace {

// Opens the ledger and finishes what killed runs left, as far as the old file can still be read; a file that cannot is
// replaced by an empty one. The caller holds the locks of all `datasets`.
Result<std::unique_ptr<ledger::Ledger>> OpenForRebuild(const LakePaths& paths, const std::set<std::string>& datasets) {
  const auto open = [&]() -> Result<std::unique_ptr<ledger::Ledger>> {
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::Open(paths.ledger()));
    for (const std::string& dataset : datasets) LODE_TRY(RecoverIntents(paths, dataset, *ledger));
    // Reads every page that Reindex will touch.
    LODE_TRY(ledger->Dump());
    return ledger;
  };
  Result<std::unique_ptr<ledger::Ledger>> ledger = open();
  if (ledger || ledger.error().kind != ErrorKind::kCorrupt) return ledger;
  log::Warning("{}; starting a new one", ledger.error().ToString());
  LODE_TRY(ledger::Ledger::Discard(paths.ledger()));
  return ledger::Ledger::Open(paths.ledger());
}

Result<std::set<std::string>> DatasetsToRebuild(const LakePaths& paths) {
  std::set<std::string> names;
  for (const fs::path& layer : {paths.root / "receipts", paths.root / "bronze", paths.temporary()}) {
    LODE_TRY(const std::vector<std::string> folders, SubFolders(layer));
    names.insert(folders.begin(), folders.end());
  }
  // A ledger that cannot be read has no say.
  const Result<std::unique_ptr<ledger::Ledger>> ledger = ledger::Ledger::OpenReadOnly(paths.ledger());
  if (!ledger || *ledger == nullptr) return names;
  const Result<std::vector<ledger::DatasetRow>> rows = (*ledger)->Datasets();
  if (!rows) return names;
  for (const ledger::DatasetRow& row : *rows) names.insert(row.name);
  return names;
}

Status RebuildDataset(const LakePaths& paths, const std::string& dataset, ledger::Ledger& ledger,
                      RebuildReport* report) {
  LODE_TRY(const ReceiptFolder folder, ListReceipts(paths, dataset));
  size_t index = 0;
  LODE_TRY(ledger.Reindex(dataset, [&]() -> Result<std::optional<ledger::StoredReceipt>> {
    if (index == folder.sequences.size()) return std::nullopt;
    return ReadStoredReceipt(paths, dataset, folder.sequences[index++]);
  }));
  if (!folder.sequences.empty()) ++report->datasets;
  report->receipts += static_cast<int64_t>(folder.sequences.size());
  LODE_TRY(ledger.ReadCells(dataset, {}, {}, [&](const ledger::CellView&) { ++report->cells; }));
  std::unordered_set<std::string> named;
  LODE_TRY(ledger.ReadPartitionSizes(dataset, [&](std::string_view path, uint64_t) {
    named.emplace(path);
    return true;
  }));
  LODE_TRY(const std::vector<store::FileInfo> files, store::List(paths.bronze(dataset)));
  for (const store::FileInfo& file : files) {
    if (!named.contains(file.path)) report->unpublished.push_back(fmt::format("bronze/{}/{}", dataset, file.path));
  }
  return Ok();
}

}  // namespace

Result<RebuildReport> RebuildLedger(const LakePaths& paths) {
  std::error_code error;
  if (!fs::is_directory(paths.root, error)) {
    return Fail(ErrorKind::kNotFound, "there is no lake at {}", paths.root.string());
  }
  LODE_TRY(CreateLake(paths));
  LODE_TRY(const std::set<std::string> datasets, DatasetsToRebuild(paths));
  std::vector<store::FileLock> locks;
  for (const std::string& dataset : datasets) {
    LODE_TRY(store::FileLock lock, store::FileLock::Acquire(paths.locks() / fmt::format("{}.lock", dataset),
                                                            fmt::format("dataset {}", dataset)));
    locks.push_back(std::move(lock));
  }
  LODE_TRY(const std::unique_ptr<ledger::Ledger> ledger, OpenForRebuild(paths, datasets));
  RebuildReport report;
  for (const std::string& dataset : datasets) LODE_TRY(RebuildDataset(paths, dataset, *ledger, &report));
  std::ranges::sort(report.unpublished);
  return report;
}

}  // namespace lode::lake
