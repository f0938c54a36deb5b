#include "lode/sync/fetch_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "lode/store/local_disk.h"

namespace lode::sync {
namespace {

namespace fs = std::filesystem;
using plan::VendorDay;

constexpr uint64_t kMaxSidecarBytes = uint64_t{16} << 20;
constexpr uint64_t kMaxJournalBytes = uint64_t{1} << 30;
constexpr const char* kJournal = "kept.ndjson";

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// An object without its end. By format: the loop's thread writes thousands a second, and a tree of JSON values costs
// four times as much.
std::string JsonOf(const plan::Selection& selection, const Fetched& fetched) {
  std::string symbols, days;
  for (const std::string& symbol : fetched.request.symbols) symbols += (symbols.empty() ? "" : ",") + Quoted(symbol);
  for (const VendorDay& day : fetched.request.days) {
    days += fmt::format(R"({}["{}",{})", days.empty() ? "" : ",", FormatDay(day.day), static_cast<int>(day.state));
    if (day.modified) days += fmt::format(R"(,"{}")", FormatDay(*day.modified));
    if (!day.modified && !day.version.empty()) days += ",null";
    if (!day.version.empty()) days += "," + Quoted(day.version);
    days += "]";
  }
  return fmt::format(R"({{"dataset":{},"schema":{},"stype_in":{},"symbols":[{}],"days":[{}],"size":{},"crc32c":{},)"
                     R"("end_ns":{},"tries":{})",
                     Quoted(selection.dataset), Quoted(selection.schema), Quoted(selection.stype_in), symbols, days,
                     fetched.size, fetched.crc32c, fetched.end_ns, fetched.tries);
}

std::string JournalLine(const plan::Selection& selection, const Fetched& fetched) {
  return fmt::format("{},\"id\":\"{}\"}}\n", JsonOf(selection, fetched), fetched.id);
}

// nullopt: not one of ours, or of another selection. Our own file, but the disk may have kept half of it.
std::optional<Fetched> FromJson(const std::string& text, const plan::Selection& selection) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto is = [&](const char* key, const std::string& value) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() && found->get_ref<const std::string&>() == value;
  };
  if (!is("dataset", selection.dataset) || !is("schema", selection.schema) || !is("stype_in", selection.stype_in)) {
    return std::nullopt;
  }
  Fetched fetched;
  try {
    fetched.request.symbols = json.at("symbols").get<std::vector<std::string>>();
    for (const nlohmann::json& entry : json.at("days")) {
      VendorDay day;
      const auto parsed = ParseDay(entry.at(0).get<std::string>());
      const int state = entry.at(1).get<int>();
      if (!parsed || state < 0 || state > static_cast<int>(VendorDay::State::kMissing)) return std::nullopt;
      day.day = *parsed;
      day.state = static_cast<VendorDay::State>(state);
      if (entry.size() > 3) day.version = entry.at(3).get<std::string>();
      if (entry.size() > 2 && !entry.at(2).is_null()) {
        const auto modified = ParseDay(entry.at(2).get<std::string>());
        if (!modified) return std::nullopt;
        day.modified = *modified;
      }
      fetched.request.days.push_back(day);
    }
    fetched.size = json.at("size").get<uint64_t>();
    fetched.crc32c = json.at("crc32c").get<uint32_t>();
    fetched.end_ns = json.at("end_ns").get<int64_t>();
    fetched.tries = json.at("tries").get<int>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  if (fetched.request.symbols.empty() || fetched.request.days.empty()) return std::nullopt;
  return fetched;
}

// Whole lines, the newest first: an id may have been kept in more than one run.
Result<std::vector<std::string>> JournalLines(const fs::path& journal) {
  std::vector<std::string> lines;
  LODE_TRY(const auto size, store::FileSize(journal));
  if (!size) return lines;
  LODE_TRY(const std::string text, store::ReadFile(journal, kMaxJournalBytes));
  // The disk kept half of the last line: the next one must not go on there.
  if (!text.empty() && text.back() != '\n') LODE_TRY(store::Append(journal, "\n"));
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  std::ranges::reverse(lines);
  return lines;
}

// Empty: no line of ours, or one that the disk kept half of.
std::string IdOf(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  const bool has_id = json.is_object() && json.contains("id") && json["id"].is_string();
  std::string id = has_id ? json["id"].get<std::string>() : "";
  return id.find_first_not_of("0123456789abcdef") == std::string::npos ? id : "";
}

}  // namespace

