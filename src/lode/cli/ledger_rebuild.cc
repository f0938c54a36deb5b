// lode ledger rebuild
#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/run_log.h"
#include "lode/cli/table.h"
#include "lode/lake/verify.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

class LedgerRebuild : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Flag("--dry-run", dry_run_, "say which receipts would be read and change nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::LakePaths paths, session.lake());
    if (dry_run_) return Count(session, paths);
    RunLog run_log(paths, "ledger rebuild");
    run_log.Start();
    LODE_TRY(lake::RebuildReport report, lake::RebuildLedger(paths));
    for (const std::string& path : report.unpublished) {
      session.out().Event(JsonObject().Text("type", "unpublished").Text("path", path));
      log::Warning("{}: no receipt names it; the next import of its files writes it again", path);
    }
    session.out().Event(JsonObject()
                            .Text("type", "ledger_rebuild")
                            .Number("datasets", report.datasets)
                            .Number("receipts", report.receipts)
                            .Number("cells", report.cells)
                            .Number("unpublished", static_cast<int64_t>(report.unpublished.size())));
    session.out().Summary(fmt::format("ledger made again: {}, {}, {}\n", cli::Count(report.datasets, "dataset"),
                                      cli::Count(report.receipts, "receipt"), cli::Count(report.cells, "cell")));
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::OpenReadOnly(paths.ledger()));
    if (ledger != nullptr) {
      LODE_TRY(sink::ViewRefresh refresh, sink::RefreshViews(paths, *ledger));
      if (refresh.state == sink::ViewState::kPending) {
        log::Warning("views of lake.duckdb are pending: {}", refresh.reason);
      }
    }
    return 0;
  }

 private:
  static Result<int> Count(Session& session, const lake::LakePaths& paths) {
    LODE_TRY(std::vector<store::FileInfo> files, store::List(paths.root / "receipts"));
    int64_t receipts = 0;
    for (const store::FileInfo& file : files) receipts += file.path.ends_with(".json") ? 1 : 0;
    session.out().Event(JsonObject().Text("type", "ledger_rebuild_planned").Number("receipts", receipts));
    session.out().Text(fmt::format("would read {}\n", cli::Count(receipts, "receipt")));
    return 0;
  }

  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLedgerRebuild() { return std::make_unique<LedgerRebuild>(); }

}  // namespace lode::cli
