#include "lode/lake/removal.h"

#include <set>

#include "lode/base/hashing.h"
#include "lode/base/log.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {

namespace {

// Folders of a dataset's layer that have become empty go, the layer's own folder stays.
Status RemoveEmptyFolders(const LakePaths& paths, const std::set<fs::path>& folders) {
  for (fs::path folder : folders) {
    while (folder.has_parent_path() && folder.parent_path().parent_path() != paths.root) {
      LODE_TRY(const bool gone, store::RemoveIfEmpty(folder));
      if (!gone) break;
      folder = folder.parent_path();
    }
    std::error_code error;
    if (fs::is_directory(folder, error)) LODE_TRY(store::SyncDirectory(folder));
  }
  return Ok();
}

}  // namespace

Status RefuseLinkedFolders(const fs::path& root, const std::string& path) {
  fs::path folder = root;
  for (const fs::path& part : fs::path(path).parent_path()) {
    folder /= part;
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(folder, error))) {
      return Fail(ErrorKind::kConfig, "{} is a symbolic link; lode deletes only below the lake itself",
                  folder.string());
    }
  }
  return Ok();
}

Status DeleteRemoved(const LakePaths& paths, std::span<const ledger::Removal> removed) {
  std::set<fs::path> folders;
  for (const ledger::Removal& removal : removed) {
    LODE_TRY(RefuseLinkedFolders(paths.root, removal.path));
    const fs::path file = paths.root / removal.path;
    const Result<std::optional<uint64_t>> size = store::FileSize(file);
    if (!size && size.error().kind == ErrorKind::kStorage) return std::unexpected(size.error());
    std::error_code error;
    if (size && !*size) {
      if (fs::is_directory(file.parent_path(), error)) folders.insert(file.parent_path());
      continue;
    }
    if (!size || **size != removal.size) {
      log::Warning("{} was to be removed and is not the file it was; it stays", removal.path);
      continue;
    }
    LODE_TRY(store::Remove(file));
    folders.insert(file.parent_path());
  }
  return RemoveEmptyFolders(paths, folders);
}

Status PublishRemoval(DatasetWriter& writer, ledger::Receipt receipt) {
  const std::string& dataset = writer.dataset();
  for (const ledger::Removal& removal : receipt.removed) {
    LODE_TRY(RefuseLinkedFolders(writer.paths().root, removal.path));
  }
  LODE_TRY(receipt.sequence, writer.ledger().NextSequence(dataset));
  const std::string text = ledger::WriteReceipt(receipt);
  if (text.size() > ledger::kMaxReceiptBytes) {
    return Fail(ErrorKind::kUnsupported, "a receipt of {} bytes; clean fewer files at once", text.size());
  }
  // What is committed is what a rebuild would read, by construction.
  LODE_TRY(const ledger::Receipt recorded, ledger::ReadReceipt(text));
  const fs::path file = writer.paths().root / ReceiptPath(dataset, recorded.sequence);
  LODE_TRY(const std::optional<uint64_t> present, store::FileSize(file));
  if (present) return Fail(ErrorKind::kCorrupt, "{} is there already; run `lode verify`", file.string());
  const fs::path temporary = writer.temporary() / "receipt.json";
  LODE_TRY(store::MakeDirectories(file.parent_path()));
  LODE_TRY(store::WriteDurable(temporary, text));
  LODE_TRY(const int64_t intent, writer.ledger().AddIntent({.dataset = dataset, .moves = {}, .receipt_text = text}));
  LODE_TRY(store::RenameNew(temporary, file));
  LODE_TRY(store::SyncDirectory(file.parent_path()));
  // The ledger forgets the files while they are there still; the intent stays until they are not.
  LODE_TRY(writer.ledger().Commit(recorded, Sha256Hex(text), 0));
  LODE_TRY(DeleteRemoved(writer.paths(), recorded.removed));
  return writer.ledger().DropIntent(intent);
}

}  // namespace lode::lake
