#include "lode/sync/fetch_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "lode/store/local_disk.h"

namespace lode::sync {
namespace {

namespace fs = std::filesystem;
using plan::VendorDay;

constexpr uint64_t kMaxSidecarBytes = uint64_t{16} << 20;

nlohmann::json ToJson(const plan::Selection& selection, const Fetched& fetched) {
  nlohmann::json days = nlohmann::json::array();
  for (const VendorDay& day : fetched.request.days) {
    nlohmann::json entry = {FormatDay(day.day), static_cast<int>(day.state)};
    if (day.modified || !day.version.empty()) {
      entry.push_back(day.modified ? nlohmann::json(FormatDay(*day.modified)) : nlohmann::json(nullptr));
    }
    if (!day.version.empty()) entry.push_back(day.version);
    days.push_back(std::move(entry));
  }
  return {{"dataset", selection.dataset},       {"schema", selection.schema}, {"stype_in", selection.stype_in},
          {"symbols", fetched.request.symbols}, {"days", std::move(days)},    {"size", fetched.size},
          {"sha256", fetched.sha256},           {"end_ns", fetched.end_ns},   {"tries", fetched.tries}};
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
    fetched.sha256 = json.at("sha256").get<std::string>();
    fetched.end_ns = json.at("end_ns").get<int64_t>();
    fetched.tries = json.at("tries").get<int>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  if (fetched.request.symbols.empty() || fetched.request.days.empty()) return std::nullopt;
  return fetched;
}

}  // namespace

Result<std::vector<Fetched>> FetchFolder::Open(const plan::Selection& selection, bool keep_parts) {
  LODE_TRY(store::MakeDirectories(folder_));
  LODE_TRY(const std::vector<store::FileInfo> files, store::List(folder_));
  std::vector<Fetched> kept;
  for (const store::FileInfo& info : files) {
    const fs::path name = info.path;
    if (name.extension() != ".json") continue;
    LODE_TRY(const std::string text, store::ReadFile(folder_ / name, kMaxSidecarBytes));
    std::optional<Fetched> fetched = FromJson(text, selection);
    if (!fetched) continue;
    fetched->id = name.stem().string();
    fetched->file = folder_ / (fetched->id + ".data");
    LODE_TRY(const auto size, store::FileSize(fetched->file));
    if (!size || *size != fetched->size) continue;
    LODE_TRY(const store::Digest digest, store::HashFile(fetched->file));
    if (digest.sha256 == fetched->sha256) kept.push_back(std::move(*fetched));
  }
  for (const store::FileInfo& info : files) {
    const fs::path name = info.path;
    if (keep_parts && name.extension() == ".part") continue;
    const bool is_kept = name.extension() != ".part" &&
                         std::ranges::any_of(kept, [&](const Fetched& other) { return other.id == name.stem(); });
    if (!is_kept) LODE_TRY(store::Remove(folder_ / name));
  }
  return kept;
}

Status FetchFolder::Keep(const plan::Selection& selection, Fetched* fetched) const {
  fetched->file = folder_ / (fetched->id + ".data");
  LODE_TRY(store::Rename(PartOf(fetched->id), fetched->file));
  const fs::path sidecar = folder_ / (fetched->id + ".json");
  return store::ReplaceDurable(sidecar, ToJson(selection, *fetched).dump(), folder_);
}

void FetchFolder::Remove(const std::string& id) const {
  for (const char* extension : {".json", ".data", ".part"}) (void)store::Remove(folder_ / (id + extension));
}

void FetchFolder::Close(const std::set<std::string>& wanted) const {
  if (const auto files = store::List(folder_)) {
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
