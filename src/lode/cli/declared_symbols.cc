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

void SymbolsWithData::Add(const ledger::CellView& cell) {
  using enum ledger::CellState;
  if (cell.state != kComplete && cell.state != kPartial && cell.state != kStale && cell.state != kExpired) return;
  if (cell.symbol.starts_with(lake::kFileGroupPrefix)) is_untold_ = true;
  if (symbols_.empty() || symbols_.back() != cell.symbol) symbols_.emplace_back(cell.symbol);
}

std::optional<DeclaredSymbols> CompareSymbols(const Config& config, const DatasetConfig& declared,
                                              const SymbolsWithData& with_data) {
  if (declared.symbols.empty() || with_data.is_untold()) return std::nullopt;
  const Result<std::vector<std::string>> symbols =
      symbol::ExpandSymbols(declared.symbols, declared.stype_in, config.file().parent_path());
  if (!symbols) return std::nullopt;
  // Tardis' lists are small and its spelling differs in case; elsewhere ES and es are two symbols.
  const bool folds = declared.source == "tardis";
  const auto key = [&](const std::string& symbol) { return folds ? Folded(symbol) : symbol; };
  std::set<std::string> wanted, present;
  for (const std::string& symbol : *symbols) wanted.insert(key(symbol));
  for (const std::string& symbol : with_data.symbols()) present.insert(key(symbol));
  DeclaredSymbols result{.declared = static_cast<int64_t>(wanted.size()), .missing = {}};
  for (const std::string& symbol : *symbols) {
    if (!present.contains(key(symbol))) result.missing.push_back(symbol);
  }
  return result;
}

}  // namespace lode::cli
