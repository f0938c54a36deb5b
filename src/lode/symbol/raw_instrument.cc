#include "lode/symbol/raw_instrument.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "lode/symbol/key_text_internal.h"

namespace lode::symbol {
namespace {

// ---- pieces of ids ----

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kMonthCodes = "FGHJKMNQUVXZ";

int NumberOf(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = 10 * number + (c - '0');
  return number;
}

std::string Compact(const YearMonthDay& date) {
  return fmt::format("{:02}{:02}{:02}", date.year % 100, date.month, date.day);
}

// "29MAR24", "5APR24" -> "240329"; empty: no such date.
std::string DayMonthYear(std::string_view text) {
  if (text.size() != 6 && text.size() != 7) return {};
  const std::string_view day = text.substr(0, text.size() - 5), year = text.substr(text.size() - 2);
  const auto month = std::ranges::find(kMonths, text.substr(day.size(), 3));
  if (!IsDigits(day) || !IsDigits(year) || month == kMonths.end()) return {};
  const YearMonthDay date{2000 + NumberOf(year), static_cast<int>(month - kMonths.begin()) + 1, NumberOf(day)};
  if (date.day < 1 || date.day > DaysInMonth(date.year, date.month)) return {};
  return Compact(date);
}

// "240329" as it is; empty: no such date.
std::string_view DateOrNone(std::string_view text) { return IsDate(text) ? text : std::string_view(); }

// "Z24" -> the last Friday of December 2024, when such contracts expire.
std::string MonthCode(std::string_view text) {
  if (text.size() != 3 || !IsDigits(text.substr(1))) return {};
  const size_t month = kMonthCodes.find(text.front());
  if (month == std::string_view::npos) return {};
  const int year = 2000 + NumberOf(text.substr(1)), number = static_cast<int>(month) + 1;
  Day day = ToDay({year, number, DaysInMonth(year, number)});
  while ((day.since_epoch % 7 + 7) % 7 != 1) day = day - 1;  // day 0 was a Thursday
  return Compact(ToYearMonthDay(day));
}

// ---- rules by exchange ----

constexpr std::string_view kBinance[] = {"USDT", "BUSD",  "USDC", "FDUSD", "TUSD", "USDP", "PAX",  "USDS", "USD1",
                                         "XUSD", "BFUSD", "UST",  "DAI",   "VAI",  "BTC",  "ETH",  "BNB",  "XRP",
                                         "TRX",  "DOGE",  "DOT",  "SOL",   "EUR",  "AEUR", "EURI", "GBP",  "AUD",
                                         "BRL",  "TRY",   "RUB",  "UAH",   "NGN",  "ZAR",  "IDRT", "BIDR", "BVND",
                                         "BKRW", "JPY",   "MXN",  "ARS",   "COP",  "CZK",  "PLN",  "RON"};
constexpr std::string_view kBinanceUs[] = {"USDT", "USDC", "BUSD", "USD", "BTC", "ETH", "BNB", "DAI"};
constexpr std::string_view kBinanceFutures[] = {"USDT", "USDC", "BUSD", "BTC", "USD1"};
constexpr std::string_view kBinanceDelivery[] = {"USD"};
constexpr std::string_view kBybit[] = {"USDT", "USDC", "USD"};
constexpr std::string_view kBybitSpot[] = {"USDT", "USDC", "USDE", "USDR", "USD1", "DAI", "BTC", "ETH",  "SOL",
                                           "MNT",  "EUR",  "BRL",  "BRZ",  "TRY",  "PLN", "GBP", "USDQ", "EURQ"};

enum class Form { kJoined, kDeribit, kBybit, kDashed, kQuoteFirst, kOptions };
struct Rule {
  std::string_view exchange;
  Form form;
  std::span<const std::string_view> quotes = {};  // of joined ids; the longest that fits is the quote
  std::string_view only_quote = {};               // of ids that do not name one
};
constexpr std::array kRules = std::to_array<Rule>({{"binance", Form::kJoined, kBinance},
                                                   {"binance-us", Form::kJoined, kBinanceUs},
                                                   {"binance-futures", Form::kJoined, kBinanceFutures},
                                                   {"binance-delivery", Form::kJoined, kBinanceDelivery},
                                                   {"binance-european-options", Form::kOptions, {}, "USDT"},
                                                   {"bybit", Form::kBybit, kBybit},
                                                   {"bybit-spot", Form::kJoined, kBybitSpot},
                                                   {"bybit-options", Form::kOptions, {}, "USDC"},
                                                   {"deribit", Form::kDeribit},
                                                   {"okex", Form::kDashed},
                                                   {"okex-futures", Form::kDashed},
                                                   {"okex-swap", Form::kDashed},
                                                   {"okex-options", Form::kDashed},
                                                   {"coinbase", Form::kDashed},
                                                   {"upbit", Form::kQuoteFirst}});

class Reader {
 public:
  Reader(const RawInstrument& instrument, const Rule* rule) : raw_(instrument), rule_(rule), id_(Upper(instrument.id)) {
    key_.venue = raw_.exchange;
  }

