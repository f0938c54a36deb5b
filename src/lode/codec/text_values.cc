#include "lode/codec/text_values.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>

#include "lode/base/decimal.h"
#include "lode/base/time.h"
#include "lode/codec/digits.h"

namespace lode::codec {
namespace {

uint64_t Load4(const char* text) {
  uint32_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

// Whether all eight bytes are printable ASCII, 0x20..0x7E. (A borrow or carry comes only from a byte that is not.)
bool AreEightPrintable(uint64_t word) {
  return ((word | (word - 0x2020202020202020U) | (word + 0x0101010101010101U)) & 0x8080808080808080U) == 0;
}

// One to seven characters as the end of a word of zeros: eight digits if they are digits. Pieces that overlap, so that
// neither their number decides a branch for each nor a byte beyond them is read.
uint64_t LoadOneToSeven(const char* text, size_t size) {
  const size_t unused = 8 * (8 - size);
  const uint64_t zeros = kZeros & ((uint64_t{1} << unused) - 1);
  if (size >= 4) return zeros | Load4(text) << unused | Load4(text + size - 4) << 32;
  const auto byte = [&](size_t at) { return uint64_t{static_cast<unsigned char>(text[at])} << (unused + 8 * at); };
  return zeros | byte(0) | byte(size / 2) | byte(size - 1);
}

// At most 19 digits, so no overflow.
bool ParseShort(std::string_view text, uint64_t& value) {
  const char* at = text.data();
  const size_t first = text.size() % 8;
  uint64_t sum = 0;
  if (first > 0) {
    const uint64_t word = LoadOneToSeven(at, first);
    if (!AreEightDigits(word)) return false;
    sum = EightDigits(word);
    at += first;
  }
  for (const char* const end = text.data() + text.size(); at < end; at += 8) {
    const uint64_t word = Load8(at);
    if (!AreEightDigits(word)) return false;
    sum = sum * 100'000'000 + EightDigits(word);
  }
  value = sum;
  return true;
}

// Two digits, or more than 99 when either is none.
unsigned TwoDigits(const char* text) {
  const auto tens = static_cast<unsigned char>(text[0] - '0'), ones = static_cast<unsigned char>(text[1] - '0');
  return tens > 9 || ones > 9 ? 1000U : tens * 10U + ones;
}

constexpr TextFault kNotNumber = "is not a number";

TextFault ReadLongDouble(std::string_view text, double& value) {
  constexpr uint64_t kMaxExact = uint64_t{1} << 53;
  constexpr ptrdiff_t kMaxDigits = 19;  // no overflow of the mantissa
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = *at == '-';
  if (negative) ++at;
  uint64_t mantissa = 0;
  const char* const whole = at;
  for (; at < end && IsDigit(*at); ++at) mantissa = mantissa * 10 + static_cast<uint64_t>(*at - '0');
  ptrdiff_t digits = at - whole, decimals = 0;
  if (at < end && *at == '.') {
    const char* const fraction = ++at;
    for (; at < end && IsDigit(*at); ++at) mantissa = mantissa * 10 + static_cast<uint64_t>(*at - '0');
    decimals = at - fraction;
    digits += decimals;
  }
  if (digits == 0) return kNotNumber;
  if (at == end && digits <= kMaxDigits && mantissa <= kMaxExact) {
    const double magnitude = static_cast<double>(mantissa) / kPowersOfTen[static_cast<size_t>(decimals)];
    value = negative ? -magnitude : magnitude;
    return nullptr;
  }
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end) return kNotNumber;
  return error == std::errc() ? nullptr : "is out of the range of a double";
}

constexpr TextFault kNotPrice = "is not a price";
constexpr TextFault kWidePrice = "does not fit DECIMAL(18,9)";
constexpr TextFault kNotTime = "is not a time";
constexpr TextFault kLateTime = "is a time past 2262";

TextFault ReadDecimalPrice(std::string_view text, int64_t& scaled) {
  // The vendor's form: nine decimals.
  const bool negative = text[0] == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.size() >= 11 && digits.size() <= 19 && digits[digits.size() - 10] == '.') {
    const char* fraction = digits.data() + digits.size() - 9;
    uint64_t whole = 0;
    const uint64_t word = Load8(fraction);
    const std::string_view before = digits.substr(0, digits.size() - 10);
    if (!(ReadShortWhole(before, whole) || ParseShort(before, whole)) || !AreEightDigits(word) ||
        !IsDigit(fraction[8])) {
      return kNotPrice;
    }
    const uint64_t parts = EightDigits(word) * 10 + static_cast<uint64_t>(fraction[8] - '0');
    const auto value = static_cast<int64_t>(whole * kDecimal9Scale + parts);
    scaled = negative ? -value : value;
    return nullptr;
  }
  // Old pretty text spells UNDEF_PRICE out instead of leaving it empty.
  if (text == "9223372036.854775807") {
    scaled = kTextUndefPrice;
    return nullptr;
  }
  if (text[0] == '+') return kNotPrice;  // the shared reader takes it, the vendor never writes it
  const auto parsed = ParseDecimal9(text);
  if (!parsed) return kNotPrice;
  scaled = *parsed;
  return nullptr;
}

}  // namespace

