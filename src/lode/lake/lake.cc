#include "lode/lake/lake.h"

#include "lode/lake/recover.h"

namespace lode::lake {

namespace {

// Recovery deletes below .lode/tmp: in a stranger's lake that must not be somebody's home folder.
Status RefuseLinks(const LakePaths& paths, std::string_view dataset) {
  for (const fs::path& path : {paths.temporary().parent_path(), paths.temporary(), paths.temporary() / dataset,
                               paths.locks(), paths.ledger()}) {
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(path, error))) {
      return Fail(ErrorKind::kConfig, "{} is a symbolic link; lode writes only below the lake", path.string());
    }
  }
  return Ok();
}

}  // namespace

Status CreateLake(const LakePaths& paths) {
  for (const fs::path& folder :
       {paths.temporary(), paths.locks(), paths.root / "bronze", paths.root / "landing", paths.root / "receipts"}) {
    LODE_TRY(store::MakeDirectories(folder));
  }
  return Ok();
}

Result<DatasetWriter> DatasetWriter::Open(const LakePaths& paths, std::string_view dataset) {
  if (!store::IsPlainRelativePath(dataset) || dataset.find('/') != std::string_view::npos) {
    return Fail(ErrorKind::kUsage, "'{}' is not a dataset name", dataset);
  }
  LODE_TRY(RefuseLinks(paths, dataset));
  LODE_TRY(CreateLake(paths));
  LODE_TRY(store::FileLock lock, store::FileLock::Acquire(paths.locks() / fmt::format("{}.lock", dataset),
                                                          fmt::format("dataset {}", dataset)));
  LODE_TRY(store::MakeDirectories(paths.temporary() / dataset));
  LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::Open(paths.ledger()));
  LODE_TRY(RecoverIntents(paths, dataset, *ledger));
  LODE_TRY(IndexNewReceipts(paths, dataset, *ledger));
  LODE_TRY(RemoveTemporaries(paths, dataset, *ledger));
  return DatasetWriter(paths, std::string(dataset), std::move(lock), std::move(ledger));
}

void DatasetWriter::DropTemporaries() { (void)RemoveTemporaries(paths_, dataset_, *ledger_); }

}  // namespace lode::lake
