#include "lode/codec/option_ticker.h"

#include <algorithm>

#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

constexpr size_t kStrikeDigits = 8, kDateDigits = 6, kMaxRoot = 6;

// The last `size` characters, cut off `text`, which is long enough.
std::string_view TakeLast(std::string_view& text, size_t size) {
  const std::string_view last = text.substr(text.size() - size);
  text.remove_suffix(size);
  return last;
}

bool IsRoot(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRoot && text[0] != '.' && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  });
}

std::optional<Day> ParseShortDate(std::string_view text) {
  uint64_t digits = 0;
  if (!ParseDigits(text, digits)) return std::nullopt;
  const auto number = static_cast<int>(digits);
  const YearMonthDay date{2000 + number / 10'000, number / 100 % 100, number % 100};
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > DaysInMonth(date.year, date.month)) {
    return std::nullopt;
  }
  return ToDay(date);
}

}  // namespace

std::optional<OptionTicker> ParseOptionTicker(std::string_view ticker) {
  if (!ticker.starts_with("O:")) return std::nullopt;
  ticker.remove_prefix(2);
  if (ticker.size() <= kStrikeDigits + 1 + kDateDigits) return std::nullopt;
  uint64_t thousandths = 0;
  if (!ParseDigits(TakeLast(ticker, kStrikeDigits), thousandths)) return std::nullopt;
  const char type = TakeLast(ticker, 1)[0];
  const std::optional<Day> expiry = ParseShortDate(TakeLast(ticker, kDateDigits));
  if ((type != 'C' && type != 'P') || !expiry || !IsRoot(ticker)) return std::nullopt;
  return OptionTicker{ticker, *expiry, type, static_cast<double>(thousandths) / 1000};
}

}  // namespace lode::codec
