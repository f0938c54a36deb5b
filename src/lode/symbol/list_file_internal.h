// List files of the user's own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::symbol {

inline constexpr uint64_t kLongestListFile = 64 << 20;
inline constexpr size_t kLongestSymbol = 256;

// The parts of "A, B,C", without spaces around them; empty ones are left out. Views into `text`.
std::vector<std::string_view> SplitList(std::string_view text);

// kConfig names the file, and the line that cannot be a symbol.
Result<std::vector<std::string>> ReadListFile(const std::filesystem::path& file);
// The same from text; `csv`: symbols are in the first column.
Result<std::vector<std::string>> ParseListFile(std::string_view text, bool csv, std::string_view origin_name);

}  // namespace lode::symbol
