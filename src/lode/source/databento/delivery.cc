#include "lode/source/databento/delivery.h"

#include <algorithm>
#include <set>

#include "lode/base/text.h"
#include "lode/source/databento/json_internal.h"

namespace lode::source::databento {
namespace {

bool BoolOr(const Json& object, const char* key, bool fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

// Nanoseconds as an integer, or ISO text.
Result<std::optional<int64_t>> TimeOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (found->is_number_integer()) return found->get<int64_t>();
  if (found->is_string()) {
    LODE_TRY(const int64_t ns, ParseIsoNs(found->get<std::string>()));
    return ns;
  }
  return Fail(ErrorKind::kBadInput, "metadata.json: query.{} is neither nanoseconds nor an ISO time", key);
}

bool IsHex64(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// "20240102" -> day.
std::optional<Day> CompactDay(std::string_view text) {
  if (text.size() != 8) return std::nullopt;
  const auto day = ParseDay(fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2)));
  return day ? std::optional(*day) : std::nullopt;
}

}  // namespace

Result<std::vector<std::string>> SymbolsOf(const Json& object, const char* key, std::string_view what) {
  std::vector<std::string> symbols;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return symbols;
  if (found->is_string()) {
    std::string_view rest = found->get_ref<const std::string&>();
    for (size_t comma; (comma = rest.find(',')) != std::string_view::npos; rest.remove_prefix(comma + 1)) {
      symbols.emplace_back(rest.substr(0, comma));
    }
    symbols.emplace_back(rest);
    return symbols;
  }
  if (!found->is_array()) return Fail(ErrorKind::kBadInput, "{} is neither a text nor a list", what);
  for (const Json& symbol : *found) {
    if (!symbol.is_string()) return Fail(ErrorKind::kBadInput, "{} holds a non-string", what);
    symbols.push_back(symbol.get<std::string>());
  }
  return symbols;
}

Result<Query> ParseMetadata(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "metadata.json"));
  if (!json.is_object() || !json.contains("query") || !json["query"].is_object()) {
    return Fail(ErrorKind::kBadInput, "metadata.json has no query object");
  }
  const Json& query = json["query"];
  const Json custom = json.value("customizations", Json::object());
  Query result;
  result.job_id = TextOr(json, "job_id");
  result.dataset = TextOr(query, "dataset");
  result.schema = TextOr(query, "schema");
  result.stype_in = TextOr(query, "stype_in");
  result.stype_out = TextOr(query, "stype_out");
  result.encoding = TextOr(query, "encoding");
  result.json = query.dump();
  if (result.schema.empty() || result.encoding.empty()) {
    return Fail(ErrorKind::kBadInput, "metadata.json: query.schema or query.encoding is missing");
  }
  LODE_TRY(result.symbols, SymbolsOf(query, "symbols", "metadata.json: query.symbols"));
  LODE_TRY(result.start_ns, TimeOf(query, "start"));
  LODE_TRY(result.end_ns, TimeOf(query, "end"));
  if (const auto limit = query.find("limit"); limit != query.end() && limit->is_number_unsigned()) {
    result.limit = limit->get<uint64_t>();
  }
  if (custom.is_object()) {
    result.pretty_px = BoolOr(custom, "pretty_px", false);
    result.pretty_ts = BoolOr(custom, "pretty_ts", false);
    result.map_symbols = BoolOr(custom, "map_symbols", result.encoding != "dbn");
    result.split_duration = TextOr(custom, "split_duration", "none");
  }
  return result;
}

const ManifestFile* Manifest::Find(std::string_view name) const {
  const auto found = std::ranges::find(files, name, &ManifestFile::name);
  return found == files.end() ? nullptr : &*found;
}

