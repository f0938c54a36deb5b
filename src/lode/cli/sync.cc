// lode sync [DATASET..] [-s DAY] [-e DAY] [--days N] [--symbols ..] [--refetch] [--gaps-file F] [--retry-failed]
//           [--max-concurrent N] [--rate R] [--max-cost USD] [--dry-run]
#include "lode/sync/sync.h"

#include <chrono>
#include <map>
#include <optional>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/run_log.h"
#include "lode/cli/sync_options.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

using Clock = std::chrono::steady_clock;

class SyncProgress : public sync::SyncObserver {
 public:
  SyncProgress(const Session& session, RunLog& run_log, std::string dataset, bool dry_run)
      : session_(session), run_log_(run_log), dataset_(std::move(dataset)), dry_run_(dry_run) {}

  void OnNotice(const std::string& line) override {
    log::Warning("{}", Printable(line));
    run_log_.Record(line);
  }
  void OnPlan(int64_t requests, const source::Estimate& estimate) override {
    if (!dry_run_) run_log_.Start();  // there is work: only now is a trace allowed
    requests_ = requests;
    session_.out().Event(JsonObject()
                             .Text("type", "sync_plan")
                             .Text("dataset", dataset_)
                             .Number("requests", requests)
                             .Raw("cost_usd", estimate.usd ? fmt::format("{:.6f}", *estimate.usd) : "null"));
    if (requests > 0) run_log_.Record(fmt::format("{}: {} requests, {}", dataset_, requests, Usd(estimate.usd)));
  }
  void OnBatch(const std::string& partition, int64_t requests, uint64_t bytes, int64_t rows) override {
    session_.out().Event(JsonObject()
                             .Text("type", "sync_progress")
                             .Text("dataset", dataset_)
                             .Text("partition", partition)
                             .Number("requests", requests)
                             .Number("bytes", bytes)
                             .Number("rows", rows));
    run_log_.Record(fmt::format("{}: {} published, {} of {} requests done", dataset_, partition, requests, requests_));
  }

 private:
  const Session& session_;
  RunLog& run_log_;
  std::string dataset_;
  bool dry_run_;
  int64_t requests_ = 0;
};

JsonObject ReportEvent(const sync::SyncReport& report) {
  JsonArray unresolved;
  for (const sync::Unresolved& symbol : report.unresolved) {
    unresolved.Raw(JsonObject().Text("symbol", symbol.symbol).Text("reason", symbol.reason).Take());
  }
  JsonObject object;
  object.Text("type", "sync_dataset")
      .Text("dataset", report.dataset)
      .Text("schema", report.schema)
      .Text("vendor_dataset", report.vendor_dataset)
      .Text("start", FormatDay(report.first))
      .Text("end", FormatDay(report.last))
      .Number("cells_planned", report.work_cells)
      .Number("stale_cells", report.stale_cells)
      .Number("keyless_cells", report.keyless_cells)
      .Number("requests_planned", report.planned_requests)
      .Number("requests", report.requests)
      .Raw("fetch_s", fmt::format("{:.3f}", report.fetch_s))
      .Number("requests_kept", report.kept_requests)
      .Number("requests_failed", report.failed_requests)
      .Number("requests_halved", report.halved_requests)
      .Number("records", report.records)
      .Number("rejected", report.rejected)
      .Number("rows", report.rows)
      .Number("partitions", report.partitions)
      .Number("bytes_in", report.bytes_in)
      .Number("bytes_out", report.bytes_out)
      .Raw("cost_usd", report.estimate.usd ? fmt::format("{:.6f}", *report.estimate.usd) : "0")
      .Raw("unresolved", unresolved.Take());
  return object;
}

std::string ReportLine(const sync::SyncReport& report, bool dry_run) {
  const std::string head = fmt::format("{} ({})", report.dataset, report.schema);
  if (dry_run) {
    if (report.planned_requests == 0) return head + ": nothing to ask for";
    return fmt::format("{}: would ask {} for {}, {}", head, Count(report.planned_requests, "time"),
                       Count(report.work_cells, "cell"), Usd(report.estimate.usd));
  }
  if (report.planned_requests + report.kept_requests == 0) return head + ": nothing new";
  std::string line =
      fmt::format("{}: {} for {}, {} -> {} in {}, {} -> {}", head, Count(report.requests, "request"),
                  Count(report.work_cells, "cell"), Count(report.records, "record"), Count(report.rows, "row"),
                  Count(report.partitions, "partition"), Bytes(report.bytes_in), Bytes(report.bytes_out));
  if (report.estimate.usd && *report.estimate.usd > 0) line += ", about " + Usd(report.estimate.usd);
  if (report.kept_requests > 0) line += fmt::format(", {} fetched before", Count(report.kept_requests, "request"));
  if (report.halved_requests > 0) line += fmt::format(", {} halved", report.halved_requests);
  if (report.failed_requests > 0) line += fmt::format(", {} failed", report.failed_requests);
  if (report.rejected > 0) line += fmt::format(", {} in quarantine", Count(report.rejected, "record"));
  return line;
}

class SyncCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    options_.Declare(arguments);
    arguments.Option("--max-concurrent", "N", max_concurrent_, "requests at once (default 50)");
    arguments.Option("--rate", "R", rate_, "requests a second at most (default: the vendor's own limits)");
    arguments.Option("--max-cost", "USD", max_cost_, "ask for nothing when the run would cost more (default 10)");
    arguments.Flag("--dry-run", dry_run_, "say what would be asked for and change nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(const double in_flight, ParseNumber("--max-concurrent", max_concurrent_, 1, 1000));
    LODE_TRY(const double rate, ParseNumber("--rate", rate_, 0, 100'000));
    LODE_TRY(const double budget, ParseNumber("--max-cost", max_cost_, 0, 1e9));
    LODE_TRY(std::vector<sync::SyncRequest> requests, options_.Requests(session, *config));
    if (requests.empty()) session.out().Summary("nothing to ask for\n");
    RunLog run_log({config->lake_root()}, "sync");
    std::vector<sync::SyncReport> reports;
    double spent_usd = 0;
    std::optional<Error> first_error;
    std::map<std::string, std::string> refusing;  // source: the dataset that found out
    for (sync::SyncRequest& request : requests) {
      const std::string& name = request.dataset->name;
      if (const auto found = refusing.find(request.dataset->source); found != refusing.end()) {
        log::Warning("{}: not asked for: {}, of the same source, ended with an error", name, found->second);
        continue;
      }
      request.dry_run = dry_run_;
      request.in_flight = static_cast<size_t>(in_flight);
      request.requests_per_s = rate;
      request.budget_usd = budget;
      run_log.Record(fmt::format("lode {} sync {} {} to {}", LODE_VERSION, name, FormatDay(request.first),
                                 FormatDay(request.last)));
      SyncProgress progress(session, run_log, name, dry_run_);
      const Clock::time_point started = Clock::now();
      Result<sync::SyncReport> report = sync::Sync(request, &spent_usd, progress);
      if (!report) {
        Error error = std::move(report).error().With("sync " + name);
        if (EndsTheRun(error)) return std::unexpected(std::move(error));
        // Other datasets have nothing to do with it; of a vendor that is out of reach or refuses, those of others.
        if (error.kind == ErrorKind::kPartial || error.kind == ErrorKind::kRefused) {
          refusing.emplace(request.dataset->source, name);
        }
        run_log.Record(error.ToString());
        session.out().Event(JsonObject()
                                .Text("type", "sync_error")
                                .Text("dataset", name)
                                .Text("kind", Name(error.kind))
                                .Text("message", log::Redact(error.ToString())));
        if (first_error) log::Failure("{}", Printable(error.ToString()));
        if (!first_error) first_error = std::move(error);
        continue;
      }
      Tell(session, *report, std::chrono::duration<double>(Clock::now() - started).count());
      run_log.Record(ReportLine(*report, dry_run_));
      reports.push_back(std::move(*report));
    }
    if (!dry_run_) LODE_TRY(RefreshViews({config->lake_root()}));
    if (first_error) return std::unexpected(*std::move(first_error));
    return Verdict(reports);
  }

 private:
  void Tell(const Session& session, const sync::SyncReport& report, double elapsed_s) const {
    session.out().Event(ReportEvent(report));
    session.out().Summary(
        ReportLine(report, dry_run_) +
        (report.requests > 0 ? fmt::format(", {:.1f} s (fetching {:.1f} s)\n", elapsed_s, report.fetch_s) : "\n"));
    session.out().Summary(UnresolvedText(report));
    // Where nothing came at all, the run's own error says it.
    if (!report.refused.empty() && report.requests + report.kept_requests > 0) {
      log::Warning("{}: the vendor does not give some of it (not_entitled): {}", report.dataset,
                   Printable(report.refused));
    }
    for (const sync::FailedBatch& batch : report.failed) {
      log::Failure("{}", Printable(fmt::format("{}: {}: {}", report.dataset, batch.partition, batch.error.ToString())));
    }
  }

  // Bronze never fails for lake.duckdb: whatever stands in the way is a warning.
  static Status RefreshViews(const lake::LakePaths& paths) {
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::OpenReadOnly(paths.ledger()));
    if (ledger == nullptr) return Ok();
    LODE_TRY(sink::ViewRefresh refresh, sink::RefreshViews(paths, *ledger));
    if (refresh.state == sink::ViewState::kPending) {
      log::Warning("views of lake.duckdb are pending: {}; the next sync brings them up to date", refresh.reason);
    }
    return Ok();
  }

  static Result<int> Verdict(const std::vector<sync::SyncReport>& reports) {
    int64_t failed = 0, good = 0, keyless = 0;
    std::string refused, key_wanted;
    for (const sync::SyncReport& report : reports) {
      failed += report.failed_requests + static_cast<int64_t>(report.failed.size());
      good += report.requests + report.kept_requests;
      keyless += report.keyless_cells;
      if (report.keyless_cells > 0) key_wanted = report.key_wanted;
      if (refused.empty()) refused = report.refused;
    }
    if (failed > 0) {
      return Fail(ErrorKind::kPartial, "{} failed; `lode gaps` says which and why, running again tries them again",
                  Count(failed, "request"));
    }
    if (!refused.empty() && good == 0) return Fail(ErrorKind::kRefused, "the vendor does not give it: {}", refused);
    if (keyless > 0) {
      return Fail(ErrorKind::kRefused, "{} not asked for: no API key; set {}, and run again", Count(keyless, "cell"),
                  key_wanted);
    }
    return 0;
  }

  SyncOptions options_;
  std::string max_concurrent_ = "50", rate_ = "0", max_cost_ = "10";
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSync() { return std::make_unique<SyncCommand>(); }

}  // namespace lode::cli
