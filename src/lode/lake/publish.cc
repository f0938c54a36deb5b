#include <algorithm>
#include <map>
#include <set>

#include "lode/base/hashing.h"
#include "lode/base/log.h"
#include "lode/lake/lake.h"
#include "lode/lake/moves.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {

namespace {

// One publish from checks to commit, or back to where it began.
class Publishing {
 public:
  explicit Publishing(DatasetWriter& writer) : writer_(writer), root_(writer.paths().root) {}

  // Nothing in the lake but temporaries and empty folders is touched.
  Status Prepare(const std::vector<StagedFile>& files, ledger::Receipt receipt);
  Status AddIntent() {
    LODE_TRY(intent_.id, writer_.ledger().AddIntent(intent_));
    return Ok();
  }
  Status Apply();
  // After a failed Apply: brings the state before back. `error` is what Publish answers, unless the commit turns out to
  // have gone through.
  Status Undo(Error error);
  void RemoveTemporaries();

 private:
  Status CheckTarget(Move* move) const;
  Result<bool> IsKnown(const Move& move, uint64_t size) const;
  // The ledger still holds the intent.
  Result<bool> IsOpen() const;
  // Takes the renames back. False: not all of them can go back, and nothing was done.
  Result<bool> Revert();

  DatasetWriter& writer_;
  const fs::path root_;
  ledger::Intent intent_;
  ledger::Receipt receipt_;  // as it reads back from its text
  std::string receipt_sha256_;
  fs::path receipt_temporary_, receipt_file_;
  size_t moved_ = 0;  // the first so many moves are done
  bool receipt_written_ = false;
  bool undoable_ = true;
};

// A version that the ledger knows, in size too.
Result<bool> Publishing::IsKnown(const Move& move, uint64_t size) const {
  const std::string folder = fmt::format("bronze/{}/", writer_.dataset());
  if (!move.target.starts_with(folder)) return false;
  LODE_TRY(const auto row,
           writer_.ledger().FindPartition(writer_.dataset(), std::string_view(move.target).substr(folder.size())));
  return row && row->partition.sha256 == move.old_sha256 && row->partition.size == size;
}

// The target must be what the caller believes it replaces. A version the ledger knows is compared by size (the caller
// has just read it to merge), anything else by hash.
Status Publishing::CheckTarget(Move* move) const {
  const fs::path path = root_ / move->target;
  Result<std::optional<uint64_t>> size = store::FileSize(path);
  if (!size && size.error().kind == ErrorKind::kBadInput) {
    return Fail(ErrorKind::kCorrupt, "{}; move it away", size.error().message);
  }
  LODE_TRY(size);
  // A quarantine file under this number is a leftover of a receipt that is gone.
  const bool any_content = move->target.starts_with("quarantine/");
  if (!*size) {
    if (move->old_sha256.empty() || any_content) {
      move->old_sha256.clear();
      return Ok();
    }
    return Fail(ErrorKind::kCorrupt, "{} vanished while its new version was made", move->target);
  }
  LODE_TRY(const bool is_known, IsKnown(*move, **size));
  if (is_known) return Ok();
  LODE_TRY(const std::string present, HashIfThere(path));
  if (any_content || present == move->sha256 || present == move->old_sha256) {
    move->old_sha256 = present;
    return Ok();
  }
  return Fail(ErrorKind::kCorrupt, "{} is there already and is not the version that is to be replaced; move it away",
              move->target);
}

Status Publishing::Prepare(const std::vector<StagedFile>& files, ledger::Receipt receipt) {
  const std::string& dataset = writer_.dataset();
  for (const StagedFile& file : files) {
    intent_.moves.push_back({file.temporary, file.target, file.sha256, file.old_sha256});
  }
  receipt_temporary_ = writer_.temporary() / "receipt.json";
  if (receipt.dataset != dataset) {
    return Fail(ErrorKind::kInternal, "a receipt of dataset {} for {}", receipt.dataset, dataset);
  }
  std::set<std::string_view> targets;
  for (Move& move : intent_.moves) {
    LODE_TRY(CheckPaths(dataset, move));
    if (!targets.insert(move.target).second) return Fail(ErrorKind::kInternal, "{} published twice", move.target);
    LODE_TRY(const std::optional<uint64_t> staged, store::FileSize(root_ / move.temporary));
    if (!staged) return Fail(ErrorKind::kInternal, "temporary {} of {} is not there", move.temporary, move.target);
    LODE_TRY(CheckTarget(&move));
  }
  LODE_TRY(receipt.sequence, writer_.ledger().NextSequence(dataset));
  intent_.dataset = dataset;
  intent_.receipt_text = ledger::WriteReceipt(std::move(receipt));
  if (intent_.receipt_text.size() > ledger::kMaxReceiptBytes) {
    return Fail(ErrorKind::kUnsupported, "a receipt of {} bytes; import fewer files at once",
                intent_.receipt_text.size());
  }
  // What is committed is what a rebuild would read, by construction.
  LODE_TRY(receipt_, ledger::ReadReceipt(intent_.receipt_text));
  receipt_sha256_ = Sha256Hex(intent_.receipt_text);
  receipt_file_ = root_ / ReceiptPath(dataset, receipt_.sequence);
  LODE_TRY(const std::optional<uint64_t> present, store::FileSize(receipt_file_));
  if (present) return Fail(ErrorKind::kCorrupt, "{} is there already; run `lode verify`", receipt_file_.string());
  // Whatever needs room on the disk comes before the intent, so that a full disk changes nothing.
  LODE_TRY(MakeTargetFolders(root_, intent_.moves));
  LODE_TRY(store::MakeDirectories(receipt_file_.parent_path()));
  LODE_TRY(store::WriteDurable(receipt_temporary_, intent_.receipt_text));
  return store::SyncDirectory(writer_.temporary());
}

Status Publishing::Apply() {
  for (const Move& move : intent_.moves) {
    bool undoable = true;
    LODE_TRY(MoveIn(root_, move, &undoable));
    undoable_ = undoable_ && undoable;
    ++moved_;
  }
  LODE_TRY(SyncTargetFolders(root_, intent_.moves));
  LODE_TRY(store::RenameNew(receipt_temporary_, receipt_file_));
  receipt_written_ = true;
  LODE_TRY(store::SyncDirectory(receipt_file_.parent_path()));
  return writer_.ledger().Commit(receipt_, receipt_sha256_, intent_.id);
}

// Receipt first, so that at no instant a receipt names a version that is not there.
Result<bool> Publishing::Revert() {
  if (!undoable_) return false;
  if (receipt_written_) {
    LODE_TRY(store::Rename(receipt_file_, receipt_temporary_));
    LODE_TRY(store::SyncDirectory(receipt_file_.parent_path()));
  }
  for (; moved_ > 0; --moved_) {
    LODE_TRY(const bool back, MoveBack(root_, intent_.moves[moved_ - 1]));
    if (!back) return false;
  }
  LODE_TRY(SyncTargetFolders(root_, intent_.moves));
  return true;
}

Result<bool> Publishing::IsOpen() const {
  Result<std::vector<ledger::Intent>> open = writer_.ledger().Intents(writer_.dataset());
  if (!open) {
    // No room even to roll the failed transaction back: a reader does that in a private copy.
    LODE_TRY(const std::unique_ptr<ledger::Ledger> reader, ledger::Ledger::OpenReadOnly(writer_.paths().ledger()));
    if (reader == nullptr) return std::unexpected(std::move(open).error());
    open = reader->Intents(writer_.dataset());
    LODE_TRY(open);
  }
  return std::ranges::any_of(*open, [&](const ledger::Intent& other) { return other.id == intent_.id; });
}

Status Publishing::Undo(Error error) {
  const auto undo = [&]() -> Result<bool> {
    // A commit that reported an error may still have become durable.
    LODE_TRY(const bool open, IsOpen());
    if (!open) return true;
    LODE_TRY(const bool reverted, Revert());
    if (!reverted) return false;
    LODE_TRY(writer_.ledger().DropIntent(intent_.id));
    RemoveTemporaries();
    return false;
  };
  const Result<bool> committed = undo();
  if (committed && *committed) {
    RemoveTemporaries();
    return Ok();
  }
  if (!committed) {
    log::Warning("{}: an interrupted publish is left for the next run to finish or drop: {}", writer_.dataset(),
                 committed.error().ToString());
  }
  return std::unexpected(std::move(error));
}

// Old versions that were exchanged, moves that were in place already, everything after an undo.
void Publishing::RemoveTemporaries() {
  for (const Move& move : intent_.moves) {
    if (store::IsPlainRelativePath(move.temporary)) (void)store::Remove(root_ / move.temporary);
  }
  (void)store::Remove(receipt_temporary_);
}

}  // namespace

Status Publish(DatasetWriter& writer, const std::vector<StagedFile>& files, ledger::Receipt receipt) {
  Publishing publishing(writer);
  Status prepared = publishing.Prepare(files, std::move(receipt));
  if (prepared) prepared = publishing.AddIntent();
  if (!prepared) {
    publishing.RemoveTemporaries();
    return prepared;
  }
  if (Status applied = publishing.Apply(); !applied) return publishing.Undo(std::move(applied).error());
  publishing.RemoveTemporaries();
  return Ok();
}

}  // namespace lode::lake
