// Symbols that a dataset's declaration names, against those of its cells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/lake/survey.h"

namespace lode::cli {

struct DeclaredSymbols {
  int64_t declared = 0;
  std::vector<std::string> missing;  // declared, and without a day of data; in the order of the list
};

// nullopt where the declaration names none (whole markets), where its list cannot be read, and where data came in files
// that do not say what was asked for: which symbols are in them only the rows know. Reads list files.
std::optional<DeclaredSymbols> CompareSymbols(const Config& config, const DatasetConfig& declared,
                                              const lake::DatasetSurvey& survey);

}  // namespace lode::cli
