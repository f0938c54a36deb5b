// Canonical instrument keys: "deribit:Option:BTC-USD-241225-50000-C", one name for an instrument whatever its exchange
// calls it. Grammar and history: docs/instrument-keys.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode::symbol {

enum class KeyType {
  kSpot,
  kPerp,
  kFuture,
  kOption,
  kCombo,  // several legs under one name
  // Known from older keys only; lode makes none of them.
  kAsset,
  kEquity,
  kIndex,
  kLst,
  kAToken,
  kDebtToken,
};

enum class KeyStyle {
  kPlain,  // "binance-futures:Perp:BTC-USDT", "…-C"
  kUpper,  // "BINANCE-FUTURES:PERPETUAL:BTC-USDT", "…-CALL"
};
// "plain" or "upper"; kConfig otherwise.
Result<KeyStyle> ParseKeyStyle(std::string_view text);

struct InstrumentKey {
  std::string venue;  // lower case, as lode and the vendor name the exchange: "okex-swap"
  KeyType type = KeyType::kSpot;
  std::string base;    // multipliers included: "1000PEPE", "1INCH". Of combos and single assets the whole name
  std::string quote;   // empty for combos, single assets and contracts named by a root ("ES")
  std::string expiry;  // YYMMDD, or YYYYMM where no day is known; futures and options
  std::string strike;  // decimal number as written: "50000", "0.55"
  char side = 0;       // 'C' or 'P'; options
  bool operator==(const InstrumentKey&) const = default;
};

std::string FormatKey(const InstrumentKey& key, KeyStyle style);

// Every spelling there ever was: any case; PERP and PERPETUAL, SPOT and SPOT_PAIR; '/' between base and quote; the
// strike before the expiry; C and CALL; expiry and side behind colons. kBadInput says what is wrong.
Result<InstrumentKey> ParseKey(std::string_view text);

// By any name a key ever had; case and '_' do not matter.
std::optional<KeyType> ParseKeyType(std::string_view text);
// The type's name as keys of a style have it: "Perp", "PERPETUAL".
std::string_view Name(KeyType type, KeyStyle style);
// The exchange as keys of a style have it: "okex-swap", "OKX-SWAP".
std::string VenueName(std::string_view exchange, KeyStyle style);

}  // namespace lode::symbol
