// Fixed-point decimals with nine fractional digits: the unit of every Databento price (1e-9), exact in int64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode {

inline constexpr int64_t kDecimal9Scale = 1'000'000'000;
// DECIMAL(18,9) holds |value| <= 999'999'999.999999999.
inline constexpr int64_t kDecimal9Max = 999'999'999'999'999'999;

// True when `scaled` (value * 1e9) fits DECIMAL(18,9).
inline bool FitsDecimal9(int64_t scaled) { return scaled >= -kDecimal9Max && scaled <= kDecimal9Max; }

// "-12.5" -> -12'500'000'000. Optional sign, digits, optional '.', at most nine fractional digits; no exponent, no
// spaces, no locale. kBadInput on any other text or when the value does not fit DECIMAL(18,9).
Result<int64_t> ParseDecimal9(std::string_view text);

// Nine fractional digits: -12'500'000'000 -> "-12.500000000".
std::string FormatDecimal9(int64_t scaled);

}  // namespace lode
