// Databento's batch jobs: ordered for what a dataset lacks, watched, downloaded whole and imported.
//
// For large ranges: the vendor makes the files, one delivery, at a lower price than streams, kept for 30 days.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "lode/lake/import.h"
#include "lode/source/databento/api.h"
#include "lode/sync/job_book.h"
#include "lode/sync/sync.h"

namespace lode::sync {

struct SubmitReport {
  JobEntry entry;        // number 0: there is nothing to order, and it is the only report
  bool known = false;    // an order of earlier, open still, brings some of the work; this is it
  bool adopted = false;  // a run that died had ordered it
  std::vector<Unresolved> unresolved;
};

struct JobListing {
  source::databento::BatchJob job;
  std::string dataset;  // of the lake, when a book has it
  std::string state;    // of the book's entry; empty: not ours
};

struct FetchJobRequest {
  std::string job_id;  // empty: all of the dataset's that are ordered and not fetched
  bool wait = true;    // until the vendor is done; else only what is done
  std::chrono::milliseconds poll{5000};
};

struct FetchedJob {
  std::string job_id;
  source::databento::BatchJob::State state = source::databento::BatchJob::State::kQueued;
  bool imported = false;
  uint64_t bytes = 0;
  lake::ImportReport report;
  std::optional<Error> error;  // this job's alone: the others went on
};

class Jobs {
 public:
  // The dataset's source must be databento. `request` as for Sync; its range and symbols matter to Submit alone.
  static Result<std::unique_ptr<Jobs>> Open(const SyncRequest& request);
  virtual ~Jobs() = default;
  // Orders what the dataset lacks in the range and no open order brings, as one job; with {symbol} in the layout as one
  // a symbol. kRefused over the budget; orders before it stand.
  virtual Result<std::vector<SubmitReport>> Submit(std::optional<double> budget_usd) = 0;
  // The vendor's jobs that are not expired, and what the dataset's book says of them.
  virtual Result<std::vector<JobListing>> List() = 0;
  // `told(job)`: each time a job's state or progress is seen. kNotFound for a job the vendor does not know.
  virtual Result<std::vector<FetchedJob>> Fetch(
      const FetchJobRequest& request, lake::ImportObserver& observer,
      const std::function<void(const source::databento::BatchJob&)>& told) = 0;
};

std::string_view Name(source::databento::BatchJob::State state);

}  // namespace lode::sync
