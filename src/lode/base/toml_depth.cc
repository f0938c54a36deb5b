#include "lode/base/toml_depth.h"

#include <algorithm>

namespace lode::config {
namespace {

// Position after the string that starts at `at` with a quote. A one-line string ends with its line at the latest.
size_t AfterString(std::string_view toml, size_t at) {
  char quote = toml[at];
  bool multi_line = toml.substr(at).starts_with(std::string_view(quote == '"' ? "\"\"\"" : "'''"));
  size_t i = at + (multi_line ? 3 : 1);
  while (i < toml.size()) {
    if (toml[i] == '\\' && quote == '"') {
      i += 2;
      continue;
    }
    if (!multi_line && toml[i] == '\n') return i;
    if (toml[i] != quote) {
      ++i;
      continue;
    }
    if (!multi_line) return i + 1;
    size_t end = i;
    while (end < toml.size() && toml[end] == quote) ++end;
    if (end - i >= 3) return std::min(end, i + 5);  // up to two quotes may stand before the closing three
    i = end;
  }
  return toml.size();
}

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == ' ' || c == '\t';
}

}  // namespace

size_t LongestDottedKey(std::string_view toml) {
  size_t longest = 0, dots = 0;
  for (size_t i = 0; i < toml.size();) {
    char c = toml[i];
    if (c == '"' || c == '\'') {
      i = AfterString(toml, i);
      continue;
    }
    if (c == '#') {
      i = std::min(toml.find('\n', i), toml.size());
      continue;
    }
    if (c == '.') {
      longest = std::max(longest, ++dots);
    } else if (!IsKeyCharacter(c)) {
      dots = 0;
    }
    ++i;
  }
  return longest;
}

}  // namespace lode::config
