// Text to values, shared by every text decoder: exact, without locale, without allocation. A reader returns nullptr
// when it understood the text and else a static phrase that completes "'text' …", so that bad values cost nothing
// until somebody wants to read about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lode::codec {

// nullptr: understood; else why not, e.g. "is not a price".
using TextFault = const char*;

// How prices or times are written: kRaw 1e-9 units or nanoseconds as an integer, kPretty decimals or ISO-8601.
// kAny: each value tells by its own shape ('.' in a price; 'T' or '-' in a time).
enum class TextShape { kAny, kPretty, kRaw };

// pretty_px and pretty_ts as metadata.json gives them; unset is kAny.
inline TextShape ShapeOf(std::optional<bool> pretty) {
  return !pretty ? TextShape::kAny : *pretty ? TextShape::kPretty : TextShape::kRaw;
}

inline constexpr int64_t kTextUndefPrice = INT64_MAX;
inline constexpr uint64_t kTextUndefTime = UINT64_MAX;
// Longest text value taken; DBN's widest text field is 303 bytes of a gateway message, its widest symbol 71.
inline constexpr size_t kMaxTextBytes = 256;

// One to twenty digits, nothing else; false also when it does not fit.
bool ParseDigits(std::string_view text, uint64_t& value);
// The same with an optional '-'.
bool ParseSigned(std::string_view text, int64_t& value);

// A price in 1e-9 units; kTextUndefPrice when undefined. `text` is not empty.
TextFault ReadPrice(std::string_view text, TextShape shape, int64_t& scaled);

// A decimal number, with an exponent if need be: the nearest double. No NaN, no infinity, nothing that a double cannot
// hold (1e400, 1e-400). `text` is not empty, and eight bytes from its last one on are readable (fields of CsvReader).
TextFault ReadDouble(std::string_view text, double& value);

// Microseconds since 1970-01-01 as sixteen digits, nanoseconds as nineteen: 2001-09-09 to 2262. Another number of
// digits is another unit, or what a spreadsheet left of the number.
TextFault ReadEpochUs(std::string_view text, int64_t& us);
TextFault ReadEpochNs(std::string_view text, int64_t& ns);

// Times come in runs of equal days, so the reader remembers the last day.
class TimeReader {
 public:
  // Nanoseconds since 1970-01-01; `is_null` for UNDEF_TIMESTAMP. `text` is not empty.
  TextFault Read(std::string_view text, TextShape shape, int64_t& ns, bool& is_null);

 private:
  TextFault ReadIso(std::string_view text, int64_t& ns);

  char day_text_[10] = {};
  int64_t day_ns_ = 0;
};

// Text a lake may hold: UTF-8 without control characters, at most kMaxTextBytes.
TextFault CheckText(std::string_view text);
// Well-formed UTF-8 (no surrogates, no overlong forms) without control characters, of any length.
bool IsPrintableUtf8(std::string_view text);

// At most 40 bytes of `text` fit for one line of a message: other bytes than printable ASCII become '?'.
std::string Excerpt(std::string_view text);

// Appends `text` as a JSON string with its quotes. `text` is valid UTF-8.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace lode::codec
