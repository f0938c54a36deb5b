#include "lode/lake/verify.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lode/base/hashing.h"
#include "lode/base/stop.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {

namespace {

using Severity = Finding::Severity;

// A file as receipts describe it.
struct Expected {
  fs::path file;     // where it lies
  std::string path;  // for the report
  uint64_t size = 0;
  std::string sha256;
};

// What another run may change while this one looks; compared before and after.
struct Moment {
  std::vector<int64_t> receipts;
  std::vector<std::string> strays;  // in the folder of receipts
  std::vector<int64_t> intents;
  bool operator==(const Moment&) const = default;
};

class DatasetVerification {
 public:
  DatasetVerification(const LakePaths& paths, ledger::Ledger* ledger, std::string dataset,
                      const std::function<void(uint64_t)>& progress, uint64_t bytes_before)
      : paths_(paths),
        ledger_(ledger),
        dataset_(std::move(dataset)),
        progress_(progress),
        bytes_before_(bytes_before) {}

  // Looks again when a publish went on meanwhile, so that it is not taken for damage.
  Status Run(VerifyReport* report);

 private:
  Status RunOnce();
  Result<Moment> Look();
  Status CheckReceipts(const std::vector<int64_t>& sequences);
  Status ExpectFiles();
  Status CheckFile(const Expected& expected);
  Status CheckBytes(const Expected& expected);
  Status FindStrays();
  void Stray(const std::string& path, bool regular, bool in_bronze);
  Status CompareLedger();

  void Add(Severity severity, std::string path, std::string problem) {
    report_.findings.push_back({severity, dataset_, std::move(path), std::move(problem)});
  }

  const LakePaths& paths_;
  ledger::Ledger* ledger_;  // nullptr: the lake has none
  const std::string dataset_;
  const std::function<void(uint64_t)>& progress_;
  const uint64_t bytes_before_;

  VerifyReport report_;
  Moment moment_;
  std::unique_ptr<ledger::Ledger> index_;          // made from the receipts
  std::map<std::string, Expected> expected_;       // by path
  std::map<std::string, std::string> publishing_;  // targets of open intents: new hash
};

Status DatasetVerification::Run(VerifyReport* report) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    LODE_TRY(RunOnce());
    if (!report_.damaged()) break;
    LODE_TRY(const Moment now, Look());
    if (now == moment_) break;
  }
  report->files_checked += report_.files_checked;
  report->bytes_checked += report_.bytes_checked;
  std::ranges::move(report_.findings, std::back_inserter(report->findings));
  return Ok();
}

Status DatasetVerification::RunOnce() {
  report_ = {};
  expected_.clear();
  publishing_.clear();
  LODE_TRY(moment_, Look());
  for (const std::string& stray : moment_.strays) {
    Add(Severity::kDamage, fmt::format("receipts/{}/{}", dataset_, stray), "not a receipt");
  }
  LODE_TRY(index_, ledger::Ledger::OpenInMemory());
  LODE_TRY(CheckReceipts(moment_.receipts));
  LODE_TRY(ExpectFiles());
  for (const auto& [path, expected] : expected_) {
    LODE_TRY(CheckStop());
    LODE_TRY(CheckFile(expected));
  }
  LODE_TRY(FindStrays());
  return CompareLedger();
}

Result<Moment> DatasetVerification::Look() {
  Moment moment;
  LODE_TRY(const ReceiptFolder folder, ListReceipts(paths_, dataset_));
  moment.receipts = folder.sequences;
  moment.strays = folder.strays;
  if (ledger_ == nullptr) return moment;
  const Result<std::vector<ledger::Intent>> intents = ledger_->Intents(dataset_);
  if (!intents) return moment;  // CompareLedger names it
  for (const ledger::Intent& intent : *intents) {
    moment.intents.push_back(intent.id);
    for (const ledger::Intent::Move& move : intent.moves) publishing_[move.target] = move.sha256;
  }
  return moment;
}

Status DatasetVerification::CheckReceipts(const std::vector<int64_t>& sequences) {
  int64_t next = 1;
  for (const int64_t sequence : sequences) {
    if (next < sequence) {
      const std::string last = sequence - next > 1 ? fmt::format(" to {}", ledger::ReceiptFileName(sequence - 1)) : "";
      Add(Severity::kDamage, ReceiptPath(dataset_, next), fmt::format("gone{}", last));
    }
    next = sequence + 1;
    const Result<ledger::StoredReceipt> stored = ReadStoredReceipt(paths_, dataset_, sequence);
    ++report_.files_checked;
    if (!stored) {
      Add(Severity::kDamage, ReceiptPath(dataset_, sequence), stored.error().message);
      continue;
    }
    const ledger::Receipt& receipt = stored->receipt;
    LODE_TRY(index_->Commit(receipt, stored->sha256, 0));
    if (receipt.quarantine.empty()) continue;
    if (const auto size = store::FileSize(paths_.root / receipt.quarantine); !size || !*size) {
      Add(Severity::kWarning, receipt.quarantine, "gone; it held bad records");
    }
  }
  return Ok();
}

