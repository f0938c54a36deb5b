// Tardis over the wire: the csv.gz files of exchange × data type × symbol × day. What it supports and where the vendor
// differs from what people expect: docs/sources/tardis.md.
#pragma once

#include <memory>

#include "lode/source/supply.h"

namespace lode::source::tardis {

// kConfig: no exchange or data type, or ones that cannot be. A key is not needed: without one the first day of each
// month is there.
Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client);

}  // namespace lode::source::tardis
