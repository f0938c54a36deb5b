// What lies where, by symbol: files, size and range of each. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/layout.h"
#include "lode/ledger/ledger.h"

namespace lode::cli {

struct InventoryLine {
  std::string symbol;
  int64_t files = 0;               // present, that hold days of the symbol
  uint64_t bytes = 0;              // of these files
  bool shared = false;             // they hold other symbols too
  std::optional<Day> first, last;  // of data
  std::string place;               // deepest folder that holds them all, or the file; below the lake
};

// Takes a dataset's cells in the order of ReadCells.
class Inventory {
 public:
  // `sizes`: of the partitions that are there, by path.
  Inventory(std::string dataset, lake::Layout layout, std::map<std::string, uint64_t, std::less<>> sizes)
      : dataset_(std::move(dataset)), layout_(std::move(layout)), sizes_(std::move(sizes)) {}

  void Add(const ledger::CellView& cell);
  // By symbol; only symbols that have data.
  std::vector<InventoryLine> Take();

 private:
  std::string dataset_;
  lake::Layout layout_;
  std::map<std::string, uint64_t, std::less<>> sizes_;
  std::vector<InventoryLine> lines_;
  std::set<std::string> files_;  // of the symbol in hand
};

}  // namespace lode::cli
