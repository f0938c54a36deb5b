// What a raw symbol says: product root, contract month and year, option terms, whether it is a multi-leg instrument.
//
// Grammar and traps: CME outrights are ROOT + month letter + one or two year digits, read from the right (roots may
// begin and end with digits: 6EZ5, 10YF6, SR3H5); spreads, butterflies, strips and user-defined strategies carry '-' or
// ':'; CME options are OUTRIGHT, space, C|P and strike; OPRA uses the 21-character OSI form; ICE writes "BRN FMJ0024!".
// The authority on spreads is the definition schema's instrument_class; this is the rule for bars, which lack it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lode/base/time.h"

namespace lode::symbol {

enum class Kind { kFuture, kOption, kSpread, kOther };

struct Contract {
  Kind kind = Kind::kOther;
  std::string root;    // "ZL"; of a spread the first leg's; of a plain ticker the ticker itself
  int month = 0;       // 1..12 for futures and options, 0: none
  int year = 0;        // four digits, resolved against the day; 0: none
  int day = 0;         // day of month of an OSI option's expiry, 0: none
  char put_call = 0;   // 'C' or 'P' for options
  std::string strike;  // as written by the venue ("4250"), OSI in units of 1/1000
  bool is_spread() const { return kind == Kind::kSpread; }
};

// Never fails: what fits no grammar is kOther with the whole text as root. `as_of` is the day the symbol was seen on:
// symbols recur each decade (NQZ0 in 2010 and 2020), and a contract is never older than a month before that day.
Contract ParseContract(std::string_view raw_symbol, Day as_of);

// The two facts bars store, without allocating; equal to ParseContract's.
bool IsSpread(std::string_view raw_symbol);
std::string_view Root(std::string_view raw_symbol);

}  // namespace lode::symbol