Result<std::vector<Fetched>> FetchFolder::Open(const plan::Selection& selection, bool keep_parts) {
  LODE_TRY(store::MakeDirectories(folder_));
  LODE_TRY(const std::vector<store::FileInfo> files, store::List(folder_));
  std::vector<Fetched> kept;
  std::set<std::string> ids;  // of these
  const auto take = [&](std::string id, const std::string& text) -> Status {
    std::optional<Fetched> fetched = FromJson(text, selection);
    if (!fetched || ids.contains(id)) return Ok();
    fetched->id = std::move(id);
    fetched->file = folder_ / (fetched->id + ".data");
    LODE_TRY(const auto size, store::FileSize(fetched->file));
    if (!size || *size != fetched->size) return Ok();
    LODE_TRY(const uint32_t crc32c, store::Crc32cOfFile(fetched->file));
    if (crc32c != fetched->crc32c) return Ok();
    ids.insert(fetched->id);
    kept.push_back(std::move(*fetched));
    return Ok();
  };
  for (const store::FileInfo& info : files) {
    const fs::path name = info.path;
    if (name.extension() != ".json") continue;
    LODE_TRY(const std::string text, store::ReadFile(folder_ / name, kMaxSidecarBytes));
    LODE_TRY(take(name.stem().string(), text));
  }
  LODE_TRY(const std::vector<std::string> lines, JournalLines(folder_ / kJournal));
  for (const std::string& line : lines) {
    if (const std::string id = IdOf(line); !id.empty()) LODE_TRY(take(id, line));
  }
  for (const store::FileInfo& info : files) {
    const fs::path name = info.path;
    if (keep_parts && name.extension() == ".part") continue;
    if (name == kJournal && !kept.empty()) continue;
    const bool is_kept = name.extension() != ".part" && ids.contains(name.stem().string());
    if (!is_kept) LODE_TRY(store::Remove(folder_ / name));
  }
  return kept;
}

Status FetchFolder::Keep(const plan::Selection& selection, Fetched* fetched, bool durable) const {
  fetched->file = folder_ / (fetched->id + ".data");
  LODE_TRY(store::Rename(PartOf(fetched->id), fetched->file));
  if (!durable) return store::Append(folder_ / kJournal, JournalLine(selection, *fetched));
  const fs::path sidecar = folder_ / (fetched->id + ".json");
  return store::ReplaceDurable(sidecar, JsonOf(selection, *fetched) + "}", folder_);
}

Status FetchFolder::Keep(const plan::Selection& selection, std::span<Arrival> arrivals) const {
  std::string lines;
  for (Arrival& arrival : arrivals) {
    arrival.fetched.file = folder_ / (arrival.fetched.id + ".data");
    LODE_TRY(store::Write(arrival.fetched.file, arrival.bytes));
    lines += JournalLine(selection, arrival.fetched);
  }
  // After the bytes: a file that is not in the journal counts as nothing.
  return store::Append(folder_ / kJournal, lines);
}

void FetchFolder::Remove(const std::string& id) const {
  for (const char* extension : {".json", ".data", ".part"}) (void)store::Remove(folder_ / (id + extension));
}

void FetchFolder::Close(const std::set<std::string>& wanted) const {
  if (const auto files = store::List(folder_)) {
    const bool has_data = std::ranges::any_of(
        *files, [](const store::FileInfo& info) { return fs::path(info.path).extension() == ".data"; });
    if (!has_data) (void)store::Remove(folder_ / kJournal);
    for (const store::FileInfo& info : *files) {
      const fs::path name = info.path;
      if (name.extension() == ".part" && !wanted.contains(name.stem())) (void)store::Remove(folder_ / name);
    }
  }
  std::error_code ignored;
  fs::remove(folder_, ignored);
  fs::remove(folder_.parent_path(), ignored);
}

}  // namespace lode::sync
