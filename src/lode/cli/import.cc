// lode import PATH.. --dataset NAME
#include "lode/lake/import.h"

#include <malloc.h>

#include <chrono>
#include <filesystem>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/progress.h"
#include "lode/cli/run_log.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Without a bar: how often a run says how far it is.
constexpr Clock::duration kEventInterval = std::chrono::seconds(1);
constexpr Clock::duration kLineInterval = std::chrono::seconds(10);

class ImportProgress : public lake::ImportObserver {
 public:
  ImportProgress(const Session& session, RunLog& run_log, bool dry_run)
      : out_(session.out()),
        run_log_(run_log),
        dry_run_(dry_run),
        has_bar_(!session.out().quiet() && !session.out().json() && CanDrawProgress()),
        bar_(has_bar_) {}

  void OnPlan(int64_t files, uint64_t bytes) override {
    out_.Event(JsonObject().Text("type", "import_plan").Number("files", files).Number("bytes", bytes));
    if (files > 0 && !dry_run_) run_log_.Start();
    bytes_total_ = bytes;
    bar_.Start(bytes);
    started_ = last_event_ = Clock::now();
  }

  void OnProgress(uint64_t bytes_done, int64_t rows_done) override {
    bar_.Update(bytes_done, rows_done);
    Clock::time_point now = Clock::now();
    if (has_bar_ || now - last_event_ < (out_.json() ? kEventInterval : kLineInterval)) return;
    last_event_ = now;
    out_.Event(JsonObject().Text("type", "import_progress").Number("bytes", bytes_done).Number("rows", rows_done));
    std::chrono::duration<double> elapsed = now - started_;
    if (!out_.json()) log::Info("{}", ProgressLine(bytes_done, bytes_total_, rows_done, elapsed.count()));
  }

  void OnNotice(const std::string& line) override {
    bar_.Clear();
    run_log_.Note(line);
    out_.Event(JsonObject().Text("type", "notice").Text("message", line));
  }

  void Finish() { bar_.Clear(); }

 private:
  const Output& out_;
  RunLog& run_log_;
  bool dry_run_, has_bar_;
  ProgressBar bar_;
  uint64_t bytes_total_ = 0;
  Clock::time_point started_, last_event_;
};

JsonObject DatasetEvent(const lake::ImportedDataset& dataset) {
  JsonObject event;
  event.Text("type", "import_dataset")
      .Text("dataset", dataset.name)
      .Text("schema", dataset.schema)
      .Text("vendor_dataset", dataset.vendor_dataset)
      .Bool("declared_now", dataset.declared_now)
      .Number("files", dataset.files)
      .Number("files_planned", dataset.files_planned)
      .Number("files_unchanged", dataset.files_unchanged)
      .Number("records", dataset.records)
      .Number("rejected", dataset.rejected)
      .Number("duplicates", dataset.duplicates)
      .Number("rows", dataset.rows)
      .Number("partitions", dataset.partitions)
      .Number("repaired", dataset.repaired)
      .Number("bytes_in", dataset.bytes_in)
      .Number("bytes_out", dataset.bytes_out);
  return event;
}

std::string DatasetLine(const lake::ImportedDataset& dataset, bool dry_run) {
  std::string line = dataset.name + " (" + dataset.schema + "): ";
  if (dataset.repaired > 0)
    line += fmt::format("{} written again from landing, ", Count(dataset.repaired, "lost partition"));
  if (dry_run && dataset.files_planned > 0) {
    return line + fmt::format("{} to import, {} known", Count(dataset.files_planned, "file"), dataset.files_unchanged);
  }
  if (dataset.files == 0) return line + fmt::format("nothing new, {} known", Count(dataset.files_unchanged, "file"));
  line += fmt::format("{} in, {} -> {} in {}, {} -> {}", Count(dataset.files, "file"), Count(dataset.records, "record"),
                      Count(dataset.rows, "row"), Count(dataset.partitions, "partition"), Bytes(dataset.bytes_in),
                      Bytes(dataset.bytes_out));
  if (dataset.files_unchanged > 0) line += fmt::format(", {} known", Count(dataset.files_unchanged, "file"));
  if (dataset.duplicates > 0) line += fmt::format(", {} dropped", Count(dataset.duplicates, "duplicate"));
  if (dataset.rejected > 0) line += fmt::format(", {} in quarantine", Count(dataset.rejected, "record"));
  return line;
}

