// lode load --to duckdb [DATASET..]
#include "lode/sink/duckdb/load.h"

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/progress.h"
#include "lode/cli/run_log.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

sink::RowChanges Sum(const sink::LoadedDataset& dataset) {
  sink::RowChanges sum;
  for (const sink::TableChanges& table : dataset.changes) sum += table.rows;
  return sum;
}

JsonObject WithChanges(JsonObject event, const sink::RowChanges& rows) {
  event.Number("inserted", rows.inserted).Number("updated", rows.updated).Number("deleted", rows.deleted);
  return event;
}

std::string DatasetLine(const sink::LoadedDataset& dataset, bool dry_run) {
  std::string line = fmt::format("{} ({}): {} {}, {} unchanged", dataset.name, dataset.schema,
                                 Count(dataset.loaded, "partition"), dry_run ? "to load" : "loaded", dataset.unchanged);
  if (dataset.removed > 0) line += fmt::format(", {} {}", dataset.removed, dry_run ? "to remove" : "removed");
  if (dataset.failed > 0) line += fmt::format(", {} failed", dataset.failed);
  if (dry_run) return line;
  if (dataset.has_tables) {
    sink::RowChanges rows = Sum(dataset);
    line += fmt::format("; {} inserted, {} updated, {} deleted", Count(rows.inserted, "row"), Grouped(rows.updated),
                        Grouped(rows.deleted));
  }
  return line + fmt::format("; {:.1f} s", dataset.seconds);
}

class Load : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", datasets_, 0, 0, "datasets of the lake; all when none is named");
    arguments.Option("--to", "SINK", sink_, "where to: duckdb, the tables of lake.duckdb (docs/warehouse.md)");
    arguments.Flag("--dry-run", dry_run_, "say which partitions would be loaded and change nothing");
  }

  Result<int> Run(Session& session) override {
    if (sink_.empty()) return Fail(ErrorKind::kUsage, "load: --to SINK is missing (duckdb)");
    if (sink_ != "duckdb") return Fail(ErrorKind::kUsage, "load: unknown sink {}; there is duckdb", sink_);
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(std::vector<ledger::DatasetRow> named, session.Datasets(datasets_));
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    RunLog run_log(paths, "load");
    run_log.Record(fmt::format("lode {} load --to {} {}", LODE_VERSION, sink_, fmt::join(datasets_, " ")));
    ProgressBar bar(!session.out().quiet() && !session.out().json() && CanDrawProgress());
    sink::LoadRequest request{.paths = paths,
                              .ledger = ledger,
                              .config = config,
                              .datasets = datasets_,
                              .memory_bytes = session.memory_bytes(),
                              .dry_run = dry_run_};
    bool started = false;
    request.progress = [&](uint64_t done, uint64_t total) {
      if (!started) bar.Start(total);
      started = true;
      bar.Update(done, -1);
    };
    Result<sink::LoadReport> report = sink::Load(request);
    bar.Clear();
    if (!report) return std::unexpected(Hint(std::move(report).error()));
    Tell(session, *report);
    bool worked = false;
    for (const sink::LoadedDataset& dataset : report->datasets) {
      run_log.Record(DatasetLine(dataset, dry_run_));
      worked |= dataset.loaded + dataset.removed + dataset.failed > 0;
    }
    if (dry_run_) return 0;
    if (worked) run_log.Start();
    if (ledger != nullptr) LODE_TRY(sink::RefreshViews(paths, *ledger));
    return Verdict(*report);
  }

 private:
  static Error Hint(Error error) {
    if (error.kind == ErrorKind::kBusy && error.message.contains("lake.duckdb")) {
      error.message += "; close the program that holds it and run again";
    }
    return error;
  }

  void Tell(const Session& session, const sink::LoadReport& report) const {
    const Output& out = session.out();
    for (const sink::LoadedDataset& dataset : report.datasets) {
      for (const sink::TableChanges& table : dataset.changes) {
        out.Event(WithChanges(
            JsonObject().Text("type", "load_table").Text("dataset", dataset.name).Text("table", table.table),
            table.rows));
      }
      out.Event(WithChanges(JsonObject()
                                .Text("type", dry_run_ ? "load_planned" : "load_dataset")
                                .Text("dataset", dataset.name)
                                .Text("schema", dataset.schema)
                                .Number("loaded", dataset.loaded)
                                .Number("unchanged", dataset.unchanged)
                                .Number("removed", dataset.removed)
                                .Number("failed", dataset.failed)
                                .Number("lost", dataset.lost)
                                .Number("rows_read", dataset.rows_read)
                                .Number("rows_rejected", dataset.rows_rejected),
                            Sum(dataset)));
      TellDataset(out, dataset);
    }
    for (const sink::FailedPartition& failed : report.failed) {
      out.Event(JsonObject()
                    .Text("type", "load_failed")
                    .Text("file", failed.file_name)
                    .Text("kind", Name(failed.error.kind))
                    .Text("message", failed.error.ToString()));
      log::Failure("{}", Printable(failed.file_name + ": " + failed.error.ToString()));
    }
  }

  void TellDataset(const Output& out, const sink::LoadedDataset& dataset) const {
    bool took_part = dataset.has_tables || dataset.loaded + dataset.unchanged + dataset.removed + dataset.failed > 0;
    if (took_part) {
      out.Summary(DatasetLine(dataset, dry_run_) + "\n");
    } else if (!datasets_.empty()) {
      out.Summary(fmt::format("{} ({}): this schema has no table\n", dataset.name, dataset.schema));
    }
    if (dataset.lost > 0) {
      log::Warning(
          "{}: {} gone or changed in the lake, their rows are not in the tables; `lode status --files` names "
          "them",
          dataset.name, Count(dataset.lost, "partition file"));
    }
    if (dataset.rows_rejected > 0) {
      log::Warning("{}: {} without a table: no symbol, or neither a future nor an option", dataset.name,
                   Count(dataset.rows_rejected, "bar"));
    }
  }

  static Result<int> Verdict(const sink::LoadReport& report) {
    if (report.failed.empty()) return 0;
    int64_t good = 0;
    for (const sink::LoadedDataset& dataset : report.datasets) good += dataset.loaded + dataset.unchanged;
    ErrorKind kind = good == 0 ? report.failed.front().error.kind : ErrorKind::kPartial;
    return Fail(kind, "{} did not go in; the others did",
                Count(static_cast<int64_t>(report.failed.size()), "partition"));
  }

  std::vector<std::string> datasets_;
  std::string sink_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLoad() { return std::make_unique<Load>(); }

}  // namespace lode::cli