  Result<InstrumentKey> Read() {
    if (id_.empty() ||
        std::ranges::any_of(id_, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; })) {
      return Bad("no id");
    }
    if (raw_.type == "spot")
      key_.type = KeyType::kSpot;
    else if (raw_.type == "perpetual")
      key_.type = KeyType::kPerp;
    else if (raw_.type == "future")
      key_.type = KeyType::kFuture;
    else if (raw_.type == "option")
      key_.type = KeyType::kOption;
    else if (raw_.type == "combo")
      key_.type = KeyType::kCombo;
    else
      return Bad("a type without keys");
    if (key_.type == KeyType::kCombo) return Combo();
    if (rule_ == nullptr) return FromTerms();
    switch (rule_->form) {
      case Form::kJoined: return Joined();
      case Form::kDeribit: return Deribit();
      case Form::kBybit: return Bybit();
      case Form::kDashed: return Dashed();
      case Form::kQuoteFirst: return QuoteFirst();
      case Form::kOptions: return Options();
    }
    return Bad("no rule");
  }

 private:
  std::unexpected<Error> Bad(std::string_view why) const {
    return Fail(ErrorKind::kBadInput, "{} {} '{}': {}", raw_.exchange, raw_.type, raw_.id, why);
  }
  bool Is(KeyType type) const { return key_.type == type; }

  Result<InstrumentKey> Done() {
    if (key_.base.empty() || key_.quote.empty()) return Bad("no base or no quote in it");
    if ((Is(KeyType::kFuture) || Is(KeyType::kOption)) && key_.expiry.empty()) return Bad("no expiry in it");
    if (Is(KeyType::kOption) && (!IsDecimal(key_.strike) || (key_.side != 'C' && key_.side != 'P'))) {
      return Bad("no strike, or neither call nor put");
    }
    return std::move(key_);
  }

  // Base and quote by the longest known quote at the end.
  bool SplitJoined(std::string_view pair) {
    for (const std::string_view quote : rule_->quotes) {
      if (quote.size() > key_.quote.size() && pair.size() > quote.size() && pair.ends_with(quote)) {
        key_.quote = quote;
        key_.base = pair.substr(0, pair.size() - quote.size());
      }
    }
    return !key_.quote.empty();
  }

  // BTCUSDT, BTCUSDT_240329, BTCUSD_PERP; what else is behind the bar tells one listing of a name from another.
  Result<InstrumentKey> Joined() {
    const size_t bar = id_.find('_');
    const std::string_view pair = std::string_view(id_).substr(0, bar);
    if (!SplitJoined(pair)) return Bad("no known quote at its end");
    if (bar == std::string::npos) return Done();
    const std::string_view rest = std::string_view(id_).substr(bar + 1);
    if (Is(KeyType::kFuture)) {
      key_.expiry = DateOrNone(rest);
    } else if (rest != "PERP") {
      key_.quote += std::string_view(id_).substr(bar);
    }
    return Done();
  }

