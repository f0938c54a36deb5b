// lode jobs submit DATASET [-s DAY] [-e DAY] [--days N] [--symbols ..] [--max-cost USD]
// lode jobs list [DATASET]
// lode jobs fetch DATASET [--job-id ID] [--no-wait] [--poll SECONDS]
#include "lode/sync/jobs.h"

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/run_log.h"
#include "lode/cli/sync_options.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

using source::databento::BatchJob;

JsonObject JobEvent(std::string_view type, const BatchJob& job) {
  JsonObject object;
  object.Text("type", type).Text("job_id", job.id).Text("state", sync::Name(job.state));
  object.Raw("progress_percent", job.progress_percent ? fmt::format("{}", *job.progress_percent) : "null");
  return object;
}

class JobsSubmit : public Command {
 public:
  void Declare(Arguments& arguments) override {
    options_.Declare(arguments);
    arguments.Option("--max-cost", "USD", max_cost_, "order nothing when the job would cost more (default 10)");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(const double budget, ParseNumber("--max-cost", max_cost_, 0, 1e9));
    LODE_TRY(const std::vector<sync::SyncRequest> requests, options_.Requests(session, *config));
    double left = budget;
    for (const sync::SyncRequest& request : requests) {
      LODE_TRY(const auto jobs, sync::Jobs::Open(request));
      LODE_TRY(const std::vector<sync::SubmitReport> reports, jobs->Submit(left));
      for (const sync::SubmitReport& report : reports) {
        if (!report.known) left -= report.entry.cost_usd.value_or(0);
        Tell(session, request.dataset->name, report);
      }
    }
    return 0;
  }

 private:
  static void Tell(const Session& session, const std::string& dataset, const sync::SubmitReport& report) {
    const sync::JobEntry& entry = report.entry;
    JsonObject event;
    event.Text("type", "job_submitted").Text("dataset", dataset);
    entry.job_id.empty() ? event.Null("job_id") : event.Text("job_id", entry.job_id);
    event.Bool("known", report.known)
        .Bool("adopted", report.adopted)
        .Raw("cost_usd", entry.cost_usd ? fmt::format("{:.6f}", *entry.cost_usd) : "null");
    session.out().Event(std::move(event));
    if (entry.job_id.empty()) {
      session.out().Text(dataset + ": nothing to order\n");
    } else {
      const std::string range = fmt::format("{} to {}", FormatDay(DayOf(entry.request.query.start_ns)),
                                            FormatDay(DayOf(entry.request.query.end_ns - 1)));
      session.out().Text(fmt::format("{}: job {} {}: {} {}, {}, about {}; `lode jobs fetch {}` brings it in\n", dataset,
                                     entry.job_id, report.known ? "is ordered already" : "ordered",
                                     Count(static_cast<int64_t>(entry.request.query.symbols.size()), "symbol"),
                                     entry.request.query.schema, range, Usd(entry.cost_usd), dataset));
    }
    for (const sync::Unresolved& symbol : report.unresolved) {
      session.out().Summary(fmt::format("{}: {}: {}\n", dataset, Printable(symbol.symbol), Printable(symbol.reason)));
    }
  }

  SyncOptions options_;
  std::string max_cost_ = "10";
};

class JobsList : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", names_, 0, 0, "datasets whose orders to look up; all that can be asked");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(const auto datasets, SelectDatasets(*config, names_));
    Table table({{"JOB"}, {"STATE"}, {"SCHEMA"}, {"FROM"}, {"TO"}, {"COST", Table::Align::kRight}, {"OURS"}});
    std::map<std::string, sync::JobListing> listings;
    for (const DatasetConfig* dataset : datasets) {
      if (dataset->source != "databento") continue;
      const sync::SyncRequest request{.paths = {config->lake_root()}, .config = config, .dataset = dataset};
      LODE_TRY(const auto jobs, sync::Jobs::Open(request));
      LODE_TRY(std::vector<sync::JobListing> found, jobs->List());
      for (sync::JobListing& listing : found) {
        const std::string id = listing.job.id;
        auto [known, added] = listings.try_emplace(id, listing);
        if (!added && known->second.dataset.empty()) known->second = std::move(listing);
      }
    }
    for (const auto& [id, listing] : listings) {
      const BatchJob& job = listing.job;
      JsonObject event = JobEvent("job", job);
      event.Text("vendor_dataset", job.dataset).Text("schema", job.schema);
      listing.dataset.empty() ? event.Null("dataset") : event.Text("dataset", listing.dataset);
      listing.state.empty() ? event.Null("order") : event.Text("order", listing.state);
      session.out().Event(std::move(event));
      const auto day = [](const std::optional<int64_t>& ns, int64_t less) {
        return ns ? FormatDay(DayOf(*ns - less)) : std::string();
      };
      table.Add({id, std::string(sync::Name(job.state)), job.schema, day(job.start_ns, 0), day(job.end_ns, 1),
                 Usd(job.cost_usd),
                 listing.dataset.empty() ? "" : fmt::format("{} ({})", listing.dataset, listing.state)});
    }
    session.out().Text(listings.empty() ? "no jobs\n" : table.Render());
    return 0;
  }

 private:
  std::vector<std::string> names_;
};