Result<ManifestFile> ParseManifestEntry(const Json& entry, std::string_view what) {
  ManifestFile file;
  file.name = TextOr(entry, "filename");
  const std::string hash = TextOr(entry, "hash");
  const bool has_size = entry.is_object() && entry.contains("size") && entry["size"].is_number_unsigned();
  if (file.name.empty() || file.name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos ||
      file.name.starts_with('.') || !has_size || !hash.starts_with("sha256:") ||
      !IsHex64(std::string_view(hash).substr(7))) {
    return Fail(ErrorKind::kBadInput, "{}: bad entry '{}'", what, file.name);
  }
  file.size = entry["size"].get<uint64_t>();
  file.sha256 = hash.substr(7);
  return file;
}

Result<Manifest> ParseManifest(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "manifest.json"));
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) {
    return Fail(ErrorKind::kBadInput, "manifest.json has no list of files");
  }
  Manifest manifest;
  manifest.job_id = TextOr(json, "job_id");
  std::set<std::string> names;
  for (const Json& entry : json["files"]) {
    LODE_TRY(ManifestFile file, ParseManifestEntry(entry, "manifest.json"));
    if (!names.insert(file.name).second) return Fail(ErrorKind::kBadInput, "manifest.json lists '{}' twice", file.name);
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

Result<std::vector<Condition>> ParseCondition(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "condition.json"));
  if (!json.is_array()) return Fail(ErrorKind::kBadInput, "condition.json is not a list");
  std::vector<Condition> conditions;
  conditions.reserve(json.size());
  for (const Json& entry : json) {
    Condition condition;
    if (!entry.is_object()) return Fail(ErrorKind::kBadInput, "condition.json: an entry is not an object");
    LODE_TRY(condition.day, ParseDay(TextOr(entry, "date")));
    const std::string state = TextOr(entry, "condition");
    if (state == "available")
      condition.state = Condition::State::kAvailable;
    else if (state == "degraded")
      condition.state = Condition::State::kDegraded;
    else if (state == "pending")
      condition.state = Condition::State::kPending;
    else if (state == "missing")
      condition.state = Condition::State::kMissing;
    else
      return Fail(ErrorKind::kBadInput, "condition.json: unknown condition '{}' on {}", state,
                  FormatDay(condition.day));
    const std::string modified = TextOr(entry, "last_modified_date");
    if (!modified.empty()) {
      LODE_TRY(condition.modified, ParseDay(std::string_view(modified).substr(0, 10)));
    }
    conditions.push_back(condition);
  }
  std::ranges::sort(conditions, {}, &Condition::day);
  const auto twice = std::ranges::adjacent_find(conditions, {}, &Condition::day);
  if (twice != conditions.end()) {
    return Fail(ErrorKind::kBadInput, "condition.json lists {} twice", FormatDay(twice->day));
  }
  return conditions;
}

FileNameFacts ParseDataFileName(std::string_view name) {
  FileNameFacts facts;
  if (name.ends_with(".zst")) {
    facts.compressed = true;
    name.remove_suffix(4);
  }
  for (const std::string_view ending : {".dbn.frag", ".dbn", ".csv", ".json", ".ndjson", ".jsonl"}) {
    if (!name.ends_with(ending)) continue;
    facts.encoding = ending == ".ndjson" || ending == ".jsonl" ? "json" : ending.substr(1);
    name.remove_suffix(ending.size());
    break;
  }
  facts.group = name;
  // <dataset>-<yyyymmdd>[-<yyyymmdd>].<schema>[.<SYMBOL>]
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return facts;
  std::string_view stem = name.substr(0, dot), rest = name.substr(dot + 1);
  std::vector<Day> days;
  for (size_t dash; days.size() < 2 && (dash = stem.rfind('-')) != std::string_view::npos;) {
    const auto day = CompactDay(stem.substr(dash + 1));
    if (!day) break;
    days.push_back(*day);
    stem = stem.substr(0, dash);
  }
  facts.schema = rest.substr(0, rest.find('.'));
  if (days.empty()) return facts;
  facts.last = days.front();
  facts.first = days.back();
  if (*facts.first > *facts.last) facts.first = facts.last = std::nullopt;
  facts.dataset = Upper(stem);
  std::ranges::replace(facts.dataset, '-', '.');
  facts.group = fmt::format("{}.{}", stem, rest);
  return facts;
}

}  // namespace lode::source::databento
