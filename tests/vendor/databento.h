// Databento's historical API: /v0/metadata.*, symbology.resolve, timeseries.get_range and batch.*.
#pragma once

#include <memory>
#include <string>

#include "archive.h"
#include "counts.h"
#include "http.h"

namespace lode::vendor {

class BatchJobs;

struct DatabentoOptions {
  ArchiveOptions archive;
  std::string key;        // empty: any key will do
  std::string state_dir;  // of batch jobs; empty: they live in memory
};

class Databento {
 public:
  Databento(const DatabentoOptions& options, Counts& counts);
  ~Databento();

  // Whether a path is one of this vendor's.
  static bool Owns(const std::string& path) { return path.starts_with("/v0/"); }
  // `needs_key` false: for the foreign listener, where links to files work without a key.
  Response Handle(const Request& request, bool needs_key = true);
  // POST /_sim/revise, /_sim/today, /_sim/condition, /_sim/jobs.
  Response Control(const std::string& action, const Json& body);

  int64_t now_ns() const { return archive_.datasets()[0]->days.now_ns(); }

 private:
  Checked<Response> Route(const Request& request, const std::string& method);
  Checked<Response> Metadata(const Request& request, const std::string& method);
  Checked<Response> ListFields(const Request& request);
  Checked<Response> DatasetCondition(const Request& request);
  Checked<Response> DatasetRange(const Request& request);
  Checked<Response> Amount(const Request& request, const std::string& method);
  Checked<Response> SymbologyResolve(const Request& request);
  Checked<Response> GetRange(const Request& request);
  Checked<DatasetState*> DatasetOf(const Request& request);
  bool IsAuthorized(const Request& request) const;

  const DatabentoOptions options_;
  Counts& counts_;
  Archive archive_;
  std::unique_ptr<BatchJobs> jobs_;
};

// Body of symbology.resolve, also a delivery's symbology.json.
Json SymbologyJson(const Resolution& resolution, const std::vector<std::string>& symbols, const std::string& stype_in,
                   const std::string& stype_out, Day d0, Day d1);
// Body of metadata.get_dataset_condition, also a delivery's condition.json.
Json ConditionJson(const DatasetState& dataset, Day from, Day to);

}  // namespace lode::vendor
