// What an exchange calls its instruments, and the canonical key each one gets. Rules by exchange, in
// docs/instrument-keys.md; pure, and a few hundred ns an instrument.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/symbol/instrument_key.h"

namespace lode::symbol {

struct RawInstrument {
  std::string_view exchange;  // the vendor's id: "binance-futures"
  std::string_view id;        // the exchange's own: "btcusdt_240329"
  std::string_view type;      // spot | perpetual | future | option | combo
  // Terms of the vendor's, where it was asked for them: they name what an id of an exchange without rules does not.
  std::string_view base, quote, strike;
  char side = 0;
  std::optional<Day> expiry;
};

// Expiry, strike and multipliers come from the id; nothing is dropped or guessed. kBadInput for an id that the
// exchange's rules cannot read; of exchanges without rules, for one without terms.
Result<InstrumentKey> KeyOf(const RawInstrument& instrument);

// What profit and loss are paid in: the base of contracts quoted in USD, else the quote.
std::string_view SettlementOf(const InstrumentKey& key);

// "BTC/USDT:USDT-240329", as ccxt names it; empty for combos. Exchange: "binanceusdm"; empty where it has none.
std::string CcxtSymbol(const InstrumentKey& key);
std::string_view CcxtExchange(std::string_view exchange);

}  // namespace lode::symbol