  // BTC-PERPETUAL, ETH_USDC-PERPETUAL, BTC-27DEC24, XRP_USDC-28JUN24-0d55-P, BTC_USDC.
  Result<InstrumentKey> Deribit() {
    const std::vector<std::string_view> parts = PartsOf(id_, "-");
    const size_t bar = parts[0].find('_');
    key_.base = parts[0].substr(0, bar);
    key_.quote = bar == std::string_view::npos ? "USD" : parts[0].substr(bar + 1);
    if (Is(KeyType::kSpot)) {
      if (parts.size() != 1 || bar == std::string_view::npos) return Bad("a spot pair is BASE_QUOTE");
      return Done();
    }
    if (Is(KeyType::kPerp)) {
      if (parts.size() != 2 || parts[1] != "PERPETUAL") return Bad("it does not end in -PERPETUAL");
      return Done();
    }
    if (parts.size() != (Is(KeyType::kFuture) ? 2 : 4)) return Bad("another number of parts");
    key_.expiry = DayMonthYear(parts[1]);
    if (Is(KeyType::kOption)) SetOption(parts[2], parts[3]);
    return Done();
  }

  void SetOption(std::string_view strike, std::string_view side) {
    key_.strike = strike;
    std::ranges::replace(key_.strike, 'D', '.');  // 0d55
    if (side == "C" || side == "P") key_.side = side[0];
  }

  // BTCUSD, BTCUSDT, BTCPERP, BTCUSDZ24, BTC-29MAR24, BTCUSDT-26DEC25.
  Result<InstrumentKey> Bybit() {
    const std::string_view id = id_;
    if (const size_t dash = id.find('-'); dash != std::string_view::npos) {
      key_.expiry = DayMonthYear(id.substr(dash + 1));
      if (!SplitJoined(id.substr(0, dash))) {
        key_.base = id.substr(0, dash);
        key_.quote = "USDC";
      }
      return Done();
    }
    if (Is(KeyType::kFuture)) {
      if (id.size() < 4) return Bad("no expiry in it");
      key_.expiry = MonthCode(id.substr(id.size() - 3));
      SplitJoined(id.substr(0, id.size() - 3));
      return Done();
    }
    if (id.ends_with("PERP")) {
      key_.base = id.substr(0, id.size() - 4);
      key_.quote = "USDC";
      return Done();
    }
    SplitJoined(id);
    return Done();
  }

  // BTC-USDT, BTC-USDT-SWAP, BTC-USD-240329, BTC-USD-240329-50000-C.
  Result<InstrumentKey> Dashed() {
    const std::vector<std::string_view> parts = PartsOf(id_, "-");
    const size_t wanted = Is(KeyType::kSpot) ? 2 : Is(KeyType::kOption) ? 5 : 3;
    if (parts.size() != wanted) return Bad("another number of parts");
    key_.base = parts[0];
    key_.quote = parts[1];
    if (Is(KeyType::kPerp) && parts[2] != "SWAP" && parts[2] != "PERP") return Bad("it does not end in -SWAP");
    if (Is(KeyType::kFuture) || Is(KeyType::kOption)) key_.expiry = DateOrNone(parts[2]);
    if (Is(KeyType::kOption)) SetOption(parts[3], parts[4]);
    return Done();
  }

  // KRW-BTC.
  Result<InstrumentKey> QuoteFirst() {
    const std::vector<std::string_view> parts = PartsOf(id_, "-");
    if (!Is(KeyType::kSpot) || parts.size() != 2) return Bad("a pair is QUOTE-BASE");
    key_.quote = parts[0];
    key_.base = parts[1];
    return Done();
  }

  // BTC-240329-50000-C, BTC-29MAR24-50000-C, and the quote behind them where it is not the usual one.
  Result<InstrumentKey> Options() {
    const std::vector<std::string_view> parts = PartsOf(id_, "-");
    if (!Is(KeyType::kOption) || (parts.size() != 4 && parts.size() != 5)) return Bad("another number of parts");
    key_.base = parts[0];
    key_.quote = parts.size() == 5 ? parts[4] : rule_->only_quote;
    key_.expiry = DateOrNone(parts[1]);
    if (key_.expiry.empty()) key_.expiry = DayMonthYear(parts[1]);
    SetOption(parts[2], parts[3]);
    return Done();
  }

