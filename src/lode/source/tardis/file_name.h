// Names of Tardis.dev dataset files. Source: the vendor's dataset paths and its clients' file names, docs/sources.
#pragma once

#include <filesystem>
#include <optional>

#include "lode/source/file_name.h"

namespace lode::source::tardis {

// "…/deribit/trades/2020/03/01/BTC-PERPETUAL.csv.gz" (the path of the download), or
// "deribit_trades_2020-03-01_BTC-PERPETUAL.csv.gz" (as the vendor's clients save it), or that without the day. nullopt:
// not such a name.
std::optional<FileNameFacts> ParseFilePath(const std::filesystem::path& path);

// The name under which the file is kept: the clients' form. `facts` has dataset and schema.
std::string KeptName(const FileNameFacts& facts);

}  // namespace lode::source::tardis
