#include "lode/cli/status_inventory.h"

#include <algorithm>
#include <map>
#include <set>

#include "lode/lake/layout.h"

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

Result<std::vector<InventoryLine>> Inventory(const lake::DatasetSurvey& survey) {
  LODE_TRY(const lake::Layout layout, lake::Layout::Parse(survey.dataset.layout));
  std::map<std::string, uint64_t> sizes;
  for (const ledger::PartitionRow& row : survey.partitions) sizes[row.partition.path] = row.partition.size;
  for (const ledger::PartitionRow& row : survey.lost) sizes.erase(row.partition.path);
  std::vector<InventoryLine> lines;
  std::set<std::string> files;  // of the symbol in hand
  for (const ledger::CellRow& row : survey.cells) {
    using enum ledger::CellState;
    const ledger::Cell& cell = row.cell;
    if (cell.state != kComplete && cell.state != kPartial && cell.state != kStale) continue;
    const std::string path = layout.PathOf(cell.day, cell.symbol);
    const auto size = sizes.find(path);
    if (size == sizes.end()) continue;
    if (lines.empty() || lines.back().symbol != cell.symbol) {
      files.clear();
      lines.push_back({.symbol = cell.symbol,
                       .shared = !layout.has_symbol(),
                       .first = cell.day,
                       .last = {},
                       .place = "bronze/" + survey.dataset.name + "/" + path});
    }
    InventoryLine& line = lines.back();
    line.last = cell.day;
    if (!files.insert(path).second) continue;
    ++line.files;
    line.bytes += size->second;
    line.place = CommonFolder(line.place, "bronze/" + survey.dataset.name + "/" + path);
  }
  if (lines.size() == 1) lines.front().shared = false;
  return lines;
}

}  // namespace lode::cli
