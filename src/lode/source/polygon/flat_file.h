// Names of Polygon/Massive flat files. Source: the vendor's bucket layout, docs/sources.
#pragma once

#include <filesystem>
#include <optional>

#include "lode/source/file_name.h"

namespace lode::source::polygon {

// The symbol of a flat file's cells: each holds the whole market's day.
inline constexpr const char* kAllSymbols = "ALL_SYMBOLS";

// "…/us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz", or a file's name alone:
// "us_stocks_sip-day_aggs_v1-2024-01-02.csv.gz", which is how lode keeps it, and "2024-01-02.csv.gz", whose header must
// tell the rest. nullopt: not such a name.
std::optional<FileNameFacts> ParseFlatFilePath(const std::filesystem::path& path);

// The name under which the file is kept: it says what the folders said. `facts` has schema and day.
std::string KeptName(const FileNameFacts& facts);

}  // namespace lode::source::polygon
