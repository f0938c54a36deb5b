// lode verify [DATASET|PATH] [--quick]
#include "lode/lake/verify.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/progress.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/cli/verify_path.h"
#include "lode/sink/duckdb/content_check.h"

namespace lode::cli {
namespace {

using Severity = lake::Finding::Severity;

class VerifyCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET|PATH", what_, 0, 0,
                         "datasets, or files and folders below landing/ or bronze/; all when none is named");
    arguments.Flag("--quick", quick_, "compare bytes with the receipts only; do not look at what the tables say");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::LakePaths paths, session.lake());
    std::vector<std::string> datasets;
    std::vector<std::filesystem::path> files;
    for (const std::string& word : what_) {
      bool is_path = word.find('/') != std::string::npos || !CheckDatasetName(word);
      if (is_path) {
        files.emplace_back(word);
      } else {
        datasets.push_back(word);
      }
    }
    LODE_TRY(std::vector<ledger::DatasetRow> known, session.Datasets(datasets));
    ProgressBar bar(!session.out().quiet() && !session.out().json() && CanDrawProgress());
    lake::VerifyReport report;
    std::vector<sink::ContentDataset> contents;
    if (!datasets.empty() || files.empty()) {
      LODE_TRY(uint64_t total, BytesToRead(session, known));
      bar.Start(total);
      LODE_TRY(report, lake::Verify(paths, datasets, [&](uint64_t bytes) { bar.Update(bytes, -1); }));
      if (!quick_) LODE_TRY(AddContents(session, known, contents));
    }
    const bool whole = !contents.empty();
    for (const std::filesystem::path& file : files) {
      LODE_TRY(lake::VerifyReport one, VerifyPath(session, paths, file));
      report.findings.insert(report.findings.end(), one.findings.begin(), one.findings.end());
      report.files_checked += one.files_checked;
      report.bytes_checked += one.bytes_checked;
      if (quick_) continue;
      LODE_TRY(sink::ContentDataset below, ContentBelow(session, paths, file));
      contents.push_back(std::move(below));
    }
    LODE_TRY(CheckContents(session, paths, std::move(contents), whole, bar, report));
    bar.Clear();
    return Tell(session, report);
  }

 private:
  // Bronze is read twice: as bytes, and as tables.
  Result<uint64_t> BytesToRead(Session& session, const std::vector<ledger::DatasetRow>& datasets) const {
    uint64_t bytes = 0;
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    for (const ledger::DatasetRow& dataset : datasets) {
      LODE_TRY(std::vector<ledger::PartitionRow> partitions, ledger->Partitions(dataset.name));
      for (const ledger::PartitionRow& row : partitions) bytes += row.partition.size * (quick_ ? 1 : 2);
      LODE_TRY(std::vector<ledger::RawFileRow> raw_files, ledger->RawFiles(dataset.name));
      for (const ledger::RawFileRow& row : raw_files) bytes += row.removed ? 0 : row.file.size;
    }
    return bytes;
  }

  static Status AddContents(Session& session, const std::vector<ledger::DatasetRow>& datasets,
                            std::vector<sink::ContentDataset>& contents) {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    for (const ledger::DatasetRow& dataset : datasets) {
      const DatasetConfig* declared = config->FindDataset(dataset.name);
      sink::ContentDataset content{
          .row = dataset, .partitions = {}, .vendor_dataset = declared == nullptr ? "" : declared->dataset};
      LODE_TRY(content.partitions, ledger->Partitions(dataset.name));
      contents.push_back(std::move(content));
    }
    return Ok();
  }

  static Status CheckContents(Session& session, const lake::LakePaths& paths,
                              std::vector<sink::ContentDataset> contents, bool whole, ProgressBar& bar,
                              lake::VerifyReport& report) {
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    if (ledger == nullptr || contents.empty()) return Ok();
    sink::ContentRequest request{.paths = paths,
                                 .ledger = ledger,
                                 .datasets = std::move(contents),
                                 .damaged = {},
                                 .compare_sizes = whole,
                                 .memory_bytes = session.memory_bytes(),
                                 .progress = {}};
    for (const lake::Finding& finding : report.findings) {
      if (finding.severity == Severity::kDamage) request.damaged.insert(finding.path);
    }
    uint64_t done = report.bytes_checked;
    request.progress = [&](uint64_t bytes) { bar.Update(done += bytes, -1); };
    LODE_TRY(const std::vector<lake::Finding> found, sink::CheckContents(request));
    report.findings.insert(report.findings.end(), found.begin(), found.end());
    std::ranges::sort(report.findings, {},
                      [](const lake::Finding& f) { return std::tie(f.dataset, f.path, f.problem); });
    return Ok();
  }

  static Result<int> Tell(const Session& session, const lake::VerifyReport& report) {
    const Output& out = session.out();
    int64_t damages = 0;
    for (const lake::Finding& finding : report.findings) {
      bool damage = finding.severity == Severity::kDamage;
      damages += damage ? 1 : 0;
      out.Event(JsonObject()
                    .Text("type", "finding")
                    .Text("severity", damage ? "damage" : "warning")
                    .Text("dataset", finding.dataset)
                    .Text("path", finding.path)
                    .Text("check", finding.check)
                    .Number("count", finding.count)
                    .Text("problem", finding.problem));
      out.Text(fmt::format("{}: {}: {}\n", damage ? "damage" : "warning", Printable(finding.path),
                           Printable(finding.problem)));
    }
    out.Event(JsonObject()
                  .Text("type", "verify")
                  .Number("files", report.files_checked)
                  .Number("bytes", report.bytes_checked)
                  .Number("damages", damages)
                  .Number("warnings", static_cast<int64_t>(report.findings.size()) - damages));
    out.Summary(fmt::format("{}, {} checked\n", Count(report.files_checked, "file"), Bytes(report.bytes_checked)));
    if (damages == 0) return 0;
    return Fail(ErrorKind::kCorrupt,
                "{} found; delete what is damaged and import its origin again (`lode explain` tells it)",
                Count(damages, "damage"));
  }

  std::vector<std::string> what_;
  bool quick_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeVerify() { return std::make_unique<VerifyCommand>(); }

}  // namespace lode::cli
