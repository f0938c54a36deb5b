// Symbols to instruments by day: the one rule behind symbology.resolve, the mappings of DBN metadata and the choice of
// records.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "universe.h"

namespace lode::vendor {

// Which contract stands first, second … by a rule on a day. Computed once for a root's whole history. Thread-safe.
class FrontMonths {
 public:
  explicit FrontMonths(const Universe& universe) : universe_(universe) {}

  // rule: 'c' nearest expiry, 'v' volume and 'n' open interest of the last day of trading before. `last` bounds the
  // history that is computed. Indexed by day since the data set's first; outrights in order of rank.
  using Ranking = std::vector<std::vector<uint32_t>>;
  std::shared_ptr<const Ranking> RankingOf(const std::string& root, char rule, Day last);

 private:
  Ranking Compute(const std::vector<uint32_t>& outrights, char rule, Day last) const;

  const Universe& universe_;
  std::mutex mutex_;
  std::map<std::pair<std::string, char>, std::pair<Day, std::shared_ptr<const Ranking>>> known_;
};

struct SymbolInterval {
  Day d0, d1;  // d1 exclusive
  std::string s;
};

// A contract that a request selects, from day to day.
struct Segment {
  uint32_t contract;
  Day from, to;
  uint32_t mapping;  // index into Resolution::mappings: how it is called in this request
  uint32_t input;    // index into the request's symbols
};

struct Resolution {
  std::vector<std::pair<std::string, std::vector<SymbolInterval>>> mappings;
  std::vector<std::string> partial, not_found;
  std::vector<Segment> segments;  // in order of `from`

  int status() const { return mappings.empty() ? 2 : partial.empty() && not_found.empty() ? 0 : 1; }
};

inline constexpr std::string_view kAllSymbols = "ALL_SYMBOLS";

bool IsStype(std::string_view name);
// Whether the vendor resolves from one to the other.
bool IsStypePair(std::string_view in, std::string_view out);
// Whether a symbol has the form its type asks for: ROOT.FUT, ROOT.v.0, digits.
bool HasForm(std::string_view symbol, std::string_view stype_in);

// `symbols`: as requested, without duplicates; every one of the right form. Days [d0, d1) within history.
Resolution Resolve(const Universe& universe, FrontMonths& fronts, const std::vector<std::string>& symbols,
                   std::string_view stype_in, std::string_view stype_out, Day d0, Day d1);

}  // namespace lode::vendor
