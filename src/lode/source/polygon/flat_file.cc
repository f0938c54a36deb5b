#include "lode/source/polygon/flat_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace lode::source::polygon {
namespace {

bool IsWord(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool IsType(std::string_view text) { return IsWord(text) && text.find("_v") != std::string_view::npos; }

}  // namespace

std::optional<FileNameFacts> ParseFlatFilePath(const std::filesystem::path& path) {
  const std::string file = path.filename().string();
  std::string_view name = file;
  FileNameFacts facts;
  if (name.ends_with(".gz")) {
    facts.compressed = true;
    name.remove_suffix(3);
  }
  if (!name.ends_with(".csv")) return std::nullopt;
  name.remove_suffix(4);
  constexpr size_t kDayText = 10;
  if (name.size() < kDayText) return std::nullopt;
  const auto day = ParseDay(name.substr(name.size() - kDayText));
  if (!day) return std::nullopt;
  name.remove_suffix(kDayText);
  std::string prefix, type;
  if (name.empty()) {
    std::vector<std::string> folders;
    for (const auto& part : path.parent_path()) folders.push_back(part.string());
    // …/prefix/type_v1/YYYY/MM
    if (folders.size() >= 4 && IsType(folders[folders.size() - 3]) && IsWord(folders[folders.size() - 4])) {
      prefix = folders[folders.size() - 4];
      type = folders[folders.size() - 3];
    }
  } else {
    // prefix-type_v1-
    if (name.back() != '-') return std::nullopt;
    name.remove_suffix(1);
    const size_t dash = name.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    prefix = name.substr(0, dash);
    type = name.substr(dash + 1);
    if (!IsWord(prefix) || !IsType(type)) return std::nullopt;
  }
  facts.encoding = "csv";
  facts.first = facts.last = *day;
  facts.symbol = kAllSymbols;
  facts.dataset = prefix;
  if (!prefix.empty()) facts.schema = prefix + "/" + type;
  facts.group = facts.schema;
  return facts;
}

std::string KeptName(const FileNameFacts& facts) {
  std::string name = facts.schema;
  std::ranges::replace(name, '/', '-');
  return fmt::format("{}-{}.csv{}", name, FormatDay(*facts.first), facts.compressed ? ".gz" : "");
}

}  // namespace lode::source::polygon
