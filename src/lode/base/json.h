// Small JSON documents: without exceptions. The parser is iterative, so that depth only costs memory; callers bound the
// text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode {

using Json = nlohmann::json;

// kBadInput: not JSON.
inline Result<Json> ParseJson(std::string_view text, std::string_view what) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Fail(ErrorKind::kBadInput, "{} is not valid JSON", what);
  return json;
}

// A text of an object; the fallback where there is none, or it is no object.
inline std::string TextOr(const Json& object, std::string_view key, std::string fallback = "") {
  if (!object.is_object()) return fallback;
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
}

}  // namespace lode
