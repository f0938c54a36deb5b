#include "lode/sync/jobs.h"

#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lode/base/stop.h"
#include "lode/codec/schema.h"
#include "lode/lake/disk_guard.h"
#include "lode/net/file_body.h"
#include "lode/net/waits.h"

namespace lode::sync {
namespace {

namespace fs = std::filesystem;
using source::databento::Api;
using source::databento::BatchFile;
using source::databento::BatchJob;
using source::databento::BatchRequest;
using source::databento::ManifestFile;

// Every state a job can be in: what was paid for must be found in any.
const std::vector<std::string> kAllStates = {"received", "queued", "processing", "done", "expired"};

std::string SplitOf(const std::string& layout) {
  if (layout.contains("{day}")) return "day";
  return layout.contains("{mm}") ? "month" : "year";
}

// What a job that is on its way brings is not ordered again. Whether it brings any of the work.
bool LeaveOutOrdered(const JobEntry& entry, const plan::Selection& selection, plan::Work* work) {
  const source::databento::SeriesQuery& query = entry.request.query;
  const bool same =
      query.dataset == selection.dataset && query.schema == selection.schema && query.stype_in == selection.stype_in;
  if (entry.state != JobEntry::State::kSubmitted || !same) return false;
  int64_t cells = 0;
  for (const std::string& symbol : query.symbols) {
    cells += plan::LeaveOut(work, symbol, DayOf(query.start_ns), DayOf(query.end_ns - 1));
  }
  return cells > 0;
}

class DatabentoJobs final : public Jobs {
 public:
  explicit DatabentoJobs(const SyncRequest& request)
      : request_(request), dataset_(*request.dataset), book_(request.paths.root / "jobs" / dataset_.name) {}

  Status Prepare() {
    if (dataset_.source != "databento") {
      return Fail(ErrorKind::kUnsupported, "dataset {}: only databento has batch jobs", dataset_.name);
    }
    net::ClientOptions options;
    LODE_TRY(net::ApplyWaits(&options));
    LODE_TRY(client_, net::Client::Make(std::move(options)));
    LODE_TRY(supply_, source::OpenSupply(*request_.config, dataset_, *client_));
    LODE_TRY(std::string key, request_.config->ResolveKey("sources.databento.key"));
    LODE_TRY(Api api,
             Api::Make(*client_, request_.config->Get("sources.databento.base_url").value_or(""), std::move(key)));
    api_ = std::make_unique<Api>(std::move(api));
    LODE_TRY(symbols_, SymbolsOf(request_));
    return Ok();
  }

  Result<std::vector<SubmitReport>> Submit(std::optional<double> budget_usd) override;
  Result<std::vector<JobListing>> List() override;
  Result<std::vector<FetchedJob>> Fetch(const FetchJobRequest& request, lake::ImportObserver& observer,
                                        const std::function<void(const BatchJob&)>& told) override;

 private:
  Result<Demand> FindWork();
  std::vector<BatchRequest> OrdersOf(const plan::Work& work) const;
  // Intent, order, entry.
  Result<JobEntry> Order(const BatchRequest& order, std::optional<double> budget_usd);
  // Looks intended entries up among the vendor's jobs: ordered, or not ordered after all.
  Status SettleIntents(std::vector<JobEntry>* entries, std::vector<int64_t>* adopted);
  Result<BatchJob> WaitFor(const std::string& job_id, const FetchJobRequest& request,
                           const std::function<void(const BatchJob&)>& told);
  Result<uint64_t> Download(const std::string& job_id, const fs::path& folder);
  Status FetchOne(const FetchJobRequest& request, lake::ImportObserver& observer,
                  const std::function<void(const BatchJob&)>& told, FetchedJob* fetched);
  Result<store::FileLock> Lock() const {
    LODE_TRY(store::MakeDirectories(book_.folder()));
    return store::FileLock::Acquire(book_.folder() / ".lock", "the job book of " + dataset_.name);
  }

