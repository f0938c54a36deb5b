// What clients asked for, got and were billed: the facts a test asserts on. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "faults.h"
#include "lode/base/time.h"

namespace lode::vendor {

class Counts {
 public:
  void CountRequest(const std::string& endpoint, int status);
  // A billed stream: what the endpoint produced. `whole`: the client was sent all of it unharmed.
  void CountStream(uint64_t records, uint64_t body_bytes, double usd, bool whole);
  // A symbol's days that one billed response held whole.
  void CountCells(const std::string& schema, const std::string& symbol, const std::vector<Day>& days);
  void CountJob(const std::string& id, double usd);
  void CountJobFile(const std::string& job_id, const std::string& name, uint64_t bytes, bool whole);
  void CountForeign(const Request& request);

  // `full`: every day of every cell instead of a summary.
  Json Report(bool full) const;
  void Clear();

 private:
  struct Numbers {
    std::map<std::string, std::map<std::string, uint64_t>> requests;  // endpoint, then status
    uint64_t data_requests = 0, whole_responses = 0, records = 0, bytes = 0;
    double usd_stream = 0, usd_jobs = 0;
    std::map<std::pair<std::string, std::string>, std::map<Day, uint32_t>> cells;
    std::map<std::string, double> jobs;
    std::map<std::string, uint64_t> job_files;  // "JOB/FILE": whole downloads
    uint64_t job_bytes = 0, foreign_authorized = 0;
    Json foreign = Json::array();
  };
  mutable std::mutex mutex_;
  Numbers numbers_;
};

}  // namespace lode::vendor
