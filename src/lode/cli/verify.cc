// lode verify [DATASET|PATH]
#include "lode/lake/verify.h"

#include <algorithm>
#include <filesystem>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/progress.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/cli/verify_path.h"

namespace lode::cli {
namespace {

class VerifyCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET|PATH", what_, 0, 0,
                         "datasets, or files and folders below landing/ or bronze/; all when none is named");
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
    lake::VerifyReport report;
    if (!datasets.empty() || files.empty()) {
      ProgressBar bar(!session.out().quiet() && !session.out().json() && CanDrawProgress());
      LODE_TRY(uint64_t total, BytesToRead(session, known));
      bar.Start(total);
      LODE_TRY(report, lake::Verify(paths, datasets, [&](uint64_t bytes) { bar.Update(bytes, -1); }));
    }
    for (const std::filesystem::path& file : files) {
      LODE_TRY(lake::VerifyReport one, VerifyPath(session, paths, file));
      report.findings.insert(report.findings.end(), one.findings.begin(), one.findings.end());
      report.files_checked += one.files_checked;
      report.bytes_checked += one.bytes_checked;
    }
    return Tell(session, report);
  }

 private:
  static Result<uint64_t> BytesToRead(Session& session, const std::vector<ledger::DatasetRow>& datasets) {
    uint64_t bytes = 0;
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    for (const ledger::DatasetRow& dataset : datasets) {
      LODE_TRY(std::vector<ledger::PartitionRow> partitions, ledger->Partitions(dataset.name));
      for (const ledger::PartitionRow& row : partitions) bytes += row.partition.size;
      LODE_TRY(std::vector<ledger::RawFileRow> raw_files, ledger->RawFiles(dataset.name));
      for (const ledger::RawFileRow& row : raw_files) bytes += row.removed ? 0 : row.file.size;
    }
    return bytes;
  }

  static Result<int> Tell(const Session& session, const lake::VerifyReport& report) {
    const Output& out = session.out();
    int64_t damages = 0;
    for (const lake::Finding& finding : report.findings) {
      bool damage = finding.severity == lake::Finding::Severity::kDamage;
      damages += damage ? 1 : 0;
      out.Event(JsonObject()
                    .Text("type", "finding")
                    .Text("severity", damage ? "damage" : "warning")
                    .Text("dataset", finding.dataset)
                    .Text("path", finding.path)
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
};

}  // namespace

std::unique_ptr<Command> MakeVerify() { return std::make_unique<VerifyCommand>(); }

}  // namespace lode::cli
