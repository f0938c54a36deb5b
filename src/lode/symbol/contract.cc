#include "lode/symbol/contract.h"

#include <algorithm>

namespace lode::symbol {
namespace {

constexpr std::string_view kMonthLetters = "FGHJKMNQUVXZ";
constexpr size_t kMaxRoot = 8;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

int MonthOf(char letter) {
  const size_t at = kMonthLetters.find(letter);
  return at == std::string_view::npos ? 0 : static_cast<int>(at) + 1;
}

struct Outright {
  std::string_view root;
  int month;
  std::string_view year_digits;
};

// "SR3H5" -> {SR3, 3, "5"}; nullopt when the text is not an outright.
std::optional<Outright> ReadCmeOutright(std::string_view text) {
  size_t year_at = text.size();
  while (year_at > 0 && IsDigit(text[year_at - 1]) && text.size() - year_at < 2) --year_at;
  // A root may end in a digit, so one year digit after a month letter is tried where two do not fit.
  for (; year_at < text.size(); ++year_at) {
    if (year_at < 2 || MonthOf(text[year_at - 1]) == 0) continue;
    const std::string_view root = text.substr(0, year_at - 1);
    const bool plain = root.size() <= kMaxRoot &&
                       std::ranges::all_of(root, [](char c) { return IsUpper(c) || IsDigit(c); }) &&
                       std::ranges::any_of(root, IsUpper);
    if (plain) return Outright{root, MonthOf(text[year_at - 1]), text.substr(year_at)};
  }
  return std::nullopt;
}

// ICE: "BRN FMJ0024!" -> {BRN, 4, "24"}.
std::optional<Outright> ReadIceOutright(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || space == 0) return std::nullopt;
  const std::string_view tail = text.substr(space + 1);
  if (tail.size() != 8 || !tail.starts_with("FM") || tail.back() != '!' || MonthOf(tail[2]) == 0) return std::nullopt;
  if (!std::ranges::all_of(tail.substr(3, 4), IsDigit)) return std::nullopt;
  return Outright{text.substr(0, space), MonthOf(tail[2]), tail.substr(5, 2)};
}

std::optional<Outright> ReadOutright(std::string_view text) {
  if (const auto cme = ReadCmeOutright(text)) return cme;
  return ReadIceOutright(text);
}

struct CmeOption {
  Outright underlying;
  char put_call;
  std::string_view strike;
};

// "OHF5 P20500" -> {OHF5, 'P', "20500"}.
std::optional<CmeOption> ReadCmeOption(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || space + 2 >= text.size()) return std::nullopt;
  const char put_call = text[space + 1];
  const std::string_view strike = text.substr(space + 2);
  if ((put_call != 'C' && put_call != 'P') ||
      !std::ranges::all_of(strike, [](char c) { return IsDigit(c) || c == '.' || c == '-'; }))
    return std::nullopt;
  const auto outright = ReadCmeOutright(text.substr(0, space));
  if (!outright) return std::nullopt;
  return CmeOption{*outright, put_call, strike};
}

struct OsiOption {
  std::string_view root, date, strike;
  char put_call;
};

// "AAPL  250221C00250000": six-character padded root, yymmdd, C|P, strike * 1000 in eight digits.
std::optional<OsiOption> ReadOsiOption(std::string_view text) {
  if (text.size() != 21 || (text[12] != 'C' && text[12] != 'P')) return std::nullopt;
  if (!std::ranges::all_of(text.substr(6, 6), IsDigit) || !std::ranges::all_of(text.substr(13), IsDigit))
    return std::nullopt;
  const std::string_view padded = text.substr(0, 6);
  const std::string_view root = padded.substr(0, padded.find(' '));
  if (root.empty()) return std::nullopt;
  return OsiOption{root, text.substr(6, 6), text.substr(13), text[12]};
}

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// The first year with these last digits whose contract month is not over for more than a month on `as_of`.
int ResolveYear(std::string_view digits, int month, Day as_of) {
  const int modulus = digits.size() == 1 ? 10 : 100;
  const YearMonthDay today = ToYearMonthDay(as_of);
  const int earliest = today.year * 12 + today.month - 1 - 1;
  int year = today.year - 1;
  while (year % modulus != Number(digits) || year * 12 + month - 1 < earliest) ++year;
  return year;
}

