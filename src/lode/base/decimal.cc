#include "lode/base/decimal.h"

namespace lode {

Result<int64_t> ParseDecimal9(std::string_view text) {
  const auto bad = [&](const char* why) {
    return Fail(ErrorKind::kBadInput, "'{}' is not a decimal: {}", text.substr(0, 40), why);
  };
  const bool negative = !text.empty() && text[0] == '-';
  size_t i = negative || (!text.empty() && text[0] == '+') ? 1 : 0;
  // 18 significant digits fit int64 with room to spare, so the loop needs no overflow check per digit.
  int64_t value = 0;
  int digits = 0, significant = 0;
  for (; i < text.size() && text[i] != '.'; ++i, ++digits) {
    if (text[i] < '0' || text[i] > '9') return bad("not a digit");
    if (value != 0 || text[i] != '0') ++significant;
    if (significant > 9) return bad("does not fit DECIMAL(18,9)");
    value = value * 10 + (text[i] - '0');
  }
  int fraction = 0;
  if (i < text.size()) {
    for (++i; i < text.size(); ++i, ++fraction) {
      if (text[i] < '0' || text[i] > '9') return bad("not a digit");
      if (fraction == 9) return bad("more than nine fractional digits");
      value = value * 10 + (text[i] - '0');
    }
    if (fraction == 0) return bad("no digit after the point");
  }
  if (digits == 0) return bad(text.empty() ? "empty" : "no digit before the point");
  for (; fraction < 9; ++fraction) value *= 10;
  return negative ? -value : value;
}

std::string FormatDecimal9(int64_t scaled) {
  const bool negative = scaled < 0;
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(scaled) : static_cast<uint64_t>(scaled);
  return fmt::format("{}{}.{:09}", negative ? "-" : "", magnitude / kDecimal9Scale, magnitude % kDecimal9Scale);
}

}  // namespace lode
