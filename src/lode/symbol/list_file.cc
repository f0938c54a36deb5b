#include <algorithm>
#include <array>

#include "lode/store/local_disk.h"
#include "lode/symbol/list_file_internal.h"

namespace lode::symbol {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The first field of a CSV line; a quoted one may hold commas and, as "", quotes.
std::string FirstColumn(std::string_view line) {
  if (!line.starts_with('"')) return std::string(Trimmed(line.substr(0, line.find(','))));
  std::string field;
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (i + 1 == line.size() || line[i + 1] != '"') break;
      ++i;
    }
    field += line[i];
  }
  return field;
}

bool IsHeading(std::string_view symbol) {
  constexpr std::array kHeadings = std::to_array<std::string_view>({"symbol", "raw_symbol", "root", "ticker"});
  std::string lower(symbol);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::find(kHeadings, lower) != kHeadings.end();
}

bool IsSymbol(std::string_view text) {
  return text.size() <= kLongestSymbol &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    const std::string_view part = Trimmed(text.substr(start, comma - start));
    if (!part.empty()) parts.push_back(part);
    start = comma + 1;
  }
  return parts;
}

Result<std::vector<std::string>> ParseListFile(std::string_view text, bool csv, std::string_view origin_name) {
  std::vector<std::string> symbols;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  bool heading_possible = csv;
  size_t line_number = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    ++line_number;
    line = Trimmed(csv ? line : line.substr(0, line.find('#')));
    if (line.empty() || line.starts_with('#')) continue;
    std::string symbol = csv ? FirstColumn(line) : std::string(line);
    if (!IsSymbol(symbol)) {
      return Fail(ErrorKind::kConfig, "{}:{}: not a symbol: longer than {} characters, or with control characters",
                  origin_name, line_number, kLongestSymbol);
    }
    const bool heading = heading_possible && IsHeading(symbol);
    heading_possible = false;
    if (!heading && !symbol.empty()) symbols.push_back(std::move(symbol));
  }
  return symbols;
}

Result<std::vector<std::string>> ReadListFile(const std::filesystem::path& file) {
  Result<std::string> text = store::ReadFile(file, kLongestListFile);
  if (!text) return Fail(ErrorKind::kConfig, "symbol list {}", text.error().message);
  LODE_TRY(std::vector<std::string> symbols, ParseListFile(*text, file.extension() == ".csv", file.string()));
  if (symbols.empty()) return Fail(ErrorKind::kConfig, "symbol list {}: holds no symbol", file.string());
  return symbols;
}

}  // namespace lode::symbol