class JobsFetch : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", names_, 1, 1, "the dataset that the job's files go to");
    arguments.Option("--job-id", "ID", job_id_,
                     "this job, whoever ordered it (default: what was ordered and is not here)");
    arguments.Flag("--no-wait", no_wait_, "take what is done and do not wait for the rest");
    arguments.Option("--poll", "SECONDS", poll_, "between two looks at a job that is not done (default 5)");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(const double poll_s, ParseNumber("--poll", poll_, 0.01, 3600));
    LODE_TRY(const auto datasets, SelectDatasets(*config, names_));
    sync::SyncRequest request{.paths = {config->lake_root()}, .config = config, .dataset = datasets.front()};
    request.memory_bytes = session.memory_bytes();
    RunLog run_log(request.paths, "jobs");
    run_log.Record(fmt::format("lode {} jobs fetch {} {}", LODE_VERSION, names_.front(), job_id_));
    LODE_TRY(const auto jobs, sync::Jobs::Open(request));
    Observer observer(run_log);
    std::string last;
    const auto told = [&](const BatchJob& job) {
      session.out().Event(JobEvent("job_progress", job));
      const std::string line = fmt::format("job {}: {}", job.id, sync::Name(job.state));
      if (line != last) session.out().Summary(line + "\n");
      last = line;
    };
    const sync::FetchJobRequest fetch{
        .job_id = job_id_, .wait = !no_wait_, .poll = std::chrono::milliseconds(static_cast<int64_t>(poll_s * 1000))};
    LODE_TRY(const std::vector<sync::FetchedJob> fetched, jobs->Fetch(fetch, observer, told));
    Tell(session, fetched);
    LODE_TRY(std::unique_ptr<ledger::Ledger> ledger, ledger::Ledger::OpenReadOnly(request.paths.ledger()));
    if (ledger != nullptr) LODE_TRY(sink::RefreshViews(request.paths, *ledger));
    return Verdict(fetched);
  }

 private:
  class Observer : public lake::ImportObserver {
   public:
    explicit Observer(RunLog& run_log) : run_log_(run_log) {}
    void OnPlan(int64_t, uint64_t) override {}
    void OnProgress(uint64_t, int64_t) override {}
    void OnNotice(const std::string& line) override { run_log_.Record(line); }

   private:
    RunLog& run_log_;
  };

  void Tell(const Session& session, const std::vector<sync::FetchedJob>& fetched) const {
    if (fetched.empty()) session.out().Text(fmt::format("{}: no job is ordered\n", names_.front()));
    for (const sync::FetchedJob& job : fetched) {
      session.out().Event(JsonObject()
                              .Text("type", "job_fetched")
                              .Text("job_id", job.job_id)
                              .Text("state", sync::Name(job.state))
                              .Bool("imported", job.imported)
                              .Number("bytes", job.bytes));
      for (const lake::ImportedDataset& dataset : job.report.datasets) {
        session.out().Summary(fmt::format("job {}: {} in, {} in {}\n", job.job_id, Bytes(job.bytes),
                                          Count(dataset.rows, "row"), Count(dataset.partitions, "partition")));
      }
      if (job.error) log::Failure("job {}: {}", job.job_id, Printable(job.error->ToString()));
      for (const lake::FailedFile& file : job.report.failed) {
        log::Failure("{}", Printable(file.path + ": " + file.error.ToString()));
      }
    }
  }

  static Result<int> Verdict(const std::vector<sync::FetchedJob>& fetched) {
    for (const sync::FetchedJob& job : fetched) {
      if (job.state == BatchJob::State::kExpired) {
        return Fail(ErrorKind::kIncomplete, "job {} is expired at the vendor; `lode jobs submit` orders it again",
                    job.job_id);
      }
      if (job.error || (job.state == BatchJob::State::kDone && !job.imported)) {
        return Fail(ErrorKind::kPartial, "job {}: not all of it went in; run again", job.job_id);
      }
      if (job.state != BatchJob::State::kDone) {
        return Fail(ErrorKind::kPartial, "job {} is {}; run again later", job.job_id, sync::Name(job.state));
      }
    }
    return 0;
  }

  std::vector<std::string> names_;
  std::string job_id_, poll_ = "5";
  bool no_wait_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeJobsSubmit() { return std::make_unique<JobsSubmit>(); }
std::unique_ptr<Command> MakeJobsList() { return std::make_unique<JobsList>(); }
std::unique_ptr<Command> MakeJobsFetch() { return std::make_unique<JobsFetch>(); }

}  // namespace lode::cli
