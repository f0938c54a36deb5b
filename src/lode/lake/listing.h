// The lake's listing beside the ledger: which partitions that receipts name are not there as they say. Reads names and
// sizes, no contents.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"
#include "lode/plan/present.h"

namespace lode::lake {

// Paths below bronze/<dataset>/ of partitions that receipts name and the listing (name, size) does not show: deleted or
// replaced by somebody. A million files take about two seconds on two cores.
Result<std::set<std::string>> LostPartitions(const LakePaths& paths, ledger::Ledger& ledger, std::string_view dataset);

// The same of one partition: not there, or of another size.
Result<bool> IsLost(const LakePaths& paths, std::string_view dataset, const ledger::Partition& partition);

// The cells of a dataset, sorted by symbol and day; those of `lost` partitions are missing (plan::kLostReason).
Status ReadCells(ledger::Ledger& ledger, const ledger::DatasetRow& dataset, std::optional<Day> first,
                 std::optional<Day> last, const std::set<std::string>& lost,
                 const std::function<void(const ledger::CellView&)>& take);

// The same as a plan sees them; those of `lost` partitions are missing.
Result<plan::PresentCells> ReadPresent(ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
                                       std::optional<Day> first, std::optional<Day> last,
                                       const std::set<std::string>& lost);

}  // namespace lode::lake
