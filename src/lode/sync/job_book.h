// Which batch jobs of a dataset were ordered, so that nothing is ordered and paid twice:
// <lake>/jobs/<dataset>/NNNNNNNN.json.
//
// An entry is written before the vendor is asked ("intended"), so that a run which dies in between leaves a trace; the
// next one looks the job up among the vendor's. Not in the ledger: that can be made again from receipts, an order
// cannot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/source/databento/api_types.h"

namespace lode::sync {

struct JobEntry {
  enum class State {
    kIntended,   // about to be ordered; whether it was, only the vendor knows
    kSubmitted,  // ordered, `job_id` is the vendor's
    kFetched,    // in the lake
    kDropped,    // not ordered after all, or expired
  };
  int64_t number = 0;
  State state = State::kIntended;
  std::string job_id;
  source::databento::BatchRequest request;
  std::optional<double> cost_usd;  // as estimated
  int64_t intended_ns = 0;         // wall clock; to read, not to decide by
  // The vendor's equal jobs before this order: not this one's.
  std::vector<std::string> equal_before;
};
std::string_view Name(JobEntry::State state);

class JobBook {
 public:
  explicit JobBook(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // By number. kCorrupt for an entry that cannot be read: an order must not be forgotten.
  Result<std::vector<JobEntry>> Read() const;
  // Durable when it returns. A number of 0 gets the next one.
  Status Write(JobEntry* entry) const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// Whether a job of the vendor's answers this very request.
bool Answers(const source::databento::BatchJob& job, const source::databento::BatchRequest& request);

}  // namespace lode::sync
