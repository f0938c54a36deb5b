// Polygon/Massive flat files over S3: an object a market day, discovered by listing the bucket. What is supported, and
// where the vendor differs from what people expect: docs/sources/polygon.md.
#pragma once

#include <memory>

#include "lode/source/supply.h"

namespace lode::source::polygon {

// For datasets with `flat_file`. kConfig: not a flat file lode knows, an unknown calendar, symbols, no S3 key.
Result<std::unique_ptr<Supply>> OpenFlatFiles(const Config& config, const DatasetConfig& dataset, net::Client& client);

}  // namespace lode::source::polygon
