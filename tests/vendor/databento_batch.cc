#include "databento_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "market.h"
#include "zip.h"

namespace lode::vendor {
namespace {

constexpr const char* kUser = "R7CSTR49";

Response JsonResponse(const Json& json) {
  Response response;
  response.body = json.dump();
  return response;
}

std::string JobId(const std::string& dataset, Day day, uint64_t seed, uint64_t number) {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ3456789";
  const YearMonthDay date = ToYearMonthDay(day);
  std::string id = fmt::format("{}-{:04}{:02}{:02}-", dataset.substr(0, 4), date.year, date.month, date.day);
  fixtures::Random random(fixtures::Mix(seed ^ 0xB47C4, number));
  for (int i = 0; i < 10; ++i) id += kLetters[random.Below(kLetters.size())];
  return id;
}

Json OrNull(const std::string& text, std::string_view none) { return text == none ? Json(nullptr) : Json(text); }

}  // namespace

BatchJobs::BatchJobs(Archive& archive, Counts& counts, std::string state_dir)
    : archive_(archive), counts_(counts), state_dir_(std::move(state_dir)) {
  Restore();
}

Checked<Response> BatchJobs::Handle(const Request& request, const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  if (endpoint == "batch.submit_job") return Submit(request);
  if (endpoint == "batch.list_jobs") return List(request);
  if (endpoint == "batch.list_files") return ListFiles(request);
  if (endpoint == "batch.download") return Zip(request);
  if (endpoint == "batch/download") return Download(request);
  if (endpoint == "batch.get_job_details") {
    auto job = FindJob(request);
    if (!job) return std::unexpected(job.error());
    Poll(**job);
    return JsonResponse((*job)->object);
  }
  return std::unexpected(Plain(404, "Not Found"));
}

std::string BatchJobs::NextTimestamp() {
  return FormatIsoNs(archive_.Find("GLBX.MDP3")->days.now_ns() + ++ticks_ * 250'000'000 + 95'538'123);
}

Checked<Response> BatchJobs::Submit(const Request& request) {
  auto query = ReadQuery(request);
  if (!query) return std::unexpected(query.error());
  const std::string split = request.Find("split_duration").value_or("day");
  if (split != "day" && split != "week" && split != "month" && split != "year" && split != "none") {
    return std::unexpected(Plain(422, fmt::format("Invalid `split_duration`: '{}'", split)));
  }
  const std::string delivery = request.Find("delivery").value_or("download");
  if (delivery != "download") return std::unexpected(Plain(422, fmt::format("Invalid `delivery`: '{}'", delivery)));
  if (request.Find("packaging")) return std::unexpected(Plain(422, "`packaging` is no longer supported"));
  if (const auto size = request.Find("split_size"); size && std::strtod(size->c_str(), nullptr) < 1e9) {
    return std::unexpected(Plain(422, "`split_size` must be between 1e9 and 10e9"));
  }
  if (!request.Find("compression")) query->compression = "zstd";
  if (!request.Find("map_symbols")) query->map_symbols = query->encoding != "dbn";
  Job job;
  job.split_duration = split;
  job.split_symbols = IsTrue(request.Find("split_symbols"));
  if (job.split_symbols && query->symbols[0] == kAllSymbols) {
    return std::unexpected(Plain(422, "`split_symbols` cannot be used with 'ALL_SYMBOLS'"));
  }
  auto selection = archive_.Select(*std::move(query));
  if (!selection) return std::unexpected(selection.error());
  job.selection = *std::move(selection);
  const Query& asked = job.selection.query;
  const uint64_t records = archive_.CountRecords(job.selection);
  const double usd = archive_.CostOf(records, asked.schema, "historical");
  const std::string now = NextTimestamp();
  const std::string id =
      JobId(asked.dataset, job.selection.dataset->days.today(), archive_.options().seed, jobs_.size());
  job.object = {{"id", id},
                {"user_id", kUser},
                {"bill_id", nullptr},
                {"cost_usd", usd},
                {"dataset", asked.dataset},
                // As the vendor: one symbol is text, several are a list.
                {"symbols", asked.symbols.size() == 1 ? Json(asked.symbols[0]) : Json(asked.symbols)},
                {"stype_in", asked.stype_in},
                {"stype_out", asked.stype_out},
                {"schema", asked.schema},
                {"start", FormatIsoNs(asked.start_ns)},
                {"end", FormatIsoNs(asked.end_ns)},
                {"limit", asked.limit == 0 ? Json(nullptr) : Json(asked.limit)},
                {"encoding", asked.encoding},
                {"compression", OrNull(asked.compression, "none")},
                {"pretty_px", asked.pretty_px},
                {"pretty_ts", asked.pretty_ts},
                {"map_symbols", asked.map_symbols},
                {"split_symbols", job.split_symbols},
                {"split_duration", OrNull(split, "none")},
                {"split_size", nullptr},
                {"packaging", nullptr},
                {"delivery", "download"},
                {"record_count", records},
                {"billed_size", records * archive_.record_size(asked.schema)},
                {"actual_size", nullptr},
                {"package_size", nullptr},
                {"state", "queued"},
                {"ts_received", now},
                {"ts_queued", nullptr},
                {"ts_process_start", nullptr},
                {"ts_process_done", nullptr},
                {"ts_expiration", nullptr},
                {"progress", nullptr}};
  counts_.CountJob(id, usd);
  jobs_.push_back(std::move(job));
  if (queued_polls_ <= 0) Poll(jobs_.back());
  Save();
  return JsonResponse(jobs_.back().object);
}

void BatchJobs::SetState(Job& job, const std::string& state) {
  if (job.state() == state) return;
  job.object["state"] = state;
  if (state == "processing") {
    job.object["ts_queued"] = NextTimestamp();
    job.object["ts_process_start"] = NextTimestamp();
    job.object["progress"] = 40;
  } else if (state == "done") {
    if (job.files.empty()) MakeFiles(job);
    for (const char* when : {"ts_queued", "ts_process_start"}) {
      if (job.object[when].is_null()) job.object[when] = NextTimestamp();
    }
    job.object["ts_process_done"] = NextTimestamp();
    job.object["ts_expiration"] =
        FormatIsoNs(*ParseIsoNs(job.object["ts_process_done"].get<std::string>()) + 30 * kNsPerDay);
    job.object["progress"] = 100;
  } else if (state == "expired") {
    job.files.clear();
  }
  Save();
}

void BatchJobs::Poll(Job& job) {
  ++job.polls;
  const std::string state = job.state();
  if (state == "expired") return;
  const int done_at = queued_polls_ + processing_polls_;
  if (expire_after_polls_ > 0 && job.polls > done_at + expire_after_polls_) return SetState(job, "expired");
  if (state == "done") return;
  if (job.polls > done_at) return SetState(job, "done");
  if (job.polls > queued_polls_) SetState(job, "processing");
}

Checked<Response> BatchJobs::List(const Request& request) {
  const auto states = SplitList(request.Find("states").value_or("queued,processing,done"));
  int64_t since = 0;
  if (const auto text = request.Find("since")) {
    const auto instant = ParseInstant(*text);
    if (!instant) return std::unexpected(Plain(422, fmt::format("Invalid `since`: '{}'", *text)));
    since = instant->ns;
  }
  Json list = Json::array();
  for (Job& job : jobs_) {
    Poll(job);
    if (std::ranges::find(states, job.state()) == states.end()) continue;
    if (*ParseIsoNs(job.object["ts_received"].get<std::string>()) < since) continue;
    if (IsTrue(request.Find("short"))) {
      list.push_back({{"id", job.id()}, {"state", job.state()}, {"ts_received", job.object["ts_received"]}});
    } else {
      list.push_back(job.object);
    }
  }
  return JsonResponse(list);
}

Checked<BatchJobs::Job*> BatchJobs::FindJob(const Request& request) {
  const std::string id = request.Find("job_id").value_or("");
  const auto found = std::ranges::find_if(jobs_, [&](const Job& job) { return job.id() == id; });
  if (found == jobs_.end())
    return std::unexpected(Case(404, "batch_job_not_found", fmt::format("Batch job '{}' not found", id)));
  return &*found;
}

Json BatchJobs::FilesJson(const Job& job, bool wrong_hash) const {
  Json list = Json::array();
  for (const File& file : job.files) {
    if (file.name == "manifest.json") continue;  // it does not list itself
    const std::string tail = fmt::format("{}/{}/{}", kUser, job.id(), file.name);
    std::string hash = file.hash;
    if (wrong_hash) hash[0] = hash[0] == '0' ? '1' : '0';
    list.push_back({{"filename", file.name},
                    {"size", file.bytes.size()},
                    {"hash", "sha256:" + hash},
                    {"urls",
                     {{"https", "https://api.databento.com/v0/batch/download/" + tail},
                      {"ftp", "ftp://ftp.databento.com/" + tail}}}});
  }
  return list;
}

Checked<Response> BatchJobs::ListFiles(const Request& request) {
  auto job = FindJob(request);
  if (!job) return std::unexpected(job.error());
  Poll(**job);
  if ((*job)->state() == "expired")
    return std::unexpected(Case(404, "batch_job_expired", "The files of this job have expired"));
  return JsonResponse(FilesJson(**job, request.faults.wrong_hash));
}

Checked<Response> BatchJobs::Zip(const Request& request) {
  auto job = FindJob(request);
  if (!job) return std::unexpected(job.error());
  if ((*job)->state() != "done")
    return std::unexpected(Case(404, "batch_job_not_done", "The job's files are not there"));
  ZipWriter zip;
  for (const File& file : (*job)->files) zip.Add(file.name, file.bytes);
  Response response;
  response.content_type = "application/zip";
  response.body = zip.Finish();
  response.done = [this, id = (*job)->id()](bool whole, uint64_t bytes) {
    counts_.CountJobFile(id, id + ".zip", bytes, whole);
  };
  return response;
}

Checked<Response> BatchJobs::Download(const Request& request) {
  // /v0/batch/download/USER/JOB/FILE, and without USER as newer clients have it.
  std::vector<std::string> parts;
  std::string rest = request.path.substr(std::string("/v0/batch/download/").size());
  for (size_t slash; (slash = rest.find('/')) != std::string::npos; rest.erase(0, slash + 1))
    parts.push_back(rest.substr(0, slash));
  if (parts.empty() || parts.size() > 2 || (parts.size() == 2 && parts[0] != kUser))
    return std::unexpected(Plain(404, "Not Found"));
  const auto job = std::ranges::find_if(jobs_, [&](const Job& one) { return one.id() == parts.back(); });
  if (job == jobs_.end()) return std::unexpected(Plain(404, "Not Found"));
  const auto file = std::ranges::find(job->files, rest, &File::name);
  if (file == job->files.end()) return std::unexpected(Plain(404, "File not found"));

  Response response;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", "\"" + file->hash.substr(0, 32) + "\"");
  std::string bytes = file->bytes;
  if (request.faults.wrong_hash && file->name == "manifest.json") {
    bytes = Json{{"job_id", job->id()}, {"files", FilesJson(*job, true)}}.dump(4);
  }
  const uint64_t size = bytes.size();
  const std::string wanted = request.Header("range");
  const auto range = request.faults.ignore_range ? std::nullopt : ParseRange(wanted, size);
  if (range && (range->first >= size || range->first > range->second)) {
    ApiError error = Plain(416, "Requested range not satisfiable");
    response = error.ToResponse();
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return response;
  }
  if (range) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->second, size));
    response.body = bytes.substr(range->first, range->second - range->first + 1);
  } else {
    response.body = std::move(bytes);
  }
  response.done = [this, id = job->id(), name = file->name, all = response.body.size() == size](
                      bool whole, uint64_t sent) { counts_.CountJobFile(id, name, sent, whole && all); };
  return response;
}

