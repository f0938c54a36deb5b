#include "lode/source/databento/api_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "lode/net/url.h"
#include "lode/source/databento/json_internal.h"

namespace lode::source::databento {
namespace {

std::unexpected<Error> Bad(std::string_view what, std::string_view why) {
  return Fail(ErrorKind::kBadInput, "{}: {}", what, why);
}

Result<Json> ParseList(std::string_view text, std::string_view what) {
  LODE_TRY(Json json, ParseJson(text, what));
  if (!json.is_array()) return Bad(what, "not a list");
  return json;
}

bool IsAbsent(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null();
}

Result<std::string> TextAt(const Json& object, const char* key, std::string_view what) {
  std::string text = TextOr(object, key);
  if (text.empty()) return Bad(what, fmt::format("'{}' is missing or no text", key));
  return text;
}

Result<double> AmountOf(const Json& value, std::string_view what) {
  if (!value.is_number()) return Bad(what, "not a number");
  const double amount = value.get<double>();
  if (!std::isfinite(amount) || amount < 0) return Bad(what, "not a finite, positive number");
  return amount;
}

Result<std::optional<double>> AmountAt(const Json& object, const char* key) {
  if (IsAbsent(object, key)) return std::nullopt;
  LODE_TRY(const double amount, AmountOf(object[key], key));
  return amount;
}

Result<std::optional<uint64_t>> CountAt(const Json& object, const char* key) {
  if (IsAbsent(object, key)) return std::nullopt;
  if (!object[key].is_number_unsigned()) return Bad(key, "not a count");
  return object[key].get<uint64_t>();
}

Result<std::optional<int64_t>> TimeAt(const Json& object, const char* key) {
  if (IsAbsent(object, key)) return std::nullopt;
  const Json& value = object[key];
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return Bad(key, "not a time");
  Result<int64_t> ns = ParseVendorTime(value.get_ref<const std::string&>());
  if (!ns) return std::unexpected(std::move(ns).error().With(key));
  return *ns;
}

Result<int64_t> RequiredTime(const Json& object, const char* key, const char* older_key) {
  LODE_TRY(std::optional<int64_t> ns, TimeAt(object, key));
  if (!ns) {
    LODE_TRY(ns, TimeAt(object, older_key));
  }
  if (!ns) return Bad(key, "missing");
  return *ns;
}

Result<TimeRange> RangeOf(const Json& object, std::string_view what) {
  if (!object.is_object()) return Bad(what, "not an object");
  TimeRange range;
  LODE_TRY(range.start_ns, RequiredTime(object, "start", "start_date"));
  LODE_TRY(range.end_ns, RequiredTime(object, "end", "end_date"));
  if (range.start_ns > range.end_ns) return Bad(what, "it ends before it starts");
  return range;
}

Result<std::vector<SymbolInterval>> IntervalsOf(const Json& list, const std::string& symbol) {
  if (!list.is_array()) return Bad(symbol, "not a list of intervals");
  std::vector<SymbolInterval> intervals;
  intervals.reserve(list.size());
  for (const Json& entry : list) {
    SymbolInterval interval;
    LODE_TRY(interval.first, ParseDay(TextOr(entry, "d0")));
    LODE_TRY(interval.end, ParseDay(TextOr(entry, "d1")));
    interval.symbol = TextOr(entry, "s");
    if (interval.first >= interval.end) return Bad(symbol, "an interval without days");
    // The vendor says so when a symbol means nothing on those days.
    if (!interval.symbol.empty()) intervals.push_back(std::move(interval));
  }
  std::ranges::sort(intervals, {}, &SymbolInterval::first);
  return intervals;
}

Result<BatchJob::State> StateOf(std::string_view text) {
  if (text == "received") return BatchJob::State::kReceived;
  if (text == "queued") return BatchJob::State::kQueued;
  if (text == "processing") return BatchJob::State::kProcessing;
  if (text == "done") return BatchJob::State::kDone;
  if (text == "expired") return BatchJob::State::kExpired;
  return Bad("state", fmt::format("unknown state '{}' of a job", text.substr(0, 40)));
}

Status TakeTimes(const Json& json, BatchJob* job) {
  LODE_TRY(job->start_ns, TimeAt(json, "start"));
  LODE_TRY(job->end_ns, TimeAt(json, "end"));
  LODE_TRY(job->received_ns, TimeAt(json, "ts_received"));
  LODE_TRY(job->queued_ns, TimeAt(json, "ts_queued"));
  LODE_TRY(job->process_start_ns, TimeAt(json, "ts_process_start"));
  LODE_TRY(job->process_done_ns, TimeAt(json, "ts_process_done"));
  LODE_TRY(job->expiration_ns, TimeAt(json, "ts_expiration"));
  return Ok();
}

Status TakeAmounts(const Json& json, BatchJob* job) {
  LODE_TRY(job->cost_usd, AmountAt(json, "cost_usd"));
  LODE_TRY(job->limit, CountAt(json, "limit"));
  LODE_TRY(job->record_count, CountAt(json, "record_count"));
  LODE_TRY(job->billed_size, CountAt(json, "billed_size"));
  LODE_TRY(job->actual_size, CountAt(json, "actual_size"));
  LODE_TRY(job->package_size, CountAt(json, "package_size"));
  LODE_TRY(job->progress_percent, AmountAt(json, "progress"));
  return Ok();
}

Result<BatchJob> JobOf(const Json& json) {
  if (!json.is_object()) return Bad("batch job", "not an object");
  BatchJob job;
  LODE_TRY(job.id, TextAt(json, "id", "batch job"));
  // The id becomes part of URLs and folders.
  if (!std::ranges::all_of(job.id, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      })) {
    return Bad("batch job", "an id that is no name");
  }
  LODE_TRY(job.state, StateOf(TextOr(json, "state")));
  job.user_id = TextOr(json, "user_id");
  job.dataset = TextOr(json, "dataset");
  job.schema = TextOr(json, "schema");
  job.stype_in = TextOr(json, "stype_in");
  job.stype_out = TextOr(json, "stype_out");
  job.encoding = TextOr(json, "encoding");
  job.compression = TextOr(json, "compression", "none");
  job.split_duration = TextOr(json, "split_duration", "none");
  LODE_TRY(job.symbols, SymbolsOf(json, "symbols", "symbols"));
  LODE_TRY(TakeTimes(json, &job));
  LODE_TRY(TakeAmounts(json, &job));
  return job;
}

}  // namespace

