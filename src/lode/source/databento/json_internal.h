// Shared by the files of this folder that read JSON.
#pragma once

#include <string>
#include <string_view>

#include "lode/base/json.h"
#include "lode/source/databento/delivery.h"

namespace lode::source::databento {

// "ZL.FUT", "ZL.FUT,ZS.FUT" or a list of texts; null is empty. kBadInput for anything else, naming `what`.
Result<std::vector<std::string>> SymbolsOf(const Json& object, const char* key, std::string_view what);

// An entry of manifest.json's list of files, which is also what batch.list_files answers.
Result<ManifestFile> ParseManifestEntry(const Json& entry, std::string_view what);

}  // namespace lode::source::databento