  // A strike: 0D55 -> 0.55.
  static std::string WithPoint(std::string_view part) {
    std::string text(part);
    const size_t point = part.find('D');
    if (point != std::string_view::npos && IsDigits(part.substr(0, point)) && IsDigits(part.substr(point + 1))) {
      text[point] = '.';
    }
    return text;
  }

  // BTC-FS-29MAR24_PERP -> BTC-FS-240329_PERP: its own name, with dates and strikes as elsewhere.
  Result<InstrumentKey> Combo() {
    std::string_view rest = id_;
    while (!rest.empty()) {
      const size_t end = rest.find_first_of("-_");
      const std::string_view part = rest.substr(0, end);
      const std::string date = DayMonthYear(part);
      key_.base += date.empty() ? WithPoint(part) : date;
      if (end == std::string_view::npos) break;
      key_.base += rest[end] == '/' ? '-' : rest[end];
      rest.remove_prefix(end + 1);
    }
    if (key_.base.contains(':') || key_.base.contains('/')) return Bad("a character that no key can have");
    return std::move(key_);
  }

  Result<InstrumentKey> FromTerms() {
    if (raw_.base.empty() || raw_.quote.empty()) {
      return Bad("lode has no rules for this exchange's ids; with a key for the vendor its terms tell");
    }
    key_.base = raw_.base;
    key_.quote = raw_.quote;
    if (raw_.expiry && (Is(KeyType::kFuture) || Is(KeyType::kOption)))
      key_.expiry = Compact(ToYearMonthDay(*raw_.expiry));
    if (Is(KeyType::kOption)) {
      key_.strike = raw_.strike;
      key_.side = raw_.side;
    }
    return Done();
  }

  const RawInstrument& raw_;
  const Rule* rule_;
  std::string id_;  // in upper case
  InstrumentKey key_;
};

}  // namespace

Result<InstrumentKey> KeyOf(const RawInstrument& instrument) {
  const auto rule = std::ranges::find(kRules, instrument.exchange, &Rule::exchange);
  return Reader(instrument, rule == kRules.end() ? nullptr : &*rule).Read();
}

std::string_view SettlementOf(const InstrumentKey& key) {
  const bool is_contract = key.type == KeyType::kPerp || key.type == KeyType::kFuture || key.type == KeyType::kOption;
  return is_contract && key.quote == "USD" ? key.base : key.quote;
}

std::string CcxtSymbol(const InstrumentKey& key) {
  if (key.type == KeyType::kCombo || key.quote.empty()) return {};
  std::string symbol = key.base + "/" + key.quote;
  if (key.type == KeyType::kSpot) return symbol;
  symbol += ':';
  symbol += SettlementOf(key);
  if (!key.expiry.empty()) symbol.append("-").append(key.expiry);
  if (!key.strike.empty()) symbol.append("-").append(key.strike).append("-") += key.side;
  return symbol;
}

std::string_view CcxtExchange(std::string_view exchange) {
  constexpr auto kNames =
      std::to_array<std::pair<std::string_view, std::string_view>>({{"binance", "binance"},
                                                                    {"binance-us", "binanceus"},
                                                                    {"binance-futures", "binanceusdm"},
                                                                    {"binance-delivery", "binancecoinm"},
                                                                    {"binance-european-options", "binance"},
                                                                    {"bybit", "bybit"},
                                                                    {"bybit-spot", "bybit"},
                                                                    {"bybit-options", "bybit"},
                                                                    {"deribit", "deribit"},
                                                                    {"okex", "okx"},
                                                                    {"okex-futures", "okx"},
                                                                    {"okex-swap", "okx"},
                                                                    {"okex-options", "okx"},
                                                                    {"coinbase", "coinbase"},
                                                                    {"upbit", "upbit"}});
  for (const auto& [id, name] : kNames) {
    if (id == exchange) return name;
  }
  return {};
}

}  // namespace lode::symbol
