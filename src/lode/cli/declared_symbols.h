// Symbols that a dataset's declaration names, against those of its cells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/ledger/ledger.h"

namespace lode::cli {

struct DeclaredSymbols {
  int64_t declared = 0;
  std::vector<std::string> missing;  // declared, and without a day of data; in the order of the list
};

// Symbols that have a day of data, from cells in the order of ReadCells.
class SymbolsWithData {
 public:
  void Add(const ledger::CellView& cell);
  const std::vector<std::string>& symbols() const { return symbols_; }
  // Data came in files that do not say what was asked for: which symbols are in them only the rows know.
  bool is_untold() const { return is_untold_; }

 private:
  std::vector<std::string> symbols_;
  bool is_untold_ = false;
};

// nullopt where the declaration names none (whole markets), where its list cannot be read, and where data is untold.
// Reads list files.
std::optional<DeclaredSymbols> CompareSymbols(const Config& config, const DatasetConfig& declared,
                                              const SymbolsWithData& with_data);

}  // namespace lode::cli
