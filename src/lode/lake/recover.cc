#include "lode/lake/recover.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "lode/base/hashing.h"
#include "lode/base/log.h"
#include "lode/lake/moves.h"
#include "lode/lake/receipt_folder.h"
#include "lode/lake/removal.h"

namespace lode::lake {

namespace {

class Recovery {
 public:
  Recovery(const LakePaths& paths, ledger::Ledger& ledger, const ledger::Intent& intent)
      : paths_(paths), ledger_(ledger), intent_(intent) {}

  Status Run();

 private:
  Result<bool> CanFinish();
  Status Finish();
  Status TakeBack();

  const LakePaths& paths_;
  ledger::Ledger& ledger_;
  const ledger::Intent& intent_;
  std::vector<MoveState> states_;
  ledger::Receipt receipt_;
  bool receipt_there_ = false;  // its file is durable, byte for byte
};

Status Recovery::Run() {
  for (const Move& move : intent_.moves) {
    if (Status checked = CheckPaths(intent_.dataset, move); !checked) {
      return Fail(ErrorKind::kCorrupt, "ledger: {}; run `lode ledger rebuild`", checked.error().message);
    }
    LODE_TRY(const MoveState state, StateOf(paths_.root, move));
    states_.push_back(state);
  }
  LODE_TRY(const bool can_finish, CanFinish());
  if (can_finish) return Finish();
  return TakeBack();
}

Result<bool> Recovery::CanFinish() {
  Result<ledger::Receipt> receipt = ledger::ReadReceipt(intent_.receipt_text);
  if (!receipt || receipt->dataset != intent_.dataset) return false;
  receipt_ = *std::move(receipt);
  const fs::path file = paths_.root / ReceiptPath(intent_.dataset, receipt_.sequence);
  LODE_TRY(const std::string present, HashIfThere(file));
  receipt_there_ = present == Sha256Hex(intent_.receipt_text);
  // The receipt is the truth: once it is there the publish is over, whatever happened to its files since.
  if (receipt_there_) return true;
  LODE_TRY(const int64_t next, ledger_.NextSequence(intent_.dataset));
  return present.empty() && receipt_.sequence >= next && std::ranges::find(states_, MoveState::kLost) == states_.end();
}

Status Recovery::Finish() {
  LODE_TRY(MakeTargetFolders(paths_.root, intent_.moves));
  for (size_t i = 0; i < states_.size(); ++i) {
    bool undoable = true;
    if (states_[i] == MoveState::kBefore) LODE_TRY(MoveIn(paths_.root, intent_.moves[i], &undoable));
  }
  LODE_TRY(SyncTargetFolders(paths_.root, intent_.moves));
  const fs::path file = paths_.root / ReceiptPath(intent_.dataset, receipt_.sequence);
  if (!receipt_there_) {
    LODE_TRY(store::MakeDirectories(file.parent_path()));
    LODE_TRY(store::ReplaceDurable(file, intent_.receipt_text, paths_.temporary() / intent_.dataset));
  } else {
    LODE_TRY(store::SyncDirectory(file.parent_path()));
  }
  log::Info("{}: finished the interrupted publish of {}", intent_.dataset, receipt_.unit);
  LODE_TRY(const std::vector<ledger::ReceiptRow> known, ledger_.Receipts(intent_.dataset));
  const bool indexed = std::ranges::find(known, receipt_.sequence, &ledger::ReceiptRow::sequence) != known.end();
  if (!receipt_.removed.empty()) {
    // The ledger first: it must not call present what is being deleted.
    if (!indexed) LODE_TRY(ledger_.Commit(receipt_, Sha256Hex(intent_.receipt_text), 0));
    LODE_TRY(DeleteRemoved(paths_, receipt_.removed));
    return ledger_.DropIntent(intent_.id);
  }
  if (indexed) return ledger_.DropIntent(intent_.id);
  return ledger_.Commit(receipt_, Sha256Hex(intent_.receipt_text), intent_.id);
}

Status Recovery::TakeBack() {
  for (size_t i = states_.size(); i-- > 0;) {
    if (states_[i] != MoveState::kDone) continue;
    LODE_TRY(const bool back, MoveBack(paths_.root, intent_.moves[i]));
    if (!back) {
      log::Warning("{}: {} was replaced by a publish that cannot be finished and its old version is gone; import again",
                   intent_.dataset, intent_.moves[i].target);
    }
  }
  LODE_TRY(MakeTargetFolders(paths_.root, intent_.moves));
  LODE_TRY(SyncTargetFolders(paths_.root, intent_.moves));
  log::Info("{}: dropped an interrupted publish", intent_.dataset);
  return ledger_.DropIntent(intent_.id);
}

// The whole dataset again, in order.
Status ReindexAll(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger,
                  const std::vector<int64_t>& sequences) {
  size_t index = 0;
  return ledger.Reindex(dataset, [&]() -> Result<std::optional<ledger::StoredReceipt>> {
    if (index == sequences.size()) return std::nullopt;
    LODE_TRY(ledger::StoredReceipt stored, ReadStoredReceipt(paths, dataset, sequences[index++]));
    return stored;
  });
}

}  // namespace

Status RecoverIntents(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger) {
  LODE_TRY(const std::vector<ledger::Intent> intents, ledger.Intents(dataset));
  for (const ledger::Intent& intent : intents) {
    Status status = Recovery(paths, ledger, intent).Run();
    if (!status) return std::unexpected(std::move(status).error().With("finishing an interrupted publish"));
  }
  return Ok();
}

Status IndexNewReceipts(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger) {
  LODE_TRY(const ReceiptFolder folder, ListReceipts(paths, dataset));
  LODE_TRY(const std::vector<ledger::ReceiptRow> rows, ledger.Receipts(dataset));
  std::vector<int64_t> known;
  for (const ledger::ReceiptRow& row : rows) known.push_back(row.sequence);
  if (known == folder.sequences) return Ok();
  std::vector<int64_t> gone, fresh;
  std::ranges::set_difference(known, folder.sequences, std::back_inserter(gone));
  std::ranges::set_difference(folder.sequences, known, std::back_inserter(fresh));
  if (!gone.empty()) {
    return Fail(ErrorKind::kCorrupt, "{} is gone; bring it back, or run `lode ledger rebuild` to forget it",
                ReceiptPath(dataset, gone.front()));
  }
  log::Info("{}: indexing {} receipts the ledger does not know", dataset, fresh.size());
  return ReindexAll(paths, dataset, ledger, folder.sequences);
}

void FinishInterrupted(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger) {
  const auto intents = ledger.Intents(dataset);
  const auto files = store::ListEverything(paths.temporary() / dataset);
  const bool any = (intents && !intents->empty()) || (files && !files->empty());
  if (!any) return;
  if (const auto writer = DatasetWriter::Open(paths, dataset); !writer) {
    log::Debug("{}: what a killed run left waits for the next run: {}", dataset, writer.error().ToString());
  }
}

Status RemoveTemporaries(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger) {
  const fs::path folder = paths.temporary() / dataset;
  LODE_TRY(const std::vector<store::FileInfo> files, store::ListEverything(folder));
  if (files.empty()) return Ok();
  LODE_TRY(const std::vector<ledger::Intent> intents, ledger.Intents(dataset));
  std::set<fs::path> needed;
  for (const ledger::Intent& intent : intents) {
    for (const Move& move : intent.moves) needed.insert(paths.root / move.temporary);
  }
  for (const store::FileInfo& file : files) {
    if (!needed.contains(folder / file.path)) LODE_TRY(store::Remove(folder / file.path));
  }
  return Ok();
}

}  // namespace lode::lake
