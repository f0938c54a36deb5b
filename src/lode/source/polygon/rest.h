// Polygon's (Massive's) REST tables. What each is: docs/sources/polygon.md.
#pragma once

#include <memory>

#include "lode/net/http.h"
#include "lode/source/supply.h"

namespace lode::source::polygon {

// Of a dataset with `rest`; false where lode knows no such table.
bool IsPerTicker(const DatasetConfig& dataset);
bool IsSnapshot(const DatasetConfig& dataset);

// For datasets with `rest`. kConfig: not a table lode knows, no key.
Result<std::unique_ptr<Supply>> OpenRest(const Config& config, const DatasetConfig& dataset, net::Client& client);

}  // namespace lode::source::polygon
