// OCC option symbols as Polygon writes them: O:SPY230327P00390000.
#pragma once

#include <optional>
#include <string_view>

#include "lode/base/time.h"

namespace lode::codec {

struct OptionTicker {
  std::string_view underlying;  // root, with the adjustment digit if there is one: SPX1; a view into the ticker
  Day expiry;
  char type;      // C or P
  double strike;  // in dollars
};

// "O:", a root of one to six letters, digits or dots, YYMMDD, C or P, the strike times 1000 in eight digits. Read from
// the right, as roots may end in digits. nullopt when the ticker has another form or its date does not exist.
std::optional<OptionTicker> ParseOptionTicker(std::string_view ticker);

}  // namespace lode::codec
