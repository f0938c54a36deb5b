// Decimal digits, eight at a time: what the readers of text_values.h are made of. Inline, for the loops that read
// millions.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lode::codec {

static_assert(std::endian::native == std::endian::little, "the eight-digit reader loads little-endian words");

inline uint64_t Load8(const char* text) {
  uint64_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

inline constexpr uint64_t kZeros = 0x3030303030303030U;  // "00000000"

// Whether all eight bytes are '0'..'9': the high nibble is 3, and stays 3 when six is added.
inline bool AreEightDigits(uint64_t word) {
  return ((word & 0xF0F0F0F0F0F0F0F0U) | (((word + 0x0606060606060606U) & 0xF0F0F0F0F0F0F0F0U) >> 4)) ==
         0x3333333333333333U;
}

// Eight digits at once: neighbours are joined to two, four, eight digits by three multiplications (D. Lemire,
// "Quickly parsing eight digits", 2022).
inline uint64_t EightDigits(uint64_t word) {
  word -= 0x3030303030303030U;
  word = word * 10 + (word >> 8);
  return (((word & 0x000000FF000000FFU) * 0x000F424000000064U) +
          (((word >> 16) & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
         32;
}

// A mantissa and a power of ten that doubles hold exactly give the nearest double in one division (W. Clinger, "How to
// read floating point numbers accurately", 1990).
inline constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// One to eight digits; false: it is something else. Eight bytes from the last one on are readable.
inline bool ReadShortWhole(std::string_view text, uint64_t& value) {
  if (text.size() - 1 > 7) return false;
  const unsigned unused = 8 * (8 - static_cast<unsigned>(text.size()));
  const uint64_t word = Load8(text.data()) << unused | (kZeros & ((uint64_t{1} << unused) - 1));
  value = EightDigits(word);
  return AreEightDigits(word);
}

// A decimal of up to eight characters without sign or exponent: the nearest double. False: it is something else, or not
// a number. No branch depends on the number of characters or on whether there is a point: prices change both, and a
// wrong guess of the processor costs more than the whole number. Eight bytes from the last one on are readable.
inline bool ReadShortDecimal(std::string_view text, double& value) {
  constexpr uint64_t kDots = 0x2E2E2E2E2E2E2E2EU;
  if (text.size() - 1 > 7) return false;
  const unsigned unused = 8 * (8 - static_cast<unsigned>(text.size()));
  uint64_t word = Load8(text.data()) << unused;  // the text's end is the word's end
  word |= kZeros & ((uint64_t{1} << unused) - 1);
  const uint64_t dots = word ^ kDots;
  const uint64_t dot = (dots - 0x0101010101010101U) & ~dots & 0x8080808080808080U;  // the lowest bit is the first dot's
  // Everything before the point moves into its place.
  const uint64_t has_dot = dot != 0 ? ~uint64_t{0} : 0;
  const unsigned at = static_cast<unsigned>(std::countr_zero(dot | uint64_t{1} << 63)) / 8;
  const uint64_t before = (uint64_t{1} << (8 * at)) - 1;
  word = (word & ~((before << 8 | 0xFF) & has_dot)) | ((word & before) << 8 & has_dot) | ('0' & has_dot);
  if (!AreEightDigits(word) || text == ".") return false;
  value = static_cast<double>(EightDigits(word)) / kPowersOfTen[(7 - at) & has_dot];
  return true;
}

}  // namespace lode::codec
