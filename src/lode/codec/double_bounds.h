#pragma once

#include <cstdint>
#include <span>
#include <utility>

namespace lode::codec {

// Least and greatest of doubles given as their bits, NaN left out; (inf, -inf) when there is none.
std::pair<double, double> BoundsOfDoubles(std::span<const int64_t> values);

}  // namespace lode::codec
