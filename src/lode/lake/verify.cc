#include "lode/lake/verify.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "lode/lake/dataset_verification.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {

namespace {

using Severity = Finding::Severity;

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

}  // namespace lode::lake
