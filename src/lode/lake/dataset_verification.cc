#include "lode/lake/dataset_verification.h"

#include <algorithm>
#include <set>

#include "lode/base/stop.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {

namespace {

using Severity = Finding::Severity;

constexpr std::string_view kBeingPublished = "being published, or left so by a killed run; the next run ends it";

}  // namespace

Status DatasetVerification::Run(VerifyReport* report) {
  LODE_TRY(CheckIndex());
  // Receipts that come meanwhile change the map: by key, not by iterator.
  std::string path;
  for (auto next = expected_.begin(); next != expected_.end(); next = expected_.upper_bound(path)) {
    path = next->first;
    LODE_TRY(CheckStop());
    LODE_TRY(CheckFile(path));
  }
  LODE_TRY(FindStrays());
  report->files_checked += report_.files_checked;
  report->bytes_checked += report_.bytes_checked;
  std::ranges::move(report_.findings, std::back_inserter(report->findings));
  return Ok();
}

Status DatasetVerification::CheckIndex() {
  LODE_TRY(const ReceiptFolder folder, ListReceipts(paths_, dataset_));
  for (const std::string& stray : folder.strays) {
    Add(Severity::kDamage, fmt::format("receipts/{}/{}", dataset_, stray), "not a receipt");
  }
  NameGaps(folder.sequences);
  LODE_TRY(index_, ledger::Ledger::OpenInMemory());
  if (ledger_ != nullptr) LODE_TRY(CompareLedger(folder.sequences));
  // Receipts the ledger does not know; in order, should they not come after the others.
  const bool in_order = taken_.empty() || std::ranges::all_of(folder.sequences, [&](int64_t sequence) {
                          return taken_.contains(sequence) || sequence > taken_.rbegin()->first;
                        });
  if (!in_order) {
    LODE_TRY(index_->Clear());
    std::erase_if(taken_, [](const auto& entry) { return entry.second; });
    expected_.clear();
    removed_.clear();
  }
  for (const int64_t sequence : folder.sequences) LODE_TRY(TakeReceipt(sequence));
  return Ok();
}

void DatasetVerification::NameGaps(const std::vector<int64_t>& sequences) {
  int64_t next = 1;
  for (const int64_t sequence : sequences) {
    if (next < sequence) {
      const std::string last = sequence - next > 1 ? fmt::format(" to {}", ledger::ReceiptFileName(sequence - 1)) : "";
      Add(Severity::kDamage, ReceiptPath(dataset_, next), fmt::format("gone{}", last));
    }
    next = sequence + 1;
  }
}

// A commit indexes a receipt and drops its intent at once, and the receipt's file is there before. So of the receipts
// listed before the ledger is read, each is in it or in an open intent; and what it holds is what its receipts add up
// to.
Status DatasetVerification::CompareLedger(const std::vector<int64_t>& listed) {
  const std::string path = paths_.ledger().lexically_relative(paths_.root).string();
  const Result<ledger::Fingerprint> in_ledger = ledger_->TakeFingerprint(dataset_);
  if (!in_ledger) {
    if (in_ledger.error().kind == ErrorKind::kBusy) return std::unexpected(in_ledger.error());
    Add(Severity::kDamage, path, in_ledger.error().message);
    return Ok();
  }
  std::set<int64_t> known(in_ledger->receipts.begin(), in_ledger->receipts.end());
  for (const int64_t sequence : in_ledger->receipts) LODE_TRY(TakeReceipt(sequence));
  LODE_TRY(CompareRows(*in_ledger));
  for (const ledger::Intent& intent : in_ledger->intents) {
    intents_[intent.id] = intent.moves;
    const Result<ledger::Receipt> receipt = ledger::ReadReceipt(intent.receipt_text);
    if (receipt && known.insert(receipt->sequence).second &&
        std::ranges::find(listed, receipt->sequence) != listed.end()) {
      Add(Severity::kWarning, ReceiptPath(dataset_, receipt->sequence), std::string(kBeingPublished));
    }
  }
  for (const int64_t sequence : listed) {
    if (known.contains(sequence)) continue;
    LODE_TRY(TakeReceipt(sequence));
    if (taken_[sequence]) {
      Add(Severity::kDamage, path,
          fmt::format("does not know {}; run `lode ledger rebuild`", ReceiptPath(dataset_, sequence)));
    }
  }
  return Ok();
}

Status DatasetVerification::CompareRows(const ledger::Fingerprint& in_ledger) {
  LODE_TRY(const ledger::Fingerprint from_receipts, index_->TakeFingerprint(dataset_));
  std::set<std::string> kinds;
  for (const auto* rows : {&in_ledger.rows, &from_receipts.rows}) {
    const auto& other = rows == &in_ledger.rows ? from_receipts.rows : in_ledger.rows;
    for (const auto& [kind, hash] : *rows) {
      const auto found = other.find(kind);
      if (found == other.end() || found->second != hash) kinds.insert(kind);
    }
  }
  if (kinds.empty()) return Ok();
  Add(Severity::kDamage, paths_.ledger().lexically_relative(paths_.root).string(),
      fmt::format("its {} rows differ from the receipts; run `lode ledger rebuild`", fmt::join(kinds, ", ")));
  return Ok();
}

