// What the simulated vendor holds: for each data set its instruments, days and prices, and the records a query selects.
//
// Thread-safe after construction.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "query.h"
#include "records.h"
#include "symbology.h"
#include "trading_days.h"
#include "universe.h"

namespace lode::vendor {

struct DatasetState {
  DatasetState(const DatasetInfo& dataset, uint64_t seed, int64_t now_ns, int pending_days)
      : info(dataset), universe(dataset, seed), fronts(universe), days(dataset.first, seed, now_ns, pending_days) {}
  const DatasetInfo& info;
  const Universe universe;
  FrontMonths fronts;
  TradingDays days;

  // Up to when there are records of a schema: now, cut to whole intervals of bars.
  int64_t AvailableEnd(const std::string& schema) const;
};

struct ArchiveOptions {
  uint64_t seed = 1;
  int64_t now_ns = 0;
  int pending_days = 1;
  int dbn_version = 3;
};

// A query with the contracts it means.
struct Selection {
  Query query;
  DatasetState* dataset = nullptr;
  Resolution resolution;
};

// The chosen records of one day; `labels` (a mapping's index by contract) names them as the request does.
struct SelectedDay {
  Day day;
  const DayRecords& records;
  std::vector<RecordPlace> places;
  const std::map<uint32_t, uint32_t>& labels;
};

class Archive {
 public:
  explicit Archive(const ArchiveOptions& options);

  const ArchiveOptions& options() const { return options_; }
  DatasetState* Find(const std::string& dataset);
  const std::vector<std::unique_ptr<DatasetState>>& datasets() const { return datasets_; }
  void SetNow(int64_t now_ns);

  // Resolves; refuses ranges outside what is available, and queries none of whose symbols exist.
  Checked<Selection> Select(Query query);
  // Records of [from, to) (within the query's range) day by day in order of time, at most the query's limit; take
  // returns false to stop.
  void ForEachDay(const Selection& selection, Day from, Day to,
                  const std::function<bool(const SelectedDay&)>& take) const;
  uint64_t CountRecords(const Selection& selection) const;

  size_t record_size(const std::string& schema) const { return RecordSize(schema, options_.dbn_version); }
  // USD a GB (10^9 bytes of raw DBN).
  static double UnitPrice(const std::string& schema, const std::string& mode);
  double CostOf(uint64_t records, const std::string& schema, const std::string& mode) const {
    return static_cast<double>(records * record_size(schema)) / 1e9 * UnitPrice(schema, mode);
  }

 private:
  const ArchiveOptions options_;
  std::vector<std::unique_ptr<DatasetState>> datasets_;
};

}  // namespace lode::vendor
