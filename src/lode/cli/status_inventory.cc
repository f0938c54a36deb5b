#include "lode/cli/status_inventory.h"

#include <algorithm>

namespace lode::cli {
namespace {

// "a/b/" of "a/b/c" and "a/b/d": up to and with the last '/' that both have in one place.
std::string CommonFolder(const std::string& a, const std::string& b) {
  const size_t equal = static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  if (equal == a.size() && equal == b.size()) return a;
  const size_t slash = a.substr(0, equal).rfind('/');
  return slash == std::string::npos ? "" : a.substr(0, slash + 1);
}

}  // namespace

void Inventory::Add(const ledger::CellView& cell) {
  using enum ledger::CellState;
  if (cell.state != kComplete && cell.state != kPartial && cell.state != kStale) return;
  const std::string path = layout_.PathOf(cell.day, std::string(cell.symbol));
  const auto size = sizes_.find(path);
  if (size == sizes_.end()) return;
  const std::string place = "bronze/" + dataset_ + "/" + path;
  if (lines_.empty() || lines_.back().symbol != cell.symbol) {
    files_.clear();
    lines_.push_back({.symbol = std::string(cell.symbol),
                      .shared = !layout_.has_symbol(),
                      .first = cell.day,
                      .last = {},
                      .place = place});
  }
  InventoryLine& line = lines_.back();
  line.last = cell.day;
  if (!files_.insert(path).second) return;
  ++line.files;
  line.bytes += size->second;
  line.place = CommonFolder(line.place, place);
}

std::vector<InventoryLine> Inventory::Take() {
  if (lines_.size() == 1) lines_.front().shared = false;
  return std::move(lines_);
}

}  // namespace lode::cli
