// What a data file's name, and the folders it lies in, say about it; the same for every vendor.
#pragma once

#include <optional>
#include <string>

#include "lode/base/time.h"

namespace lode::source {

// Fields that the name does not tell stay empty.
struct FileNameFacts {
  std::string dataset;             // "GLBX.MDP3", "us_stocks_sip", "deribit"
  std::optional<Day> first, last;  // days, inclusive
  std::string schema;              // "ohlcv-1m", "us_stocks_sip/day_aggs_v1", "tardis/trades"
  std::string encoding;            // "dbn" | "dbn.frag" | "csv" | "json"
  bool compressed = false;
  std::string symbol;  // what the file was asked for, when that is one word: "BTC-PERPETUAL", "OPTIONS"
  std::string group;   // the name without days and endings: files with the same group and other days belong together
};

}  // namespace lode::source
