#include "lode/base/config_environment.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "lode/base/nearest.h"
#include "lode/base/text.h"

namespace lode::config {
namespace {

// A key as variables spell it.
std::string VariableOf(std::string_view key) {
  std::string name = Upper(key);
  std::ranges::replace_if(name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
}

struct Found {
  const KnownKey* known = nullptr;
  std::string key;
};

// Reads `name` (without LODE_) as a key of `known`: exact, or with one name in the middle.
std::optional<std::string> ReadAs(const KnownKey& known, std::string_view name) {
  size_t star = known.pattern.find('*');
  if (star == std::string_view::npos) {
    if (VariableOf(known.pattern) == name) return std::string(known.pattern);
    return std::nullopt;
  }
  std::string before = VariableOf(known.pattern.substr(0, star));
  std::string after = VariableOf(known.pattern.substr(star + 1));
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) {
    return std::nullopt;
  }
  std::string middle = Lower(name.substr(before.size(), name.size() - before.size() - after.size()));
  return std::string(known.pattern.substr(0, star)) + middle + std::string(known.pattern.substr(star + 1));
}

// A declared dataset's name wins, then the longest key: LODE_DATASETS_A_CHUNK_DAYS is a.chunk.days.
Found Find(std::string_view name, const std::set<std::string>& datasets) {
  Found found;
  bool found_declared = false;
  for (const KnownKey& known : KnownKeys()) {
    std::optional<std::string> key = ReadAs(known, name);
    if (!key) continue;
    bool declared = datasets.contains(SplitKey(*key)[1]);
    bool longer = found.known == nullptr || known.pattern.size() > found.known->pattern.size();
    if ((declared && !found_declared) || (declared == found_declared && longer)) {
      found = {&known, *key};
      found_declared = declared;
    }
  }
  return found;
}

bool BelongsToTable(std::string_view name) {
  return std::ranges::any_of(KnownKeys(), [&](const KnownKey& known) {
    return name.starts_with(VariableOf(SplitKey(known.pattern)[0]) + "_");
  });
}

Result<Value> Read(KeyType type, std::string_view text) {
  if (type != KeyType::kList) return CheckValue(type, text);
  std::vector<std::string> list;
  for (size_t start = 0; start <= text.size();) {
    size_t comma = std::min(text.find(',', start), text.size());
    list.emplace_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return CheckList(list);
}

std::string_view Trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    size_t equals = text.find('=');
    if (!text.starts_with("LODE_") || equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<Environment> ReadEnvironmentFile(std::string_view text, std::string_view origin_name) {
  Environment environment;
  int line_number = 0;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = Trimmed(text.substr(start, end - start));
    start = end + 1;
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("export ")) line = Trimmed(line.substr(7));
    size_t equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos || line.substr(0, equals).contains(' ')) {
      return Fail(ErrorKind::kConfig, "{}:{}: expected NAME=VALUE", origin_name, line_number);
    }
    std::string_view value = line.substr(equals + 1);
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    environment[std::string(line.substr(0, equals))] = std::string(value);
  }
  return environment;
}

Result<std::map<std::string, Value>> EnvironmentValues(const Environment& environment,
                                                       const std::set<std::string>& datasets) {
  std::map<std::string, Value> values;
  std::vector<std::string> fixed_names;
  for (const KnownKey& known : KnownKeys()) {
    if (!known.pattern.contains('*')) fixed_names.push_back("LODE_" + VariableOf(known.pattern));
  }
  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with("LODE_") || !BelongsToTable(std::string_view(variable).substr(5))) continue;
    Found found = Find(std::string_view(variable).substr(5), datasets);
    if (found.known == nullptr) {
      return Fail(ErrorKind::kConfig, "environment {}: no such setting{}", variable, DidYouMean(variable, fixed_names));
    }
    Result<Value> value = Read(found.known->type, text);
    if (!value) return Fail(ErrorKind::kConfig, "environment {}: {}", variable, value.error().message);
    value->origin = "env " + variable;
    values[found.key] = *std::move(value);
  }
  return values;
}

}  // namespace lode::config
