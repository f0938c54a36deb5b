// The exchanges Tardis sells here: what they list, when, and which files there are of it. Made up, in the exchanges'
// own spellings; the same for a seed and a clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "faults.h"
#include "lode/base/time.h"

namespace lode::vendor {

struct TardisSymbol {
  std::string id;          // as the exchange spells it
  std::string dataset_id;  // as its files are called
  std::string type;        // spot | perpetual | future | option | combo
  Day since;
  std::optional<Day> to;  // exclusive
  std::vector<std::string> data_types;
  Json terms;  // what /instruments adds
};

struct TardisExchange {
  std::string id, name;
  Day since;
  std::vector<TardisSymbol> symbols;
  std::vector<TardisSymbol> grouped;  // files of all instruments of a type

  const TardisSymbol* FindDataset(const std::string& dataset_id) const;
};

// `more_options`: so many more of Deribit's, for tests of size.
std::vector<TardisExchange> TardisExchanges(size_t more_options);

}  // namespace lode::vendor
