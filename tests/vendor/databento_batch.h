// batch.*: jobs that turn a query into a delivery of files.
//
// A job is queued, then processing, then done, each for a number of polls (requests that look at it); after more polls,
// if so scripted, it expires. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "archive.h"
#include "counts.h"

namespace lode::vendor {

class BatchJobs {
 public:
  BatchJobs(Archive& archive, Counts& counts, std::string state_dir);

  // submit_job, list_jobs, get_job_details, list_files, download (a ZIP) and download/USER/JOB/FILE.
  Checked<Response> Handle(const Request& request, const std::string& endpoint);
  // {"queued_polls", "processing_polls", "expire_after_polls"} for all jobs from now on; {"job_id", "state"} for one.
  Response Control(const Json& body);

 private:
  struct File {
    std::string name, bytes, hash;
  };
  struct Job {
    Json object;  // as list_jobs shows it
    Selection selection;
    std::string split_duration;  // day | week | month | year | none
    bool split_symbols = false;
    int polls = 0;
    std::vector<File> files;  // once done
    const std::string id() const { return object.at("id").get<std::string>(); }
    const std::string state() const { return object.at("state").get<std::string>(); }
  };

  Checked<Response> Submit(const Request& request);
  Checked<Response> List(const Request& request);
  Checked<Response> ListFiles(const Request& request);
  Checked<Response> Zip(const Request& request);
  Checked<Response> Download(const Request& request);
  Checked<Job*> FindJob(const Request& request);
  // One look at the job: it may move on.
  void Poll(Job& job);
  void SetState(Job& job, const std::string& state);
  void MakeFiles(Job& job);
  void AddDataFiles(Job& job, const Selection& selection, const std::string& suffix);
  Json FilesJson(const Job& job, bool wrong_hash) const;
  std::string NextTimestamp();
  void Save() const;
  void Restore();

  Archive& archive_;
  Counts& counts_;
  const std::string state_dir_;
  std::mutex mutex_;
  std::vector<Job> jobs_;  // in order of submission
  int queued_polls_ = 1, processing_polls_ = 1, expire_after_polls_ = 0;
  int64_t ticks_ = 0;
};

}  // namespace lode::vendor