// A later receipt's version of a file is the one that must be there.
Status DatasetVerification::ExpectFiles() {
  LODE_TRY(const std::vector<ledger::RawFileRow> raw_files, index_->RawFiles(dataset_));
  for (const ledger::RawFileRow& row : raw_files) {
    const ledger::RawFile& raw = row.file;
    const fs::path file = raw.in_place ? fs::path(raw.landed) : paths_.root / raw.landed;
    expected_[raw.landed] = {file, raw.landed, raw.size, raw.sha256};
  }
  LODE_TRY(const std::vector<ledger::PartitionRow> partitions, index_->Partitions(dataset_));
  for (const ledger::PartitionRow& row : partitions) {
    const std::string path = fmt::format("bronze/{}/{}", dataset_, row.partition.path);
    expected_[path] = {paths_.root / path, path, row.partition.size, row.partition.sha256};
  }
  return Ok();
}

Status DatasetVerification::CheckFile(const Expected& expected) {
  ++report_.files_checked;
  const Result<std::optional<uint64_t>> size = store::FileSize(expected.file);
  if (!size) {
    Add(Severity::kDamage, expected.path, size.error().message);
  } else if (!*size) {
    Add(Severity::kDamage, expected.path, "gone");
  } else if (**size != expected.size && !publishing_.contains(expected.path)) {
    Add(Severity::kDamage, expected.path, fmt::format("{} bytes, its receipt says {}", **size, expected.size));
  } else {
    return CheckBytes(expected);
  }
  return Ok();
}

Status DatasetVerification::CheckBytes(const Expected& expected) {
  const Result<store::Digest> digest = store::HashFile(expected.file);
  if (!digest) {
    Add(Severity::kDamage, expected.path, digest.error().message);
    return Ok();
  }
  report_.bytes_checked += digest->size;
  if (progress_) progress_(bytes_before_ + report_.bytes_checked);
  if (digest->sha256 == expected.sha256) return Ok();
  const auto publishing = publishing_.find(expected.path);
  if (publishing != publishing_.end() && publishing->second == digest->sha256) {
    Add(Severity::kWarning, expected.path, "being published, or left so by a killed run; the next run ends it");
  } else {
    Add(Severity::kDamage, expected.path, "its bytes differ from its receipt (SHA-256)");
  }
  return Ok();
}

void DatasetVerification::Stray(const std::string& path, bool regular, bool in_bronze) {
  if (expected_.contains(path)) return;
  if (regular && publishing_.contains(path)) {
    Add(Severity::kWarning, path, "being published, or left so by a killed run; the next run ends it");
  } else if (in_bronze && path.ends_with(".parquet")) {
    // A reader's glob sees it.
    Add(Severity::kDamage, path, regular ? "no receipt names it" : "not a regular file, and no receipt names it");
  } else {
    Add(Severity::kWarning, path, "no receipt names it");
  }
}

Status DatasetVerification::FindStrays() {
  for (const bool in_bronze : {true, false}) {
    const std::string folder = fmt::format("{}/{}", in_bronze ? "bronze" : "landing", dataset_);
    const Result<std::vector<store::FileInfo>> files = store::ListEverything(paths_.root / folder);
    if (!files) {
      Add(Severity::kDamage, folder, files.error().message);
      continue;
    }
    for (const store::FileInfo& file : *files) Stray(folder + "/" + file.path, file.regular, in_bronze);
  }
  return Ok();
}

// Hash of the dump a kind of row; equal ledgers have equal hashes.
Result<std::map<std::string, std::string>> Fingerprints(ledger::Ledger& ledger, std::string_view dataset) {
  std::map<std::string, Sha256, std::less<>> hashes;
  LODE_TRY(ledger.DumpDataset(dataset, [&](std::string_view line) {
    const std::string_view kind = line.substr(0, line.find('\t'));
    auto hash = hashes.find(kind);
    if (hash == hashes.end()) hash = hashes.try_emplace(std::string(kind)).first;
    hash->second.Update(line);
    hash->second.Update("\n");
  }));
  std::map<std::string, std::string> fingerprints;
  for (auto& [kind, hash] : hashes) fingerprints[kind] = hash.HexDigest();
  return fingerprints;
}

