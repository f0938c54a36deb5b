#include "lode/sink/duckdb/null_shares.h"

#include <algorithm>
#include <array>

#include "lode/base/result.h"

namespace lode::sink {
namespace {

constexpr int64_t kLeastRows = 100;
constexpr double kMany = 0.5, kFew = 0.05;

bool HasRuleOfItsOwn(const codec::TableSchema& schema, const codec::Column& column) {
  constexpr std::array kPrices = {"open", "high", "low", "close"};
  const bool bars = std::ranges::all_of(kPrices, [&](const char* name) { return schema.Find(name) >= 0; });
  if (bars && std::ranges::find(kPrices, column.name) != kPrices.end()) return true;
  return column.origin == codec::ColumnOrigin::kExtra;
}

std::vector<std::string_view> Folders(std::string_view path) {
  std::vector<std::string_view> folders;
  for (size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/')) {
    folders.push_back(path.substr(0, end));
    path.remove_prefix(end + 1);
  }
  folders.push_back(path);
  return folders;
}

}  // namespace

NullShares::NullShares(std::string_view layout) {
  const std::vector<std::string_view> folders = Folders(layout);
  for (size_t i = 0; i < folders.size(); ++i) {
    if (folders[i].contains("{symbol}")) symbol_folders_.push_back(i);
  }
}

std::string NullShares::GroupOf(std::string_view path) const {
  const std::vector<std::string_view> folders = Folders(path);
  std::string group;
  for (const size_t i : symbol_folders_) {
    if (i < folders.size()) group += fmt::format("{}/", folders[i]);
  }
  return group;
}

void NullShares::Add(std::string path, int64_t rows, const std::map<std::string, FooterColumn>& columns) {
  Group& group = groups_[GroupOf(path)];
  File file{std::move(path), rows, {}};
  group.rows += rows;
  for (const auto& [name, column] : columns) {
    if (column.nulls.value_or(0) == 0) continue;
    file.nulls[name] = *column.nulls;
    group.nulls[name] += *column.nulls;
  }
  group.files.push_back(std::move(file));
}

std::vector<NullJump> NullShares::Jumps(const codec::TableSchema& schema) const {
  std::vector<NullJump> jumps;
  for (const codec::Column& column : schema.columns) {
    if (!column.nullable || HasRuleOfItsOwn(schema, column)) continue;
    NullJump jump{.column = column.name, .path = {}};
    for (const auto& [name, group] : groups_) {
      for (const File& file : group.files) {
        const auto nulls = file.nulls.find(column.name);
        const int64_t rest = group.rows - file.rows;
        if (nulls == file.nulls.end() || file.rows < kLeastRows || rest < kLeastRows) continue;
        const double share = static_cast<double>(nulls->second) / static_cast<double>(file.rows);
        const int64_t others = group.nulls.at(column.name) - nulls->second;
        const double elsewhere = static_cast<double>(others) / static_cast<double>(rest);
        if (share < kMany || elsewhere >= kFew || jump.files++ > 0) continue;
        jump.path = file.path;
        jump.share = share;
        jump.elsewhere = elsewhere;
      }
    }
    if (jump.files > 0) jumps.push_back(std::move(jump));
  }
  return jumps;
}

}  // namespace lode::sink
