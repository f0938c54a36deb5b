#include "lode/lake/listing.h"

#include <fcntl.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "lode/base/descriptor.h"
#include "lode/lake/layout.h"
#include "lode/plan/coverage.h"
#include "lode/store/local_disk.h"

namespace lode::lake {

namespace {

// Partitions that are looked at by one thread while the next ones are read from the ledger.
constexpr size_t kBatch = 16'384;

struct NamedSize {
  std::string path;
  uint64_t size = 0;
};

// Whether what was found is not the file that receipts name.
Result<bool> IsAnother(const Result<std::optional<uint64_t>>& found, uint64_t size) {
  if (!found && found.error().kind == ErrorKind::kStorage) return std::unexpected(found.error());
  return !found || *found != size;
}

Result<std::vector<std::string>> LostOf(int folder, std::vector<NamedSize> named) {
  std::vector<std::string> lost;
  for (NamedSize& one : named) {
    LODE_TRY(const bool is_lost, IsAnother(store::FileSizeAt(folder, one.path), one.size));
    if (is_lost) lost.push_back(std::move(one.path));
  }
  return lost;
}

class Listing {
 public:
  explicit Listing(const fs::path& folder) : folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

  // False: an error ended it.
  bool Add(std::string_view path, uint64_t size) {
    next_.push_back({std::string(path), size});
    return next_.size() < kBatch || Look();
  }

  Result<std::set<std::string>> Finish() {
    if (Look()) {
      while (!running_.empty() && Collect()) {
      }
    }
    if (!outcome_) return std::unexpected(outcome_.error());
    return std::move(lost_);
  }

 private:
  bool Look() {
    if (!outcome_) return false;
    if (next_.empty()) return true;
    if (folder_.get() < 0) {  // the dataset has no folder at all
      for (NamedSize& one : next_) lost_.insert(std::move(one.path));
      next_.clear();
      return true;
    }
    if (running_.size() >= std::max(1U, std::thread::hardware_concurrency()) && !Collect()) return false;
    running_.push_back(std::async(std::launch::async, LostOf, folder_.get(), std::exchange(next_, {})));
    return true;
  }

  bool Collect() {
    Result<std::vector<std::string>> lost = running_.front().get();
    running_.erase(running_.begin());
    if (lost) {
      std::ranges::move(*lost, std::inserter(lost_, lost_.end()));
    } else if (outcome_) {
      outcome_ = std::unexpected(lost.error());
    }
    return outcome_.has_value();
  }

  Descriptor folder_;
  std::vector<NamedSize> next_;
  std::set<std::string> lost_;
  Status outcome_ = Ok();
  std::vector<std::future<Result<std::vector<std::string>>>> running_;  // oldest first; waited for when destroyed
};

}  // namespace

Result<std::set<std::string>> LostPartitions(const LakePaths& paths, ledger::Ledger& ledger, std::string_view dataset) {
  Listing listing(paths.bronze(dataset));
  LODE_TRY(ledger.ReadPartitionSizes(dataset,
                                     [&](std::string_view path, uint64_t size) { return listing.Add(path, size); }));
  return listing.Finish();
}

Result<bool> IsLost(const LakePaths& paths, std::string_view dataset, const ledger::Partition& partition) {
  return IsAnother(store::FileSize(paths.bronze(dataset) / partition.path), partition.size);
}

Status ReadCells(ledger::Ledger& ledger, const ledger::DatasetRow& dataset, std::optional<Day> first,
                 std::optional<Day> last, const std::set<std::string>& lost,
                 const std::function<void(const ledger::CellView&)>& take) {
  if (lost.empty()) return ledger.ReadCells(dataset.name, first, last, take);
  LODE_TRY(const Layout layout, Layout::Parse(dataset.layout));
  return ledger.ReadCells(dataset.name, first, last, [&](const ledger::CellView& cell) {
    const bool is_lost =
        ledger::HoldsRows(cell.state) && lost.contains(layout.PathOf(cell.day, std::string(cell.symbol)));
    ledger::CellView view = cell;
    if (is_lost) {
      view.state = ledger::CellState::kMissing;
      view.reason = plan::kLostReason;
      view.proof = {};
    }
    take(view);
  });
}

Result<plan::PresentCells> ReadPresent(ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
                                       std::optional<Day> first, std::optional<Day> last,
                                       const std::set<std::string>& lost) {
  plan::PresentCells present;
  LODE_TRY(ReadCells(ledger, dataset, first, last, lost, [&](const ledger::CellView& cell) { present.Add(cell); }));
  present.Finish();
  return present;
}

}  // namespace lode::lake
