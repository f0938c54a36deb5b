#include "lode/cli/declared_symbols.h"

#include <set>

#include "lode/lake/import_cells.h"
#include "lode/symbol/lists.h"

namespace lode::cli {
namespace {

// As text without case: vendors spell symbols their own way (Tardis' BTC-PERPETUAL for btc-perpetual).
std::string Folded(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::optional<DeclaredSymbols> CompareSymbols(const Config& config, const DatasetConfig& declared,
                                              const lake::DatasetSurvey& survey) {
  if (declared.symbols.empty()) return std::nullopt;
  const Result<std::vector<std::string>> symbols =
      symbol::ExpandSymbols(declared.symbols, declared.stype_in, config.file().parent_path());
  if (!symbols) return std::nullopt;
  // Tardis' lists are small and its spelling differs in case; elsewhere ES and es are two symbols.
  const bool folds = declared.source == "tardis";
  const auto key = [&](const std::string& symbol) { return folds ? Folded(symbol) : symbol; };
  std::set<std::string> wanted, present;
  for (const std::string& symbol : *symbols) wanted.insert(key(symbol));
  const std::string* last = nullptr;  // taken; cells come sorted by symbol, a million of them a few thousand symbols
  for (const ledger::CellRow& row : survey.cells) {
    if (last != nullptr && *last == row.cell.symbol) continue;
    using enum ledger::CellState;
    const ledger::CellState state = row.cell.state;
    if (state != kComplete && state != kPartial && state != kStale && state != kExpired) continue;
    if (row.cell.symbol.starts_with(lake::kFileGroupPrefix)) return std::nullopt;
    present.insert(key(row.cell.symbol));
    last = &row.cell.symbol;
  }
  DeclaredSymbols result{.declared = static_cast<int64_t>(wanted.size()), .missing = {}};
  for (const std::string& symbol : *symbols) {
    if (!present.contains(key(symbol))) result.missing.push_back(symbol);
  }
  return result;
}

}  // namespace lode::cli
