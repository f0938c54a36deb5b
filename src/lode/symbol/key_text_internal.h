// Pieces of instrument keys and of exchanges' ids.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "lode/base/text.h"
#include "lode/base/time.h"

namespace lode::symbol {

// Digits, a point among them or not.
inline bool IsDecimal(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return IsDigits(text);
  return IsDigits(text.substr(0, dot)) && IsDigits(text.substr(dot + 1));
}

// YYMMDD of this century.
inline bool IsDate(std::string_view text) {
  if (text.size() != 6 || !IsDigits(text)) return false;
  return ParseDay(fmt::format("20{}-{}-{}", text.substr(0, 2), text.substr(2, 2), text.substr(4))).has_value();
}

// Texts between any of the separators, empty ones too.
inline std::vector<std::string_view> PartsOf(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (size_t at; (at = text.find_first_of(separators)) != std::string_view::npos; text.remove_prefix(at + 1)) {
    parts.push_back(text.substr(0, at));
  }
  parts.push_back(text);
  return parts;
}

}  // namespace lode::symbol