Result<int64_t> ParseVendorTime(std::string_view text) {
  if (!text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    int64_t ns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
    if (error == std::errc()) return ns;
  }
  for (const std::string_view utc : {"+00:00", "-00:00", "+0000"}) {
    if (text.size() > 10 + utc.size() && text.ends_with(utc)) {
      text.remove_suffix(utc.size());
      break;
    }
  }
  return ParseIsoNs(text);
}

Result<std::vector<std::string>> ParseNames(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "list of names"));
  std::vector<std::string> names;
  for (const Json& entry : json) {
    if (!entry.is_string()) return Bad("list of names", "it holds a non-string");
    names.push_back(entry.get<std::string>());
  }
  return names;
}

Result<std::vector<Publisher>> ParsePublishers(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "publishers"));
  std::vector<Publisher> publishers;
  for (const Json& entry : json) {
    if (!entry.is_object()) return Bad("publishers", "an entry is not an object");
    Publisher publisher;
    LODE_TRY(const std::optional<uint64_t> id, CountAt(entry, "publisher_id"));
    if (!id || *id > UINT16_MAX) return Bad("publishers", "an entry without a publisher_id");
    publisher.id = static_cast<uint32_t>(*id);
    LODE_TRY(publisher.dataset, TextAt(entry, "dataset", "publishers"));
    publisher.venue = TextOr(entry, "venue");
    publisher.description = TextOr(entry, "description");
    publishers.push_back(std::move(publisher));
  }
  return publishers;
}

Result<std::vector<FieldInfo>> ParseFields(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "fields"));
  std::vector<FieldInfo> fields;
  for (const Json& entry : json) {
    FieldInfo field;
    LODE_TRY(field.name, TextAt(entry, "name", "fields"));
    field.type = TextOr(entry, "type");
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<std::vector<UnitPrices>> ParseUnitPrices(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "unit prices"));
  std::vector<UnitPrices> prices;
  for (const Json& entry : json) {
    UnitPrices mode;
    LODE_TRY(mode.mode, TextAt(entry, "mode", "unit prices"));
    const auto found = entry.find("unit_prices");
    if (found == entry.end() || !found->is_object()) return Bad("unit prices", "a mode without prices");
    for (const auto& [schema, price] : found->items()) {
      LODE_TRY(mode.by_schema[schema], AmountOf(price, schema));
    }
    prices.push_back(std::move(mode));
  }
  return prices;
}

