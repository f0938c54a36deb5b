// A guard before the TOML parser: it bounds nested brackets itself, but a dotted key of 100,000 parts makes as many
// nested tables, whose destruction overflows the stack.
#pragma once

#include <cstddef>
#include <string_view>

namespace lode::config {

// The most dots in one key (text outside strings and comments, between other punctuation). Exact on valid TOML; on
// invalid TOML it is exact up to the fault, where the parser stops too.
size_t LongestDottedKey(std::string_view toml);

}  // namespace lode::config
