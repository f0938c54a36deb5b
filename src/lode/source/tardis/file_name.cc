#include "lode/source/tardis/file_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "lode/source/tardis/api.h"

namespace lode::source::tardis {
namespace {

constexpr std::string_view kSchemaPrefix = "tardis/";
constexpr size_t kDayText = 10;
// Longer ones first where one begins another.
constexpr std::array<std::string_view, 9> kDataTypes = {
    "incremental_book_L2", "book_snapshot_25", "book_snapshot_5", "book_ticker", "derivative_ticker",
    "options_chain",       "liquidations",     "trades",          "quotes"};

FileNameFacts Facts(std::string_view exchange, std::string_view data_type, std::string_view symbol) {
  FileNameFacts facts;
  facts.encoding = "csv";
  facts.dataset = exchange;
  facts.schema = std::string(kSchemaPrefix) + std::string(data_type);
  facts.symbol = symbol;
  facts.group = fmt::format("{}_{}_{}", exchange, data_type, symbol);
  return facts;
}

// exchange_datatype[_day]_SYMBOL
std::optional<FileNameFacts> FromName(std::string_view stem) {
  const size_t bar = stem.find('_');
  if (bar == std::string_view::npos || !IsExchangeId(stem.substr(0, bar))) return std::nullopt;
  const std::string_view exchange = stem.substr(0, bar);
  std::string_view rest = stem.substr(bar + 1);
  for (const std::string_view type : kDataTypes) {
    if (!rest.starts_with(type) || rest.size() <= type.size() + 1 || rest[type.size()] != '_') continue;
    rest.remove_prefix(type.size() + 1);
    std::optional<Day> day;
    if (rest.size() > kDayText + 1 && rest[kDayText] == '_') {
      if (const auto parsed = ParseDay(rest.substr(0, kDayText))) {
        day = *parsed;
        rest.remove_prefix(kDayText + 1);
      }
    }
    FileNameFacts facts = Facts(exchange, type, rest);
    facts.first = facts.last = day;
    return facts;
  }
  return std::nullopt;
}

// exchange/datatype/YYYY/MM/DD above the symbol
std::optional<FileNameFacts> FromFolders(const std::filesystem::path& folder, std::string_view symbol) {
  std::vector<std::string> parts;
  for (const auto& part : folder) parts.push_back(part.string());
  if (parts.size() < 5 || symbol.empty()) return std::nullopt;
  const std::string* last = &parts.back();
  const auto day = ParseDay(fmt::format("{}-{}-{}", last[-2], last[-1], last[0]));
  const std::string &exchange = last[-4], &type = last[-3];
  if (!day || !IsExchangeId(exchange) || std::ranges::find(kDataTypes, type) == kDataTypes.end()) return std::nullopt;
  FileNameFacts facts = Facts(exchange, type, symbol);
  facts.first = facts.last = *day;
  return facts;
}

}  // namespace

std::optional<FileNameFacts> ParseFilePath(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::string_view stem = name;
  const bool compressed = stem.ends_with(".gz");
  if (compressed) stem.remove_suffix(3);
  if (!stem.ends_with(".csv")) return std::nullopt;
  stem.remove_suffix(4);
  std::optional<FileNameFacts> facts = FromFolders(path.parent_path(), stem);
  if (!facts) facts = FromName(stem);
  if (facts) facts->compressed = compressed;
  return facts;
}

std::string KeptName(const FileNameFacts& facts) {
  const std::string_view type = std::string_view(facts.schema).substr(kSchemaPrefix.size());
  const std::string day = facts.first ? FormatDay(*facts.first) + "_" : "";
  return fmt::format("{}_{}_{}{}.csv{}", facts.dataset, type, day, facts.symbol, facts.compressed ? ".gz" : "");
}

}  // namespace lode::source::tardis