Result<DatasetRange> ParseDatasetRange(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "dataset range"));
  DatasetRange range;
  LODE_TRY(range.overall, RangeOf(json, "dataset range"));
  if (IsAbsent(json, "schema")) return range;
  if (!json["schema"].is_object()) return Bad("dataset range", "'schema' is not an object");
  for (const auto& [schema, value] : json["schema"].items()) {
    LODE_TRY(range.by_schema[schema], RangeOf(value, schema));
  }
  return range;
}

Result<uint64_t> ParseCount(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "count"));
  if (!json.is_number_unsigned()) return Bad("count", "not a whole number");
  return json.get<uint64_t>();
}

Result<double> ParseCost(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "cost"));
  return AmountOf(json, "cost");
}

Result<Resolution> ParseResolution(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "symbology"));
  if (!json.is_object() || !json.contains("result") || !json["result"].is_object()) {
    return Bad("symbology", "no result object");
  }
  Resolution resolution;
  for (const auto& [symbol, intervals] : json["result"].items()) {
    LODE_TRY(resolution.intervals[symbol], IntervalsOf(intervals, symbol));
  }
  LODE_TRY(resolution.partial, SymbolsOf(json, "partial", "symbology: partial"));
  LODE_TRY(resolution.not_found, SymbolsOf(json, "not_found", "symbology: not_found"));
  return resolution;
}

Result<BatchJob> ParseJob(std::string_view text) {
  LODE_TRY(const Json json, ParseJson(text, "batch job"));
  return JobOf(json);
}

Result<std::vector<BatchJob>> ParseJobs(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "batch jobs"));
  std::vector<BatchJob> jobs;
  for (const Json& entry : json) {
    LODE_TRY(BatchJob job, JobOf(entry));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Result<std::vector<BatchFile>> ParseFiles(std::string_view text) {
  LODE_TRY(const Json json, ParseList(text, "batch files"));
  std::vector<BatchFile> files;
  std::set<std::string> names;
  for (const Json& entry : json) {
    BatchFile file;
    LODE_TRY(file.file, ParseManifestEntry(entry, "batch files"));
    const std::string& name = file.file.name;
    if (!names.insert(name).second) return Bad("batch files", fmt::format("'{}' is listed twice", name));
    const auto urls = entry.find("urls");
    const std::string url = urls == entry.end() ? "" : TextOr(*urls, "https");
    const Result<net::Url> parsed = net::ParseUrl(url);
    if (!parsed || parsed->path == "/") return Bad("batch files", fmt::format("'{}' has no https URL", name));
    file.path = parsed->path;
    files.push_back(std::move(file));
  }
  return files;
}

Refusal ParseRefusal(std::string_view error_body) {
  Refusal refusal;
  const Json json = Json::parse(error_body, nullptr, false);
  if (!json.is_object()) return refusal;
  const auto detail = json.find("detail");
  if (detail == json.end()) return refusal;
  if (detail->is_string()) refusal.message = detail->get<std::string>();
  if (!detail->is_object()) return refusal;
  refusal.name = TextOr(*detail, "case");
  refusal.message = TextOr(*detail, "message");
  refusal.docs = TextOr(*detail, "docs");
  const auto payload = detail->find("payload");
  if (payload == detail->end() || !payload->is_object()) return refusal;
  if (const auto start = TimeAt(*payload, "available_start")) refusal.available_start_ns = *start;
  if (const auto end = TimeAt(*payload, "available_end")) refusal.available_end_ns = *end;
  return refusal;
}

std::vector<std::string> ParseWarnings(std::string_view header) {
  if (header.empty()) return {};
  std::vector<std::string> warnings;
  const Json json = Json::parse(header, nullptr, false);
  if (!json.is_array()) return {std::string(header)};
  for (const Json& entry : json) {
    if (entry.is_string()) warnings.push_back(entry.get<std::string>());
  }
  return warnings;
}

}  // namespace lode::source::databento