bool ParseDigits(std::string_view text, uint64_t& value) {
  if (text.empty() || text.size() > 20) return false;
  if (text.size() < 20) return ParseShort(text, value);
  uint64_t head = 0;
  if (!ParseShort(text.substr(0, 19), head) || !IsDigit(text[19])) return false;
  const auto last = static_cast<uint64_t>(text[19] - '0');
  if (head > (UINT64_MAX - last) / 10) return false;
  value = head * 10 + last;
  return true;
}

bool ParseSigned(std::string_view text, int64_t& value) {
  const bool negative = !text.empty() && text[0] == '-';
  uint64_t magnitude = 0;
  if (!ParseDigits(text.substr(negative ? 1 : 0), magnitude)) return false;
  if (magnitude > uint64_t{INT64_MAX} + (negative ? 1 : 0)) return false;
  value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

TextFault ReadPrice(std::string_view text, TextShape shape, int64_t& scaled) {
  const bool is_vendor_form = text.size() >= 11 && text[text.size() - 10] == '.';
  if (is_vendor_form && shape != TextShape::kRaw) return ReadDecimalPrice(text, scaled);
  const bool decimal = shape == TextShape::kPretty ||
                       (shape == TextShape::kAny && std::memchr(text.data(), '.', text.size()) != nullptr);
  if (decimal) {
    if (shape == TextShape::kPretty && text.find('.') == std::string_view::npos) {
      return "is not a decimal price, though the file's prices are";
    }
    return ReadDecimalPrice(text, scaled);
  }
  if (!ParseSigned(text, scaled)) {
    if (text.find('.') != std::string_view::npos) return "is a decimal price, though the file's prices are integers";
    return kNotPrice;
  }
  return FitsDecimal9(scaled) || scaled == kTextUndefPrice ? nullptr : kWidePrice;
}

TextFault ReadDouble(std::string_view text, double& value) {
  const bool negative = text[0] == '-';
  const std::string_view unsigned_text = text.substr(negative ? 1 : 0);
  double magnitude = 0;
  if (!ReadShortDecimal(unsigned_text, magnitude)) return ReadLongDouble(text, value);
  value = negative ? -magnitude : magnitude;
  return nullptr;
}

TextFault ReadEpochUs(std::string_view text, int64_t& us) {
  constexpr TextFault kFault = "is not a time in microseconds (16 digits)";
  if (text.size() != 16 || text[0] == '0') return kFault;
  const uint64_t high = Load8(text.data()), low = Load8(text.data() + 8);
  if (!AreEightDigits(high) || !AreEightDigits(low)) return kFault;
  us = static_cast<int64_t>(EightDigits(high) * 100'000'000 + EightDigits(low));
  return nullptr;
}

TextFault ReadEpochNs(std::string_view text, int64_t& ns) {
  constexpr TextFault kFault = "is not a time in nanoseconds (19 digits)";
  if (text.size() != 19 || text[0] == '0') return kFault;
  const uint64_t high = Load8(text.data()), middle = Load8(text.data() + 8), end = Load8(text.data() + 11);
  if (!AreEightDigits(high) || !AreEightDigits(middle) || !AreEightDigits(end)) return kFault;
  const uint64_t last_three = EightDigits((end & ~uint64_t{0xFFFFFFFFFF}) | (kZeros & 0xFFFFFFFFFF));
  const uint64_t value = (EightDigits(high) * 100'000'000 + EightDigits(middle)) * 1000 + last_three;
  if (value > uint64_t{INT64_MAX}) return kLateTime;
  ns = static_cast<int64_t>(value);
  return nullptr;
}

TextFault TimeReader::ReadIso(std::string_view text, int64_t& ns) {
  // The vendor's form: 2024-01-02T00:00:00.000000000Z.
  if (text.size() == 30 && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == '.' &&
      text[29] == 'Z') {
    const char* at = text.data();
    if (std::memcmp(at, day_text_, sizeof day_text_) != 0) {
      const auto midnight = ParseIsoNs(text.substr(0, 10));
      if (!midnight) return kNotTime;
      std::memcpy(day_text_, at, sizeof day_text_);
      day_ns_ = *midnight;
    }
    const unsigned hour = TwoDigits(at + 11), minute = TwoDigits(at + 14), second = TwoDigits(at + 17);
    const uint64_t word = Load8(at + 20);
    if (hour > 23 || minute > 59 || second > 59 || !AreEightDigits(word) || !IsDigit(at[28])) return kNotTime;
    const auto fraction = static_cast<int64_t>(EightDigits(word) * 10) + (at[28] - '0');
    ns = day_ns_ + int64_t{hour * 3600 + minute * 60 + second} * kNsPerSecond + fraction;
    return nullptr;
  }
  const auto parsed = ParseIsoNs(text);
  if (!parsed) return kNotTime;
  ns = *parsed;
  return nullptr;
}

TextFault TimeReader::Read(std::string_view text, TextShape shape, int64_t& ns, bool& is_null) {
  is_null = false;
  // A date has its first '-' within five characters of its start; nanoseconds have neither '-' nor 'T'.
  const bool iso = text.size() > 4 && text[4] == '-';
  if (shape == TextShape::kPretty && !iso) return "is not an ISO-8601 time, though the file's times are";
  if (shape == TextShape::kRaw && iso) return "is an ISO-8601 time, though the file's times are nanoseconds";
  if (iso) return ReadIso(text, ns);
  uint64_t raw = 0;
  if (!ParseDigits(text, raw)) return kNotTime;
  is_null = raw == kTextUndefTime;
  if (!is_null && raw > uint64_t{INT64_MAX}) return kLateTime;
  ns = is_null ? 0 : static_cast<int64_t>(raw);
  return nullptr;
}

bool IsPrintableUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    if (end - at >= 8 && AreEightPrintable(Load8(reinterpret_cast<const char*>(at)))) {
      at += 8;
      continue;
    }
    const unsigned c = *at++;
    if (c < 0x80) {
      if (c < 0x20 || c == 0x7F) return false;
      continue;
    }
    const int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || end - at < more) return false;
    unsigned code = c & (0x3FU >> more);
    for (int i = 0; i < more; ++i) {
      if ((*at & 0xC0) != 0x80) return false;
      code = code << 6 | (*at++ & 0x3FU);
    }
    // Overlong forms, surrogates, past the last plane, and the C1 controls.
    if ((more == 2 && code < 0x800) || (more == 3 && (code < 0x10000 || code > 0x10FFFF))) return false;
    if ((code >= 0xD800 && code <= 0xDFFF) || code < 0xA0) return false;
  }
  return true;
}

TextFault CheckText(std::string_view text) {
  if (text.size() > kMaxTextBytes) return "is longer than 256 bytes";
  return IsPrintableUtf8(text) ? nullptr : "holds a control character or bytes that are not UTF-8";
}

std::string Excerpt(std::string_view text) {
  std::string out(text.substr(0, 40));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  if (text.size() > 40) out += "...";
  return out;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace lode::codec
