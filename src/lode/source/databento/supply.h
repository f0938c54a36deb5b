// Databento over the wire: timeseries.get_range, a file a request. What it supports, costs and where the vendor differs
// from what people expect: docs/sources/databento.md.
#pragma once

#include <memory>

#include "lode/source/supply.h"

namespace lode::source::databento {

// kConfig: no vendor dataset, no or an unknown schema, no symbols, no key.
Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client);

}  // namespace lode::source::databento
