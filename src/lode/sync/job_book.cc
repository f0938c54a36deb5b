#include "lode/sync/job_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lode/store/local_disk.h"

namespace lode::sync {
namespace {

namespace fs = std::filesystem;
using source::databento::BatchJob;
using source::databento::BatchRequest;

constexpr uint64_t kMaxEntryBytes = uint64_t{1} << 20;
constexpr std::array<std::string_view, 4> kStates = {"intended", "submitted", "fetched", "dropped"};

std::string FileName(int64_t number) { return fmt::format("{:08}.json", number); }

nlohmann::json ToJson(const JobEntry& entry) {
  const BatchRequest& request = entry.request;
  return {{"number", entry.number},
          {"state", Name(entry.state)},
          {"job_id", entry.job_id},
          {"dataset", request.query.dataset},
          {"schema", request.query.schema},
          {"symbols", request.query.symbols},
          {"stype_in", request.query.stype_in},
          {"start", request.query.start_ns},
          {"end", request.query.end_ns},
          {"encoding", request.encoding},
          {"compression", request.compression},
          {"split_duration", request.split_duration},
          {"cost_usd", entry.cost_usd ? nlohmann::json(*entry.cost_usd) : nlohmann::json(nullptr)},
          {"intended_at", FormatIsoNs(entry.intended_ns)},
          {"equal_before", entry.equal_before}};
}

Result<JobEntry> FromJson(const std::string& text) {
  const auto bad = [] {
    return Fail(ErrorKind::kCorrupt, "not an entry of the job book; restore it: it says what was paid for");
  };
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad();
  JobEntry entry;
  try {
    entry.number = json.at("number").get<int64_t>();
    const auto state = std::ranges::find(kStates, json.at("state").get<std::string>());
    if (state == kStates.end()) return bad();
    entry.state = static_cast<JobEntry::State>(state - kStates.begin());
    entry.job_id = json.at("job_id").get<std::string>();
    BatchRequest& request = entry.request;
    request.query.dataset = json.at("dataset").get<std::string>();
    request.query.schema = json.at("schema").get<std::string>();
    request.query.symbols = json.at("symbols").get<std::vector<std::string>>();
    request.query.stype_in = json.at("stype_in").get<std::string>();
    request.query.start_ns = json.at("start").get<int64_t>();
    request.query.end_ns = json.at("end").get<int64_t>();
    request.encoding = json.at("encoding").get<std::string>();
    request.compression = json.at("compression").get<std::string>();
    request.split_duration = json.at("split_duration").get<std::string>();
    if (!json.at("cost_usd").is_null()) entry.cost_usd = json.at("cost_usd").get<double>();
    const auto intended = ParseIsoNs(json.at("intended_at").get<std::string>());
    if (!intended) return bad();
    entry.intended_ns = *intended;
    entry.equal_before = json.at("equal_before").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    return bad();
  }
  return entry;
}

}  // namespace

std::string_view Name(JobEntry::State state) { return kStates[static_cast<size_t>(state)]; }

Result<std::vector<JobEntry>> JobBook::Read() const {
  LODE_TRY(const std::vector<store::FileInfo> files, store::List(folder_));
  std::vector<JobEntry> entries;
  for (const store::FileInfo& info : files) {
    const fs::path name = info.path;
    if (name.has_parent_path() || name.extension() != ".json") continue;
    LODE_TRY(const std::string text, store::ReadFile(folder_ / name, kMaxEntryBytes));
    auto entry = FromJson(text);
    if (!entry) return std::unexpected(std::move(entry).error().With((folder_ / name).string()));
    if (FileName(entry->number) != name) {
      return Fail(ErrorKind::kCorrupt, "{}: the entry has number {}", (folder_ / name).string(), entry->number);
    }
    entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, {}, &JobEntry::number);
  return entries;
}

Status JobBook::Write(JobEntry* entry) const {
  LODE_TRY(store::MakeDirectories(folder_));
  if (entry->number == 0) {
    LODE_TRY(const std::vector<JobEntry> entries, Read());
    entry->number = entries.empty() ? 1 : entries.back().number + 1;
  }
  return store::ReplaceDurable(folder_ / FileName(entry->number), ToJson(*entry).dump(1) + "\n", folder_);
}

bool Answers(const BatchJob& job, const BatchRequest& request) {
  std::vector<std::string> asked = request.query.symbols, has = job.symbols;
  std::ranges::sort(asked);
  std::ranges::sort(has);
  if (asked.empty()) asked = {"ALL_SYMBOLS"};
  return job.dataset == request.query.dataset && job.schema == request.query.schema && has == asked &&
         job.stype_in == request.query.stype_in && job.start_ns == request.query.start_ns &&
         job.end_ns == request.query.end_ns && job.encoding == request.encoding &&
         job.split_duration == request.split_duration;
}

}  // namespace lode::sync
