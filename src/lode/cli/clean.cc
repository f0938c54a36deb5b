// lode clean --keep-days N [DATASET..] [--layer landing|bronze] [--dry-run]
#include "lode/lake/clean.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/run_log.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

constexpr int32_t kMostDays = 1'000'000;
constexpr size_t kMostWarnings = 3;

class CleanCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", names_, 0, 0, "datasets; all when none is named");
    arguments.Option("--keep-days", "N", keep_days_, "files that reach into the last N days stay, and today's");
    arguments.Option("--layer", "LAYER", layer_, "landing (default) or bronze");
    arguments.Flag("--dry-run", dry_run_, "say what would be removed and change nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::CleanRequest request, Request(session));
    LODE_TRY(request.paths, session.lake());
    LODE_TRY(const std::vector<ledger::DatasetRow> datasets, session.Datasets(names_));
    RunLog run_log(request.paths, "clean");
    std::optional<Error> failure;
    for (const ledger::DatasetRow& dataset : datasets) {
      request.dataset = dataset.name;
      Result<lake::CleanReport> report = lake::Clean(request);
      if (!report) {
        Error error = std::move(report).error().With("clean " + dataset.name);
        const bool others_too = error.kind == ErrorKind::kStorage || error.kind == ErrorKind::kInterrupted;
        if (others_too) return std::unexpected(std::move(error));
        if (failure) log::Failure("{}", Printable(failure->ToString()));
        failure = std::move(error);
        continue;
      }
      if (!dry_run_ && !report->removed.empty()) run_log.Start();
      Tell(session, request, *report, run_log);
    }
    // Whether or not this run removed anything: one before it may have been killed here.
    if (!dry_run_ && request.layer == lake::CleanLayer::kBronze) LODE_TRY(RefreshViews(request.paths));
    if (failure) return std::unexpected(*std::move(failure));
    return 0;
  }

 private:
  Result<lake::CleanRequest> Request(const Session& session) const {
    lake::CleanRequest request;
    request.dry_run = dry_run_;
    if (layer_ == "bronze") {
      request.layer = lake::CleanLayer::kBronze;
    } else if (layer_ != "landing") {
      return Fail(ErrorKind::kUsage, "--layer {}: landing or bronze", layer_);
    }
    if (keep_days_.empty()) return Fail(ErrorKind::kUsage, "clean: say how many days stay: --keep-days N");
    const char* end = keep_days_.data() + keep_days_.size();
    const auto [stop, problem] = std::from_chars(keep_days_.data(), end, request.keep_days);
    if (problem != std::errc() || stop != end || request.keep_days < 1 || request.keep_days > kMostDays) {
      return Fail(ErrorKind::kUsage, "--keep-days {}: a whole number of days, 1 to {}", keep_days_, kMostDays);
    }
    request.keep_from = session.today() + -request.keep_days;
    return request;
  }

  void Tell(const Session& session, const lake::CleanRequest& request, const lake::CleanReport& report,
            RunLog& run_log) const {
    const Output& out = session.out();
    for (const std::string& path : report.removed) {
      out.Event(JsonObject().Text("type", "clean_removed").Text("dataset", request.dataset).Text("path", path));
      if (dry_run_) out.Text("would remove " + Printable(path) + "\n");
      run_log.Record("removed " + path);
    }
    for (const lake::KeptFile& kept : report.kept) {
      out.Event(JsonObject()
                    .Text("type", "clean_kept")
                    .Text("dataset", request.dataset)
                    .Text("path", kept.path)
                    .Text("reason", kept.reason));
    }
    for (size_t i = 0; i < std::min(report.kept.size(), kMostWarnings); ++i) {
      log::Warning("{} stays: {}", Printable(report.kept[i].path), Printable(report.kept[i].reason));
    }
    if (report.kept.size() > kMostWarnings) {
      log::Warning("{} more of {} stay (--json names them)", report.kept.size() - kMostWarnings, request.dataset);
    }
    const auto files = static_cast<int64_t>(report.removed.size());
    out.Event(JsonObject()
                  .Text("type", "clean")
                  .Text("dataset", request.dataset)
                  .Text("layer", layer_)
                  .Text("keep_from", FormatDay(request.keep_from))
                  .Number("files", files)
                  .Number("bytes", report.bytes)
                  .Number("cells", report.cells)
                  .Number("kept", static_cast<int64_t>(report.kept.size()))
                  .Bool("dry_run", dry_run_));
    const std::string what = files == 0 ? fmt::format("nothing of {} to remove", layer_)
                                        : fmt::format("{} of {} {}, {}", Count(files, "file"), layer_,
                                                      dry_run_ ? "would be removed" : "removed", Bytes(report.bytes));
    const std::string cells = report.cells == 0 ? "" : fmt::format("; {} expired", Count(report.cells, "cell"));
    out.Summary(fmt::format("{}: {} (before {}){}\n", request.dataset, what, FormatDay(request.keep_from), cells));
  }

  // Bronze never fails for lake.duckdb: whatever stands in the way is a warning.
  static Status RefreshViews(const lake::LakePaths& paths) {
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::OpenReadOnly(paths.ledger()));
    if (ledger == nullptr) return Ok();
    LODE_TRY(const sink::ViewRefresh refresh, sink::RefreshViews(paths, *ledger));
    if (refresh.state == sink::ViewState::kPending) {
      log::Warning("views of lake.duckdb are pending: {}", refresh.reason);
    }
    return Ok();
  }

  std::vector<std::string> names_;
  std::string keep_days_, layer_ = "landing";
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeClean() { return std::make_unique<CleanCommand>(); }

}  // namespace lode::cli