class Import : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("PATH", paths_, 1, 0, "files, folders of files, batch deliveries");
    arguments.Option("-d,--dataset", "NAME", dataset_, "dataset of the lake; declared in lode.toml when new");
    arguments.Flag("--no-manifest", no_manifest_, "take data files that the delivery's manifest does not list");
    arguments.Flag("--in-place", in_place_, "record path and SHA-256 only, do not copy into landing");
    arguments.Flag("--refetch", refetch_, "take files in again whose days `clean` removed from bronze");
    arguments.Option("--map", "FILE", mapping_, "column mapping of Parquet that lode did not write");
    arguments.Flag("--dry-run", dry_run_, "say what would happen and change nothing");
  }

  Result<int> Run(Session& session) override {
    if (dataset_.empty()) return Fail(ErrorKind::kUsage, "import: --dataset NAME is missing");
    LODE_TRY(const Config* config, session.config());
    lake::ImportRequest request{.paths = {config->lake_root()},
                                .config = config,
                                .inputs = {},
                                .dataset = dataset_,
                                .no_manifest = no_manifest_,
                                .in_place = in_place_,
                                .refetch = refetch_,
                                .dry_run = dry_run_,
                                .mapping = {},
                                .memory_bytes = session.memory_bytes()};
    for (const std::string& path : paths_) request.inputs.emplace_back(path);
    if (!mapping_.empty()) request.mapping = mapping_;

    RunLog run_log(request.paths, "import");
    run_log.Record(fmt::format("lode {} import {} --dataset {}", LODE_VERSION, fmt::join(paths_, " "), dataset_));
    ImportProgress progress(session, run_log, dry_run_);
    Clock::time_point started = Clock::now();
    Result<lake::ImportReport> report = lake::Import(request, progress);
    progress.Finish();
    if (!report) return std::unexpected(std::move(report).error());
    Tell(session, *report, std::chrono::duration<double>(Clock::now() - started).count());
    for (const lake::ImportedDataset& dataset : report->datasets) run_log.Record(DatasetLine(dataset, dry_run_));
    // DuckDB loads on top of what the import freed but the allocator still holds.
    malloc_trim(0);
    if (!dry_run_) LODE_TRY(RefreshViews(request.paths));
    return Verdict(*report);
  }

 private:
  void Tell(const Session& session, const lake::ImportReport& report, double elapsed_s) const {
    const Output& out = session.out();
    for (const std::string& line : report.planned) {
      out.Event(JsonObject().Text("type", "import_planned").Text("unit", line));
      out.Text("would import " + Printable(line) + "\n");
    }
    int64_t records = 0;
    for (const lake::ImportedDataset& dataset : report.datasets) {
      out.Event(DatasetEvent(dataset));
      if (dataset.declared_now && !dry_run_) out.Summary("declared dataset " + dataset.name + " in lode.toml\n");
      out.Summary(DatasetLine(dataset, dry_run_) + "\n");
      records += dataset.records;
    }
    for (const lake::FailedFile& file : report.failed) {
      out.Event(JsonObject()
                    .Text("type", "import_failed")
                    .Text("path", file.path)
                    .Text("kind", Name(file.error.kind))
                    .Text("message", file.error.ToString()));
    }
    if (records > 0 && elapsed_s > 0 && !dry_run_) {
      out.Summary(fmt::format("{:.1f} s, {} records/s\n", elapsed_s,
                              Grouped(static_cast<int64_t>(static_cast<double>(records) / elapsed_s))));
    }
  }

  // Bronze never fails for lake.duckdb: whatever stands in the way is a warning.
  static Status RefreshViews(const lake::LakePaths& paths) {
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::OpenReadOnly(paths.ledger()));
    if (ledger == nullptr) return Ok();
    LODE_TRY(sink::ViewRefresh refresh, sink::RefreshViews(paths, *ledger));
    if (refresh.state == sink::ViewState::kPending) {
      log::Warning("views of lake.duckdb are pending: {}; the next import brings them up to date", refresh.reason);
    }
    return Ok();
  }

  // Some in, some not: partial. None in: what refused the first one.
  static Result<int> Verdict(const lake::ImportReport& report) {
    if (report.failed.empty()) return 0;
    int64_t good = 0;
    for (const lake::ImportedDataset& dataset : report.datasets) good += dataset.files + dataset.files_unchanged;
    const lake::FailedFile& first = report.failed.front();
    if (report.failed.size() > 1 || good > 0) {
      for (const lake::FailedFile& file : report.failed)
        log::Failure("{}", Printable(file.path + ": " + file.error.ToString()));
    }
    if (good == 0 && report.failed.size() == 1) return std::unexpected(Error(first.error).With(first.path));
    ErrorKind kind = good == 0 ? first.error.kind : ErrorKind::kPartial;
    return Fail(kind, "{} of {} did not go in; mend or leave them out, and run again",
                Count(static_cast<int64_t>(report.failed.size()), "file"),
                static_cast<int64_t>(report.failed.size()) + good);
  }

  std::vector<std::string> paths_;
  std::string dataset_, mapping_;
  bool no_manifest_ = false, in_place_ = false, refetch_ = false, dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeImport() { return std::make_unique<Import>(); }

}  // namespace lode::cli
