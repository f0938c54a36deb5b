// FRED over the wire: observations with their vintages, a file a series and range of years. What it supports and where
// the vendor differs from what people expect: docs/sources/fred.md.
#pragma once

#include <memory>
#include <optional>

#include "lode/source/file_name.h"
#include "lode/source/supply.h"

namespace lode::source::fred {

// kConfig: an unknown schema, no key.
Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client);

// "DGS10.observations.0123456789abcdef.json.zst", under which what was fetched is kept. nullopt: not such a name.
std::optional<FileNameFacts> ParseFileName(std::string_view name);

}  // namespace lode::source::fred