Response BatchJobs::Control(const Json& body) {
  const std::lock_guard lock(mutex_);
  queued_polls_ = body.value("queued_polls", queued_polls_);
  processing_polls_ = body.value("processing_polls", processing_polls_);
  expire_after_polls_ = body.value("expire_after_polls", expire_after_polls_);
  if (body.contains("job_id")) {
    const auto job =
        std::ranges::find_if(jobs_, [&](const Job& one) { return one.id() == body.at("job_id").get<std::string>(); });
    if (job == jobs_.end()) return Plain(404, "no such job").ToResponse();
    SetState(*job, body.at("state").get<std::string>());
  }
  return JsonResponse({{"jobs", jobs_.size()}});
}

// --- state_dir: jobs.json and JOB/FILE ---

void BatchJobs::Save() const {
  if (state_dir_.empty()) return;
  Json all = Json::array();
  for (const Job& job : jobs_) {
    Json names = Json::array();
    for (const File& file : job.files) names.push_back({{"name", file.name}, {"hash", file.hash}});
    all.push_back({{"object", job.object},
                   {"polls", job.polls},
                   {"split_duration", job.split_duration},
                   {"split_symbols", job.split_symbols},
                   {"files", names}});
  }
  std::filesystem::create_directories(state_dir_);
  const std::string path = state_dir_ + "/jobs.json";
  std::ofstream(path + ".new") << Json{{"ticks", ticks_}, {"jobs", all}}.dump(1);
  std::filesystem::rename(path + ".new", path);
}