  const SyncRequest request_;
  const DatasetConfig& dataset_;
  JobBook book_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<source::Supply> supply_;
  std::unique_ptr<Api> api_;
  std::vector<std::string> symbols_;
};

Result<Demand> DatabentoJobs::FindWork() {
  const codec::TableSchema* schema = codec::FindSchema(dataset_.schema_name());
  if (schema == nullptr) return Fail(ErrorKind::kConfig, "dataset {} has no schema lode knows", dataset_.name);
  LODE_TRY(const lake::Layout layout, lake::Layout::Parse(dataset_.layout.empty() ? schema->layout : dataset_.layout));
  LODE_TRY(const auto ledger, ledger::Ledger::OpenReadOnly(request_.paths.ledger()));
  const DemandOptions options{.symbols = symbols_,
                              .first = request_.first,
                              .last = request_.last,
                              .refetch = request_.refetch,
                              .retry_failed_only = request_.retry_failed_only};
  return FindDemand(request_.paths, ledger.get(), dataset_, layout, *supply_, options, {});
}

Status DatabentoJobs::SettleIntents(std::vector<JobEntry>* entries, std::vector<int64_t>* adopted) {
  const bool any =
      std::ranges::any_of(*entries, [](const JobEntry& entry) { return entry.state == JobEntry::State::kIntended; });
  if (!any) return Ok();
  LODE_TRY(const std::vector<BatchJob> jobs, api_->ListJobs(kAllStates, std::nullopt));
  for (JobEntry& entry : *entries) {
    if (entry.state != JobEntry::State::kIntended) continue;
    const auto job = std::ranges::find_if(jobs, [&](const BatchJob& other) {
      const bool older = std::ranges::find(entry.equal_before, other.id) != entry.equal_before.end();
      const bool claimed =
          std::ranges::any_of(*entries, [&](const JobEntry& known) { return known.job_id == other.id; });
      return !older && !claimed && Answers(other, entry.request);
    });
    entry.state = job == jobs.end() ? JobEntry::State::kDropped : JobEntry::State::kSubmitted;
    if (job != jobs.end()) {
      entry.job_id = job->id;
      adopted->push_back(entry.number);
    }
    LODE_TRY(book_.Write(&entry));
  }
  return Ok();
}

Result<std::vector<SubmitReport>> DatabentoJobs::Submit(std::optional<double> budget_usd) {
  LODE_TRY(const store::FileLock lock, Lock());
  LODE_TRY(std::vector<JobEntry> entries, book_.Read());
  std::vector<int64_t> adopted;
  LODE_TRY(SettleIntents(&entries, &adopted));
  LODE_TRY(Demand demand, FindWork());
  std::vector<Unresolved> unresolved = UnresolvedOf(demand);
  plan::Work work = std::move(demand.works.at(0));  // Databento's symbols share their days
  std::vector<SubmitReport> reports;
  for (const JobEntry& entry : entries) {
    if (!LeaveOutOrdered(entry, supply_->selection(), &work)) continue;
    const bool is_adopted = std::ranges::find(adopted, entry.number) != adopted.end();
    reports.push_back({.entry = entry, .known = true, .adopted = is_adopted, .unresolved = {}});
  }
  for (const BatchRequest& order : OrdersOf(work)) {
    LODE_TRY(JobEntry entry, Order(order, budget_usd));
    if (budget_usd) *budget_usd -= entry.cost_usd.value_or(0);
    reports.push_back({.entry = std::move(entry), .unresolved = {}});
  }
  if (reports.empty()) reports.emplace_back();
  reports.front().unresolved = std::move(unresolved);
  return reports;
}

// One job for the hull of the work: a delivery has one range and one list of symbols. Where a file holds one symbol,
// one for each.
std::vector<BatchRequest> DatabentoJobs::OrdersOf(const plan::Work& work) const {
  const plan::Selection selection = supply_->selection();
  const codec::TableSchema* schema = codec::FindSchema(dataset_.schema_name());
  const std::string& layout = dataset_.layout.empty() ? schema->layout : dataset_.layout;
  std::vector<BatchRequest> orders;
  std::vector<plan::DayRun> hulls;
  for (const plan::SymbolWork& symbol : work.symbols) {
    const std::span<const plan::DayRun> runs = work.RunsOf(symbol);
    const plan::DayRun hull{runs.front().begin, runs.back().end};
    const bool full = !orders.empty() && orders.back().query.symbols.size() >= source::databento::kMostSymbols;
    if (orders.empty() || full || layout.contains("{symbol}")) {
      BatchRequest& order = orders.emplace_back();
      order.query.dataset = selection.dataset;
      order.query.schema = selection.schema;
      order.query.stype_in = selection.stype_in;
      order.split_duration = SplitOf(layout);
      hulls.push_back(hull);
    }
    orders.back().query.symbols.emplace_back(work.NameOf(symbol));
    hulls.back() = {std::min(hulls.back().begin, hull.begin), std::max(hulls.back().end, hull.end)};
    orders.back().query.start_ns = work.days[hulls.back().begin].day.start_ns();
    orders.back().query.end_ns = (work.days[hulls.back().end - 1].day + 1).start_ns();
  }
  return orders;
}

Result<JobEntry> DatabentoJobs::Order(const BatchRequest& order, std::optional<double> budget_usd) {
  JobEntry entry;
  entry.request = order;
  LODE_TRY(const double usd, api_->GetCost(order.query));
  entry.cost_usd = usd;
  if (budget_usd && usd > *budget_usd) {
    return Fail(ErrorKind::kRefused,
                "{}: the job would cost {:.2f} USD, more than what --max-cost leaves ({:.2f}); it was not ordered",
                dataset_.name, usd, *budget_usd);
  }
  LODE_TRY(const std::vector<BatchJob> jobs, api_->ListJobs(kAllStates, std::nullopt));
  for (const BatchJob& job : jobs) {
    if (Answers(job, order)) entry.equal_before.push_back(job.id);
  }
  entry.intended_ns = NowNs();
  LODE_TRY(book_.Write(&entry));
  auto job = api_->SubmitJob(order);
  if (!job) {
    // Refused for sure: the intent is void. Otherwise the next run asks the vendor whether it was ordered.
    const int status = job.error().http_status;
    if (status >= 400 && status < 500 && status != 408) {
      entry.state = JobEntry::State::kDropped;
      LODE_TRY(book_.Write(&entry));
    }
    return std::unexpected(Error(job.error()));
  }
  entry.job_id = job->id;
  entry.state = JobEntry::State::kSubmitted;
  LODE_TRY(book_.Write(&entry));
  return entry;
}

Result<std::vector<JobListing>> DatabentoJobs::List() {
  LODE_TRY(std::vector<JobEntry> entries, book_.Read());
  LODE_TRY(std::vector<BatchJob> jobs, api_->ListJobs({}, std::nullopt));
  std::vector<JobListing> listings;
  for (BatchJob& job : jobs) {
    JobListing listing{.job = std::move(job), .dataset = {}, .state = {}};
    const auto entry = std::ranges::find(entries, listing.job.id, &JobEntry::job_id);
    if (entry != entries.end()) {
      listing.dataset = dataset_.name;
      listing.state = Name(entry->state);
    }
    listings.push_back(std::move(listing));
  }
  return listings;
}

Result<BatchJob> DatabentoJobs::WaitFor(const std::string& job_id, const FetchJobRequest& request,
                                        const std::function<void(const BatchJob&)>& told) {
  while (true) {
    auto job = api_->GetJob(job_id);
    if (!job) return std::unexpected(Error(job.error()));
    told(*job);
    const bool over = job->state == BatchJob::State::kDone || job->state == BatchJob::State::kExpired;
    if (over || !request.wait) return std::move(*job);
    // A signal ends the wait at once.
    ::poll(nullptr, 0, static_cast<int>(request.poll.count()));
    LODE_TRY(CheckStop());
  }
}

// Every file of the job, whole and with the vendor's hash; what an earlier try left is continued. kStorage before the
// first byte where the disk has no room for the rest.
Result<uint64_t> DatabentoJobs::Download(const std::string& job_id, const fs::path& folder) {
  LODE_TRY(const std::vector<BatchFile> files, api_->ListFiles(job_id));
  LODE_TRY(store::MakeDirectories(folder));
  std::optional<Error> failed;
  uint64_t bytes = 0, lacking = 0;
  std::vector<std::pair<const BatchFile*, std::shared_ptr<net::FileBody>>> bodies;
  nlohmann::json listed = nlohmann::json::array();
  for (const BatchFile& file : files) {
    bytes += file.file.size;
    listed.push_back({{"filename", file.file.name}, {"size", file.file.size}, {"hash", "sha256:" + file.file.sha256}});
    LODE_TRY(auto body, net::FileBody::Open({.path = folder / file.file.name,
                                             .resume = true,
                                             .expected_size = file.file.size,
                                             .expected_sha256 = file.file.sha256}));
    if (body->whole()) continue;
    lacking += file.file.size - body->size();
    bodies.emplace_back(&file, std::move(body));
  }
  LODE_TRY(const uint64_t min_free_bytes, lake::MinFreeBytes(*request_.config));
  Status room = lake::CheckRoom(request_.paths, lacking, min_free_bytes);
  if (!room) return std::unexpected(std::move(room).error().With(job_id));
  for (auto& [file, body] : bodies) {
    client_->Add(api_->DownloadRequest(*file), std::move(body), [&failed](net::Outcome outcome) {
      if (!outcome.status && !failed) failed = std::move(outcome.status).error();
    });
  }
  LODE_TRY(client_->Run());
  if (failed) return std::unexpected(std::move(*failed));
  const fs::path manifest = folder / "manifest.json";
  LODE_TRY(const auto present, store::FileSize(manifest));
  if (!present) {
    const nlohmann::json text = {{"job_id", job_id}, {"files", std::move(listed)}};
    LODE_TRY(store::WriteDurable(manifest, text.dump()));
  }
  return bytes;
}

Status DatabentoJobs::FetchOne(const FetchJobRequest& request, lake::ImportObserver& observer,
                               const std::function<void(const BatchJob&)>& told, FetchedJob* fetched) {
  LODE_TRY(const BatchJob job, WaitFor(fetched->job_id, request, told));
  fetched->state = job.state;
  if (job.state != BatchJob::State::kDone) return Ok();
  const fs::path folder = request_.paths.root / ".lode" / "fetch" / (dataset_.name + ".jobs") / fetched->job_id;
  LODE_TRY(fetched->bytes, Download(fetched->job_id, folder));
  const lake::ImportRequest import{.paths = request_.paths,
                                   .config = request_.config,
                                   .inputs = {folder},
                                   .dataset = dataset_.name,
                                   .origin = "job",
                                   .memory_bytes = request_.memory_bytes};
  LODE_TRY(fetched->report, lake::Import(import, observer));
  fetched->imported = fetched->report.failed.empty();
  if (fetched->imported) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    fs::remove(folder.parent_path(), ignored);
    fs::remove(folder.parent_path().parent_path(), ignored);
  }
  return Ok();
}

Result<std::vector<FetchedJob>> DatabentoJobs::Fetch(const FetchJobRequest& request, lake::ImportObserver& observer,
                                                     const std::function<void(const BatchJob&)>& told) {
  LODE_TRY(const store::FileLock lock, Lock());
  LODE_TRY(std::vector<JobEntry> entries, book_.Read());
  std::vector<int64_t> adopted;
  LODE_TRY(SettleIntents(&entries, &adopted));
  std::vector<std::string> ids;
  if (!request.job_id.empty()) ids = {request.job_id};
  for (const JobEntry& entry : entries) {
    if (request.job_id.empty() && entry.state == JobEntry::State::kSubmitted) ids.push_back(entry.job_id);
  }
  std::vector<FetchedJob> all;
  for (const std::string& id : ids) {
    FetchedJob fetched{.job_id = id};
    if (Status done = FetchOne(request, observer, told, &fetched); !done) {
      const bool is_unknown = done.error().kind == ErrorKind::kNotFound;  // the id that was given
      if (is_unknown || StopsTheRun(done.error().kind)) return std::unexpected(std::move(done).error());
      fetched.error = std::move(done).error();
    }
    const auto entry = std::ranges::find(entries, id, &JobEntry::job_id);
    const bool expired = fetched.state == BatchJob::State::kExpired;
    if (entry != entries.end() && (fetched.imported || expired)) {
      entry->state = fetched.imported ? JobEntry::State::kFetched : JobEntry::State::kDropped;
      LODE_TRY(book_.Write(&*entry));
    }
    all.push_back(std::move(fetched));
  }
  return all;
}

}  // namespace

std::string_view Name(BatchJob::State state) {
  switch (state) {
    case BatchJob::State::kReceived: return "received";
    case BatchJob::State::kQueued: return "queued";
    case BatchJob::State::kProcessing: return "processing";
    case BatchJob::State::kDone: return "done";
    case BatchJob::State::kExpired: return "expired";
  }
  return "queued";
}

Result<std::unique_ptr<Jobs>> Jobs::Open(const SyncRequest& request) {
  auto jobs = std::make_unique<DatabentoJobs>(request);
  LODE_TRY(jobs->Prepare());
  return jobs;
}

}  // namespace lode::sync
