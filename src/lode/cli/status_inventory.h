// What lies where, by symbol: files, size and range of each. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/survey.h"

namespace lode::cli {

struct InventoryLine {
  std::string symbol;
  int64_t files = 0;               // present, that hold days of the symbol
  uint64_t bytes = 0;              // of these files
  bool shared = false;             // they hold other symbols too
  std::optional<Day> first, last;  // of data
  std::string place;               // deepest folder that holds them all, or the file; below the lake
};

// By symbol; only symbols that have data. kConfig for a dataset whose layout cannot be read.
Result<std::vector<InventoryLine>> Inventory(const lake::DatasetSurvey& survey);

}  // namespace lode::cli
