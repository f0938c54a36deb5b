// "Did you mean": the known name closest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lode {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. O(|a|·|b|); words longer than
// 256 bytes count as far from everything.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, empty when none is near enough to be what was meant.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

// " (did you mean X?)", or empty.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace lode
