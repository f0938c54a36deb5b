// Shared by the files of this folder that read JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/source/databento/delivery.h"

namespace lode::source::databento {

using Json = nlohmann::json;

// Without exceptions; nlohmann's parser is iterative, so depth only costs memory, and callers bound the text.
inline Result<Json> ParseJson(std::string_view text, std::string_view what) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Fail(ErrorKind::kBadInput, "{} is not valid JSON", what);
  return json;
}

inline std::string TextOr(const Json& object, const char* key, std::string fallback = "") {
  if (!object.is_object()) return fallback;
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
}

// "ZL.FUT", "ZL.FUT,ZS.FUT" or a list of texts; null is empty. kBadInput for anything else, naming `what`.
Result<std::vector<std::string>> SymbolsOf(const Json& object, const char* key, std::string_view what);

// An entry of manifest.json's list of files, which is also what batch.list_files answers.
Result<ManifestFile> ParseManifestEntry(const Json& entry, std::string_view what);

}  // namespace lode::source::databento
