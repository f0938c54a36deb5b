#include "counts.h"

namespace lode::vendor {

void Counts::CountRequest(const std::string& endpoint, int status) {
  const std::lock_guard lock(mutex_);
  ++numbers_.requests[endpoint][std::to_string(status)];
}

void Counts::CountStream(uint64_t records, uint64_t body_bytes, double usd, bool whole) {
  const std::lock_guard lock(mutex_);
  ++numbers_.data_requests;
  numbers_.whole_responses += whole;
  numbers_.records += records;
  numbers_.bytes += body_bytes;
  numbers_.usd_stream += usd;
}

void Counts::CountCells(const std::string& schema, const std::string& symbol, const std::vector<Day>& days) {
  const std::lock_guard lock(mutex_);
  auto& cells = numbers_.cells[{schema, symbol}];
  for (const Day day : days) ++cells[day];
}

void Counts::CountJob(const std::string& id, double usd) {
  const std::lock_guard lock(mutex_);
  numbers_.jobs[id] = usd;
  numbers_.usd_jobs += usd;
}

void Counts::CountJobFile(const std::string& job_id, const std::string& name, uint64_t bytes, bool whole) {
  const std::lock_guard lock(mutex_);
  numbers_.job_bytes += bytes;
  numbers_.job_files[job_id + "/" + name] += whole;
}

void Counts::CountForeign(const Request& request) {
  const std::lock_guard lock(mutex_);
  const bool authorized = request.headers.contains("authorization") || request.Find("api_key").has_value();
  numbers_.foreign_authorized += authorized;
  numbers_.foreign.push_back({{"method", request.method},
                              {"target", request.target},
                              {"host", request.Header("host")},
                              {"authorization", authorized},
                              {"body_bytes", request.body.size()}});
}

Json Counts::Report(bool full) const {
  const std::lock_guard lock(mutex_);
  Json cells = Json::object();
  uint64_t repeated = 0;
  for (const auto& [key, days] : numbers_.cells) {
    Json entry;
    uint64_t deliveries = 0;
    Json by_day = Json::object(), twice = Json::array();
    for (const auto& [day, times] : days) {
      deliveries += times;
      by_day[FormatDay(day)] = times;
      if (times > 1) twice.push_back(FormatDay(day));
    }
    repeated += twice.size();
    entry["days"] = days.size();
    entry["deliveries"] = deliveries;
    entry["first"] = FormatDay(days.begin()->first);
    entry["last"] = FormatDay(days.rbegin()->first);
    entry["repeated"] = twice;
    if (full) entry["by_day"] = by_day;
    cells[key.first][key.second] = entry;
  }
  return {{"requests", numbers_.requests},
          {"data_requests", numbers_.data_requests},
          {"whole_responses", numbers_.whole_responses},
          {"records", numbers_.records},
          {"bytes", numbers_.bytes},
          {"usd_stream", numbers_.usd_stream},
          {"usd_jobs", numbers_.usd_jobs},
          {"jobs_submitted", numbers_.jobs.size()},
          {"jobs", numbers_.jobs},
          {"job_files", numbers_.job_files},
          {"job_bytes", numbers_.job_bytes},
          {"cells", cells},
          {"cells_repeated", repeated},
          {"foreign_requests", numbers_.foreign},
          {"foreign_authorized", numbers_.foreign_authorized}};
}

void Counts::Clear() {
  const std::lock_guard lock(mutex_);
  numbers_ = {};
}

}  // namespace lode::vendor