Status DatasetVerification::TakeReceipt(int64_t sequence) {
  if (taken_.contains(sequence)) return Ok();
  const Result<ledger::StoredReceipt> stored = ReadStoredReceipt(paths_, dataset_, sequence);
  ++report_.files_checked;
  taken_[sequence] = stored.has_value();
  if (!stored) {
    const bool gone = stored.error().kind == ErrorKind::kNotFound;
    Add(Severity::kDamage, ReceiptPath(dataset_, sequence), gone ? "gone" : stored.error().message);
    return Ok();
  }
  LODE_TRY(index_->Commit(stored->receipt, stored->sha256, 0));
  Expect(stored->receipt);
  if (stored->receipt.quarantine.empty()) return Ok();
  if (const auto size = store::FileSize(paths_.root / stored->receipt.quarantine); !size || !*size) {
    Add(Severity::kWarning, stored->receipt.quarantine, "gone; it held bad records");
  }
  return Ok();
}

void DatasetVerification::Expect(const ledger::Receipt& receipt) {
  for (const ledger::RawFile& raw : receipt.raw_files) {
    expected_[raw.landed] = {raw.size, raw.sha256};
    removed_.erase(raw.landed);
  }
  for (const ledger::Partition& partition : receipt.partitions) {
    const std::string path = fmt::format("bronze/{}/{}", dataset_, partition.path);
    expected_[path] = {partition.size, partition.sha256};
    removed_.erase(path);
  }
  for (const ledger::Removal& removal : receipt.removed) {
    expected_.erase(removal.path);
    removed_.insert(removal.path);
  }
}

Result<bool> DatasetVerification::Refresh() {
  bool changed = false;
  if (ledger_ != nullptr) {
    const auto before = std::move(intents_);
    intents_.clear();
    const Result<std::vector<ledger::Intent>> open = ledger_->Intents(dataset_);
    if (open) {
      for (const ledger::Intent& intent : *open) intents_[intent.id] = intent.moves;
    }
    changed = !std::ranges::equal(
        before, intents_, {}, [](const auto& entry) { return entry.first; },
        [](const auto& entry) { return entry.first; });
  }
  LODE_TRY(const ReceiptFolder folder, ListReceipts(paths_, dataset_));
  for (const int64_t sequence : folder.sequences) {
    if (taken_.contains(sequence)) continue;
    LODE_TRY(TakeReceipt(sequence));
    changed = true;
  }
  return changed;
}

Status DatasetVerification::CheckFile(const std::string& path) {
  constexpr int kTries = 100;  // publishes of one file while it is looked at
  ++report_.files_checked;
  std::optional<std::string> problem;
  for (int i = 0; i < kTries; ++i) {
    const auto expected = expected_.find(path);
    if (expected == expected_.end()) return Ok();  // removed while others were looked at
    problem = ProblemOf(path, expected->second);
    if (!problem) return Ok();
    if (IsBeingPublished(path)) {
      Add(Severity::kWarning, path, std::string(kBeingPublished));
      return Ok();
    }
    LODE_TRY(const bool changed, Refresh());
    if (!changed) break;
  }
  Add(Severity::kDamage, path, *std::move(problem));
  return Ok();
}

std::optional<std::string> DatasetVerification::ProblemOf(const std::string& path, const Expected& expected) {
  const fs::path file = paths_.root / path;
  const Result<std::optional<uint64_t>> size = store::FileSize(file);
  if (!size) return size.error().message;
  if (!*size) return "gone";
  if (**size != expected.size) return fmt::format("{} bytes, its receipt says {}", **size, expected.size);
  const Result<store::Digest> digest = store::HashFile(file);
  if (!digest) return digest.error().message;
  report_.bytes_checked += digest->size;
  if (progress_) progress_(bytes_before_ + report_.bytes_checked);
  if (digest->sha256 != expected.sha256) return "its bytes differ from its receipt (SHA-256)";
  return std::nullopt;
}

bool DatasetVerification::IsBeingPublished(const std::string& path) {
  for (const auto& [id, moves] : intents_) {
    const auto move = std::ranges::find(moves, path, &ledger::Intent::Move::target);
    if (move == moves.end()) continue;
    const Result<store::Digest> digest = store::HashFile(paths_.root / path);
    if (digest && digest->sha256 == move->sha256) return true;
  }
  return false;
}

Status DatasetVerification::FindStrays() {
  for (const bool in_bronze : {true, false}) {
    const std::string folder = fmt::format("{}/{}", in_bronze ? "bronze" : "landing", dataset_);
    const Result<std::vector<store::FileInfo>> files = store::ListEverything(paths_.root / folder);
    if (!files) {
      Add(Severity::kDamage, folder, files.error().message);
      continue;
    }
    for (const store::FileInfo& file : *files) LODE_TRY(CheckStray(folder + "/" + file.path, file.regular, in_bronze));
  }
  return Ok();
}

Status DatasetVerification::CheckStray(const std::string& path, bool regular, bool in_bronze) {
  if (expected_.contains(path)) return Ok();
  // It may have been published after the receipts were read, or taken back after the folder was listed.
  LODE_TRY(Refresh());
  std::error_code error;
  if (expected_.contains(path) || fs::symlink_status(paths_.root / path, error).type() == fs::file_type::not_found) {
    return Ok();
  }
  if (removed_.contains(path)) {
    Add(Severity::kWarning, path, "removed by clean and still here; the next `lode clean` deletes it");
  } else if (regular && IsBeingPublished(path)) {
    Add(Severity::kWarning, path, std::string(kBeingPublished));
  } else if (in_bronze && path.ends_with(".parquet")) {
    // A reader's glob sees it.
    Add(Severity::kDamage, path, regular ? "no receipt names it" : "not a regular file, and no receipt names it");
  } else {
    Add(Severity::kWarning, path, "no receipt names it");
  }
  return Ok();
}

}  // namespace lode::lake