bool HasStrategy(std::string_view text) { return text.find(':') != std::string_view::npos; }

// '-' joins legs where one of them ends like a contract; "BRK-B" is a share class.
bool HasLegs(std::string_view text) {
  size_t start = 0;
  bool several = false, contract = false;
  while (start <= text.size()) {
    size_t end = text.find('-', start);
    if (end == std::string_view::npos)
      end = text.size();
    else
      several = true;
    const std::string_view leg = text.substr(start, end - start);
    contract |= !leg.empty() && (IsDigit(leg.back()) || leg.back() == '!');
    start = end + 1;
  }
  return several && contract;
}

}  // namespace

bool IsSpread(std::string_view raw_symbol) {
  if (HasStrategy(raw_symbol)) return true;
  return HasLegs(raw_symbol) && !ReadCmeOption(raw_symbol);
}

std::string_view Root(std::string_view raw_symbol) {
  if (HasStrategy(raw_symbol)) {
    // "HO:BF H6-M6-U6" -> HO; user-defined strategies put the product second: "UD:CL: GN 2540925" -> CL.
    std::string_view rest = raw_symbol;
    if (rest.starts_with("UD:")) rest.remove_prefix(3);
    return rest.substr(0, rest.find_first_of(": "));
  }
  if (const auto option = ReadCmeOption(raw_symbol)) return option->underlying.root;
  if (IsSpread(raw_symbol)) raw_symbol = raw_symbol.substr(0, raw_symbol.find('-'));
  if (const auto outright = ReadOutright(raw_symbol)) return outright->root;
  if (const auto option = ReadOsiOption(raw_symbol)) return option->root;
  // Continuous and parent forms: ES.v.0, ES.FUT.
  for (const std::string_view suffix : {".FUT", ".OPT", ".SPOT"}) {
    if (raw_symbol.ends_with(suffix)) return raw_symbol.substr(0, raw_symbol.size() - suffix.size());
  }
  if (raw_symbol.size() > 4 && IsDigit(raw_symbol.back())) {
    const size_t rank = raw_symbol.rfind('.');
    if (rank != std::string_view::npos && rank >= 3 && raw_symbol[rank - 2] == '.' &&
        std::string_view("cvn").find(raw_symbol[rank - 1]) != std::string_view::npos) {
      return raw_symbol.substr(0, rank - 2);
    }
  }
  return raw_symbol;
}

Contract ParseContract(std::string_view raw_symbol, Day as_of) {
  Contract contract;
  contract.root = Root(raw_symbol);
  if (IsSpread(raw_symbol)) {
    contract.kind = Kind::kSpread;
    return contract;
  }
  const auto set_month = [&](const Outright& outright) {
    contract.month = outright.month;
    contract.year = ResolveYear(outright.year_digits, outright.month, as_of);
  };
  if (const auto option = ReadCmeOption(raw_symbol)) {
    contract.kind = Kind::kOption;
    contract.put_call = option->put_call;
    contract.strike = option->strike;
    set_month(option->underlying);
  } else if (const auto outright = ReadOutright(raw_symbol)) {
    contract.kind = Kind::kFuture;
    set_month(*outright);
  } else if (const auto osi = ReadOsiOption(raw_symbol)) {
    contract.kind = Kind::kOption;
    contract.put_call = osi->put_call;
    contract.strike = osi->strike;
    contract.year = 2000 + Number(osi->date.substr(0, 2));
    contract.month = Number(osi->date.substr(2, 2));
    contract.day = Number(osi->date.substr(4, 2));
  }
  return contract;
}

}  // namespace lode::symbol