Status DatasetVerification::CompareLedger() {
  if (ledger_ == nullptr) return Ok();
  const std::string path = paths_.ledger().lexically_relative(paths_.root).string();
  LODE_TRY(const auto from_receipts, Fingerprints(*index_, dataset_));
  const auto in_ledger = Fingerprints(*ledger_, dataset_);
  if (!in_ledger) {
    Add(Severity::kDamage, path, in_ledger.error().message);
    return Ok();
  }
  if (*in_ledger == from_receipts) return Ok();
  if (!moment_.intents.empty()) {
    Add(Severity::kWarning, path, "a publish is going on, or was left so by a killed run; the next run ends it");
    return Ok();
  }
  std::vector<std::string> kinds;
  for (const auto* side : {&*in_ledger, &from_receipts}) {
    const auto& other = side == &from_receipts ? *in_ledger : from_receipts;
    for (const auto& [kind, hash] : *side) {
      const auto found = other.find(kind);
      if (found == other.end() || found->second != hash) kinds.push_back(kind);
    }
  }
  std::ranges::sort(kinds);
  kinds.erase(std::ranges::unique(kinds).begin(), kinds.end());
  Add(Severity::kDamage, path,
      fmt::format("its {} rows differ from the receipts; run `lode ledger rebuild`", fmt::join(kinds, ", ")));
  return Ok();
}

// Every dataset that receipts, files or ledger know of.
Result<std::set<std::string>> AllDatasets(const LakePaths& paths, ledger::Ledger* ledger) {
  std::set<std::string> names;
  for (const char* layer : {"receipts", "bronze", "landing"}) {
    LODE_TRY(const std::vector<std::string> folders, SubFolders(paths.root / layer));
    names.insert(folders.begin(), folders.end());
  }
  if (ledger == nullptr) return names;
  LODE_TRY(const std::vector<ledger::DatasetRow> rows, ledger->Datasets());
  for (const ledger::DatasetRow& row : rows) names.insert(row.name);
  return names;
}

// Parquet right under bronze/ is under everybody's glob too.
Status FindStraysOutsideDatasets(const LakePaths& paths, VerifyReport* report) {
  std::error_code error;
  for (fs::directory_iterator entry(paths.root / "bronze", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    const bool parquet = name.ends_with(".parquet");
    report->findings.push_back(
        {parquet ? Severity::kDamage : Severity::kWarning, "", "bronze/" + name, "no receipt names it"});
  }
  return Ok();
}

}  // namespace

bool VerifyReport::damaged() const {
  return std::ranges::any_of(findings, [](const Finding& f) { return f.severity == Severity::kDamage; });
}

Result<VerifyReport> Verify(const LakePaths& paths, const std::vector<std::string>& datasets,
                            const std::function<void(uint64_t bytes_done)>& progress) {
  std::error_code error;
  if (!fs::is_directory(paths.root, error)) {
    return Fail(ErrorKind::kNotFound, "there is no lake at {}", paths.root.string());
  }
  VerifyReport report;
  const std::string ledger_path = paths.ledger().lexically_relative(paths.root).string();
  std::unique_ptr<ledger::Ledger> ledger;
  Result<std::unique_ptr<ledger::Ledger>> opened = ledger::Ledger::OpenReadOnly(paths.ledger());
  Result<std::set<std::string>> all = std::set<std::string>();
  if (opened) {
    ledger = *std::move(opened);
    all = AllDatasets(paths, ledger.get());
  }
  if (!opened || !all) {
    Error problem = opened ? std::move(all).error() : std::move(opened).error();
    if (problem.kind != ErrorKind::kCorrupt) return std::unexpected(std::move(problem));
    report.findings.push_back({Severity::kDamage, "", ledger_path, problem.message});
    ledger = nullptr;
    all = AllDatasets(paths, nullptr);
    LODE_TRY(all);
  } else if (ledger == nullptr && !all->empty()) {
    report.findings.push_back({Severity::kWarning, "", ledger_path, "not there; run `lode ledger rebuild`"});
  }
  for (const std::string& dataset : datasets) {
    if (!all->contains(dataset)) return Fail(ErrorKind::kNotFound, "the lake has no dataset '{}'", dataset);
  }
  if (!datasets.empty()) all = std::set<std::string>(datasets.begin(), datasets.end());
  for (const std::string& dataset : *all) {
    LODE_TRY(DatasetVerification(paths, ledger.get(), dataset, progress, report.bytes_checked).Run(&report));
  }
  if (datasets.empty()) LODE_TRY(FindStraysOutsideDatasets(paths, &report));
  std::ranges::sort(report.findings, {}, [](const Finding& f) { return std::tie(f.dataset, f.path, f.problem); });
  return report;
}

Result<std::vector<ledger::PartitionRow>> LostPartitions(const LakePaths& paths, ledger::Ledger& ledger,
                                                         std::string_view dataset) {
  LODE_TRY(std::vector<ledger::PartitionRow> rows, ledger.Partitions(dataset));
  std::vector<ledger::PartitionRow> lost;
  for (ledger::PartitionRow& row : rows) {
    const Result<std::optional<uint64_t>> size = store::FileSize(paths.bronze(dataset) / row.partition.path);
    if (!size && size.error().kind == ErrorKind::kStorage) return std::unexpected(size.error());
    if (!size || !*size || **size != row.partition.size) lost.push_back(std::move(row));
  }
  return lost;
}

}  // namespace lode::lake