void BatchJobs::Restore() {
  if (state_dir_.empty()) return;
  std::ifstream in(state_dir_ + "/jobs.json");
  if (!in) return;
  const Json state = Json::parse(in);
  ticks_ = state.at("ticks").get<int64_t>();
  for (const Json& saved : state.at("jobs")) {
    Job job;
    job.object = saved.at("object");
    job.polls = saved.at("polls").get<int>();
    job.split_duration = saved.at("split_duration").get<std::string>();
    job.split_symbols = saved.at("split_symbols").get<bool>();
    Request again;  // the query, from what the job says of itself
    for (const auto& [key, value] : job.object.items()) {
      if (value.is_array()) {
        std::string joined;
        for (const Json& symbol : value) joined += (joined.empty() ? "" : ",") + symbol.get<std::string>();
        again.parameters.emplace(key, joined);
      } else if (!value.is_null()) {
        again.parameters.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
    auto query = ReadQuery(again);
    auto selection = query ? archive_.Select(*std::move(query)) : Checked<Selection>(std::unexpected(query.error()));
    if (!selection) continue;
    job.selection = *std::move(selection);
    if (!saved.at("files").empty()) MakeFiles(job);  // the same again: data depend on the query alone
    jobs_.push_back(std::move(job));
  }
}

}  // namespace lode::vendor
