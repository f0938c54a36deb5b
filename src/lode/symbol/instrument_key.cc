#include "lode/symbol/instrument_key.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "lode/symbol/key_text_internal.h"

namespace lode::symbol {
namespace {

struct TypeName {
  KeyType type;
  std::string_view plain, upper;
};
constexpr std::array kTypes = std::to_array<TypeName>({{KeyType::kSpot, "Spot", "SPOT_PAIR"},
                                                       {KeyType::kPerp, "Perp", "PERPETUAL"},
                                                       {KeyType::kFuture, "Future", "FUTURE"},
                                                       {KeyType::kOption, "Option", "OPTION"},
                                                       {KeyType::kCombo, "Combo", "COMBO"},
                                                       {KeyType::kAsset, "Asset", "SPOT_ASSET"},
                                                       {KeyType::kEquity, "Equity", "EQUITY"},
                                                       {KeyType::kIndex, "Index", "INDEX"},
                                                       {KeyType::kLst, "Lst", "LST"},
                                                       {KeyType::kAToken, "AToken", "A_TOKEN"},
                                                       {KeyType::kDebtToken, "DebtToken", "DEBT_TOKEN"}});
// Names that only ever were: without '_' and '-', in upper case.
struct OldName {
  std::string_view name;
  KeyType type;
};
constexpr std::array kOldNames = std::to_array<OldName>({{"SPOT", KeyType::kSpot},
                                                         {"PERP", KeyType::kPerp},
                                                         {"SWAP", KeyType::kPerp},
                                                         {"FUT", KeyType::kFuture},
                                                         {"FUTURES", KeyType::kFuture},
                                                         {"OPT", KeyType::kOption},
                                                         {"OPTIONS", KeyType::kOption},
                                                         {"ASSET", KeyType::kAsset}});

// YYYYMM.
bool IsMonth(std::string_view text) {
  if (text.size() != 6 || !IsDigits(text) || (!text.starts_with("19") && !text.starts_with("20"))) return false;
  return text.substr(4) >= "01" && text.substr(4) <= "12";
}

std::optional<char> SideOf(std::string_view text) {
  if (text == "C" || text == "CALL") return 'C';
  if (text == "P" || text == "PUT") return 'P';
  return std::nullopt;
}

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != ':' && c != '-' && c != '/' && c != 0x7F;
  });
}

// The exchanges whose venue is not their id in upper case.
constexpr std::array kRenamed = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"okex", "okx"}, {"okex-futures", "okx-futures"}, {"okex-swap", "okx-swap"}, {"okex-options", "okx-options"}});

}  // namespace

Result<KeyStyle> ParseKeyStyle(std::string_view text) {
  if (text == "plain") return KeyStyle::kPlain;
  if (text == "upper") return KeyStyle::kUpper;
  return Fail(ErrorKind::kConfig,
              "key style '{}': known are \"plain\" (deribit:Perp:BTC-USD) and \"upper\" "
              "(DERIBIT:PERPETUAL:BTC-USD)",
              text);
}

std::optional<KeyType> ParseKeyType(std::string_view text) {
  std::string name = Upper(text);
  std::erase_if(name, [](char c) { return c == '_' || c == '-'; });
  for (const TypeName& type : kTypes) {
    std::string upper(type.upper);
    std::erase(upper, '_');
    if (name == upper) return type.type;
  }
  const auto old = std::ranges::find(kOldNames, name, &OldName::name);
  return old == kOldNames.end() ? std::nullopt : std::optional(old->type);
}

std::string_view Name(KeyType type, KeyStyle style) {
  const TypeName& name = *std::ranges::find(kTypes, type, &TypeName::type);
  return style == KeyStyle::kPlain ? name.plain : name.upper;
}

std::string VenueName(std::string_view exchange, KeyStyle style) {
  if (style == KeyStyle::kPlain) return std::string(exchange);
  for (const auto& [id, venue] : kRenamed) {
    if (id == exchange) return Upper(venue);
  }
  return Upper(exchange);
}

std::string FormatKey(const InstrumentKey& key, KeyStyle style) {
  std::string text = VenueName(key.venue, style);
  const auto add = [&](char separator, std::string_view part) {
    if (part.empty()) return;
    text += separator;
    text += part;
  };
  add(':', Name(key.type, style));
  add(':', key.base);
  add('-', key.quote);
  add('-', key.expiry);
  add('-', key.strike);
  if (key.side != 0) {
    add('-', style == KeyStyle::kPlain ? std::string_view(&key.side, 1) : key.side == 'C' ? "CALL" : "PUT");
  }
  return text;
}

Result<InstrumentKey> ParseKey(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Fail(ErrorKind::kBadInput, "'{}' is no instrument key: {}", text.substr(0, 200), why);
  };
  const size_t first = text.find(':'), second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return bad("it has the form VENUE:TYPE:SYMBOL");
  InstrumentKey key;
  key.venue = Lower(text.substr(0, first));
  if (key.venue.empty() || !std::ranges::all_of(key.venue, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      })) {
    return bad("no venue");
  }
  for (const auto& [id, venue] : kRenamed) {
    if (venue == key.venue) key.venue = id;
  }
  const auto type = ParseKeyType(text.substr(first + 1, second - first - 1));
  if (!type) return bad("no known type");
  key.type = *type;
  const std::string symbol = Upper(text.substr(second + 1));
  if (key.type == KeyType::kCombo) {
    key.base = symbol;
    const auto is_plain = [](char c) {
      return static_cast<unsigned char>(c) > ' ' && c != ':' && c != '/' && c != 0x7F;
    };
    if (symbol.empty() || !std::ranges::all_of(symbol, is_plain)) return bad("no name");
    return key;
  }
  const std::vector<std::string_view> parts = PartsOf(symbol, "-/:");
  if (!std::ranges::all_of(parts, IsName)) return bad("an empty part");
  key.base = parts[0];
  const auto count_is = [&](size_t least, size_t most) { return parts.size() >= least && parts.size() <= most; };
  switch (key.type) {
    case KeyType::kSpot:
    case KeyType::kPerp:
      if (!count_is(2, 2)) return bad("the symbol is BASE-QUOTE");
      key.quote = parts[1];
      return key;
    case KeyType::kFuture:
      if (count_is(3, 3) && IsDate(parts[2])) {
        key.quote = parts[1];
        key.expiry = parts[2];
        return key;
      }
      if (!count_is(2, 2) || !IsMonth(parts[1])) return bad("the symbol is BASE-QUOTE-YYMMDD or ROOT-YYYYMM");
      key.expiry = parts[1];
      return key;
    case KeyType::kOption: {
      const auto side = SideOf(parts.back());
      if (side && count_is(5, 5)) {
        key.quote = parts[1];
        // Expiry and strike came in either order; where both may be a date the newer order holds.
        const bool is_new = IsDate(parts[2]) && IsDecimal(parts[3]);
        key.expiry = parts[is_new ? 2 : 3];
        key.strike = parts[is_new ? 3 : 2];
        if (!IsDate(key.expiry) || !IsDecimal(key.strike)) return bad("neither expiry nor strike in their places");
      } else if (side && count_is(4, 4) && IsMonth(parts[1]) && IsDecimal(parts[2])) {
        key.expiry = parts[1];
        key.strike = parts[2];
      } else {
        return bad("the symbol is BASE-QUOTE-YYMMDD-STRIKE-C or -P");
      }
      key.side = *side;
      return key;
    }
    default:
      if (!count_is(1, 1)) return bad("the symbol is one name");
      return key;
  }
}

}  // namespace lode::symbol
