// Bars of one size against those that make them up: 1s → 1m → 1h → 1d of the same vendor dataset. Differences are
// warnings: a vendor may have corrected one size and not yet the other.
#pragma once

#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/verify.h"
#include "lode/sink/duckdb/connection.h"
#include "lode/sink/duckdb/content_check.h"

namespace lode::sink {

// Compares open of the first, highest high, lowest low, close of the last and the sum of volumes, over UTC days that
// are complete in both datasets: no cell of the day is work in either, and each has data. A bar that only one of them
// has counts where both were asked for the same symbols that day. Databento's bars only: other sources' daily bars are
// of sessions or adjusted, and are no sums. Adds one finding a pair of datasets that differ.
Status CompareBarSizes(const ContentRequest& request, Connection& connection, std::vector<lake::Finding>* findings);

}  // namespace lode::sink
