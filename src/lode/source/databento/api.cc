#include "lode/source/databento/api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lode/base/log.h"
#include "lode/net/url.h"
#include "lode/source/databento/api_json.h"

namespace lode::source::databento {
namespace {

using net::Request;
using Fields = std::vector<std::pair<std::string, std::string>>;

// The vendor's limits a team; batch.submit_job is 20 a minute.
struct PathRate {
  std::string_view prefix;
  double requests_per_s;
};
constexpr PathRate kRates[] = {{"/metadata.", 20},
                               {"/timeseries.", 100},
                               {"/symbology.", 100},
                               {"/batch.list_jobs", 20},
                               {"/batch.submit_job", 20.0 / 60}};

// Symbology of 2,000 symbols over decades; a stream of records has no such bound.
constexpr uint64_t kLargestAnswer = uint64_t{512} << 20;
constexpr uint64_t kLargestStream = uint64_t{1} << 42;

// An answer that is not what the method gives was cut or replaced on its way: worth another try.
template <typename T>
class ParsedBody : public net::TextBody {
 public:
  explicit ParsedBody(Result<T> (*parse)(std::string_view)) : parse_(parse) {}
  Status End() override {
    value_ = parse_(text());
    if (value_) return Ok();
    return Fail(ErrorKind::kCorrupt, "not the answer of this method: {}", value_.error().ToString());
  }
  T& value() { return *value_; }

 private:
  Result<T> (*parse_)(std::string_view);
  Result<T> value_ = Fail(ErrorKind::kInternal, "no answer");
};

void LogWarnings(const net::ResponseHead& head, std::string_view what) {
  for (const std::string& warning : ParseWarnings(head.Find("X-Warning"))) {
    log::Warning("databento: {}: {}", what, warning);
  }
}

std::string JoinSymbols(const std::vector<std::string>& symbols) {
  return symbols.empty() ? "ALL_SYMBOLS" : fmt::format("{}", fmt::join(symbols, ","));
}

Status CheckSymbols(const std::vector<std::string>& symbols) {
  if (symbols.size() > kMostSymbols) {
    return Fail(ErrorKind::kUsage, "{} symbols in one request; the vendor takes {}", symbols.size(), kMostSymbols);
  }
  for (const std::string& symbol : symbols) {
    if (symbol.empty() || symbol.find(',') != std::string::npos) {
      return Fail(ErrorKind::kUsage, "'{}' is no symbol", symbol);
    }
  }
  return Ok();
}

Result<Fields> FieldsOf(const SeriesQuery& query) {
  LODE_TRY(CheckSymbols(query.symbols));
  if (query.start_ns >= query.end_ns) return Fail(ErrorKind::kUsage, "a request that ends before it starts");
  Fields fields{{"dataset", query.dataset},        {"symbols", JoinSymbols(query.symbols)},
                {"schema", query.schema},          {"start", VendorTime(query.start_ns)},
                {"end", VendorTime(query.end_ns)}, {"stype_in", query.stype_in}};
  if (query.limit > 0) fields.emplace_back("limit", fmt::format("{}", query.limit));
  return fields;
}

// "ohlcv-1d ZL.FUT,ZS.FUT and 3 more 2024-01-01..2024-01-07", the last day inclusive.
std::string LabelOf(const SeriesQuery& query) {
  constexpr size_t kNamed = 2;
  std::vector<std::string> named(
      query.symbols.begin(), query.symbols.begin() + static_cast<ptrdiff_t>(std::min(kNamed, query.symbols.size())));
  std::string symbols = JoinSymbols(named);
  if (query.symbols.size() > kNamed) symbols += fmt::format(" and {} more", query.symbols.size() - kNamed);
  return fmt::format("{} {} {}..{}", query.schema, symbols, FormatDay(DayOf(query.start_ns)),
                     FormatDay(DayOf(query.end_ns - 1)));
}

}  // namespace

std::string VendorTime(int64_t ns) {
  const int64_t of_day = ns - DayOf(ns).start_ns();
  if (of_day == 0) return FormatDay(DayOf(ns));
  std::string text = FormatIsoNs(ns);
  text.pop_back();  // the Z
  if (of_day % kNsPerSecond == 0) text.resize(text.find('.'));
  return text;
}

ApiError ToApiError(const net::Outcome& outcome) {
  ApiError error(outcome.status ? Error{} : outcome.status.error());
  error.failure = outcome.response.failure;
  error.http_status = outcome.response.head.status;
  error.refusal = ParseRefusal(outcome.response.error_body);
  return error;
}

Result<Api> Api::Make(net::Client& client, std::string base_url, std::string key) {
  LODE_TRY(const net::Url base, net::ParseUrl(base_url));
  if (!base.query.empty()) return Fail(ErrorKind::kConfig, "sources.databento.base_url holds a query");
  if (key.empty()) return Fail(ErrorKind::kConfig, "sources.databento.key is empty");
  std::string path = base.path;
  while (path.ends_with('/')) path.pop_back();
  for (const PathRate& rate : kRates) client.LimitPath(path + std::string(rate.prefix), rate.requests_per_s);
  return Api(client, base.origin + path, base.origin, std::move(key));
}

Request Api::Get(std::string_view method, const Fields& fields) const {
  Request request;
  request.url = fmt::format("{}/{}{}{}", base_url_, method, fields.empty() ? "" : "?", net::FormEncode(fields));
  request.headers = {{"Accept", "application/json"}};
  request.credential = {.kind = net::Credential::Kind::kBasicUser, .secret = key_, .origin = origin_};
  request.label = method;
  request.max_response_bytes = kLargestAnswer;
  return request;
}

Request Api::Post(std::string_view method, const Fields& fields) const {
  Request request = Get(method, {});
  request.method = "POST";
  request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  request.body = net::FormEncode(fields);
  return request;
}

template <typename T>
Answer<T> Api::CallFor(Request request, Result<T> (*parse)(std::string_view)) {
  const std::string label = request.label;
  const auto body = std::make_shared<ParsedBody<T>>(parse);
  const net::Outcome outcome = client_->Fetch(std::move(request), body);
  if (!outcome.status) return std::unexpected(ToApiError(outcome));
  LogWarnings(outcome.response.head, label);
  return std::move(body->value());
}

template <typename T>
Answer<T> Api::AskAbout(std::string_view method, const SeriesQuery& query, Result<T> (*parse)(std::string_view)) {
  LODE_TRY(const Fields fields, FieldsOf(query));
  Request request = Post(method, fields);
  request.label = fmt::format("{} {}", method, LabelOf(query));
  request.halvable = true;
  return CallFor(std::move(request), parse);
}

// ---- metadata and symbology ----

Answer<std::vector<std::string>> Api::ListDatasets() { return CallFor(Get("metadata.list_datasets", {}), &ParseNames); }

Answer<std::vector<std::string>> Api::ListSchemas(const std::string& dataset) {
  return CallFor(Get("metadata.list_schemas", {{"dataset", dataset}}), &ParseNames);
}

Answer<std::vector<Publisher>> Api::ListPublishers() {
  return CallFor(Get("metadata.list_publishers", {}), &ParsePublishers);
}

Answer<std::vector<FieldInfo>> Api::ListFields(const std::string& schema, const std::string& encoding) {
  return CallFor(Get("metadata.list_fields", {{"schema", schema}, {"encoding", encoding}}), &ParseFields);
}

Answer<std::vector<UnitPrices>> Api::ListUnitPrices(const std::string& dataset) {
  return CallFor(Get("metadata.list_unit_prices", {{"dataset", dataset}}), &ParseUnitPrices);
}

Answer<std::vector<Condition>> Api::GetDatasetCondition(const std::string& dataset, std::optional<Day> first,
                                                        std::optional<Day> last) {
  Fields fields{{"dataset", dataset}};
  if (first) fields.emplace_back("start_date", FormatDay(*first));
  if (last) fields.emplace_back("end_date", FormatDay(*last));
  return CallFor(Get("metadata.get_dataset_condition", fields), &ParseCondition);
}

Answer<DatasetRange> Api::GetDatasetRange(const std::string& dataset) {
  return CallFor(Get("metadata.get_dataset_range", {{"dataset", dataset}}), &ParseDatasetRange);
}

Answer<uint64_t> Api::GetRecordCount(const SeriesQuery& query) {
  return AskAbout("metadata.get_record_count", query, &ParseCount);
}

Answer<uint64_t> Api::GetBillableSize(const SeriesQuery& query) {
  return AskAbout("metadata.get_billable_size", query, &ParseCount);
}

Answer<double> Api::GetCost(const SeriesQuery& query) { return AskAbout("metadata.get_cost", query, &ParseCost); }

Answer<Resolution> Api::Resolve(const SymbologyQuery& query) {
  LODE_TRY(CheckSymbols(query.symbols));
  return CallFor(Post("symbology.resolve", {{"dataset", query.dataset},
                                            {"symbols", JoinSymbols(query.symbols)},
                                            {"stype_in", query.stype_in},
                                            {"stype_out", query.stype_out},
                                            {"start_date", FormatDay(query.first)},
                                            {"end_date", FormatDay(query.end)}}),
                 &ParseResolution);
}

// ---- timeseries and batch ----

Result<Request> Api::SeriesRequest(const SeriesQuery& query) const {
  LODE_TRY(Fields fields, FieldsOf(query));
  fields.emplace_back("stype_out", "instrument_id");
  fields.emplace_back("encoding", "dbn");
  fields.emplace_back("compression", "zstd");
  Request request = Post("timeseries.get_range", fields);
  request.label = "timeseries.get_range " + LabelOf(query);
  request.halvable = true;
  request.max_response_bytes = kLargestStream;
  return request;
}

Status Api::GetRange(const SeriesQuery& query, std::shared_ptr<net::Body> body, net::Client::Done done) {
  LODE_TRY(Request request, SeriesRequest(query));
  client_->Add(std::move(request), std::move(body), [done = std::move(done)](net::Outcome outcome) {
    if (outcome.status) LogWarnings(outcome.response.head, "timeseries.get_range");
    done(std::move(outcome));
  });
  return Ok();
}

Answer<BatchJob> Api::SubmitJob(const BatchRequest& batch) {
  LODE_TRY(Fields fields, FieldsOf(batch.query));
  fields.insert(fields.end(), {{"stype_out", "instrument_id"},
                               {"encoding", batch.encoding},
                               {"compression", batch.compression},
                               {"map_symbols", batch.encoding == "dbn" ? "false" : "true"},
                               {"split_symbols", batch.split_symbols ? "true" : "false"},
                               {"split_duration", batch.split_duration},
                               {"delivery", "download"}});
  if (batch.split_size > 0) fields.emplace_back("split_size", fmt::format("{}", batch.split_size));
  Request request = Post("batch.submit_job", fields);
  request.label = "batch.submit_job " + LabelOf(batch.query);
  request.repeatable = false;
  return CallFor(std::move(request), &ParseJob);
}

Answer<std::vector<BatchJob>> Api::ListJobs(const std::vector<std::string>& states, std::optional<int64_t> since_ns) {
  Fields fields;
  if (!states.empty()) fields.emplace_back("states", fmt::format("{}", fmt::join(states, ",")));
  if (since_ns) fields.emplace_back("since", VendorTime(*since_ns));
  return CallFor(Get("batch.list_jobs", fields), &ParseJobs);
}

Answer<BatchJob> Api::GetJob(const std::string& job_id) {
  return CallFor(Get("batch.get_job_details", {{"job_id", job_id}}), &ParseJob);
}

Answer<std::vector<BatchFile>> Api::ListFiles(const std::string& job_id) {
  return CallFor(Get("batch.list_files", {{"job_id", job_id}}), &ParseFiles);
}

Request Api::DownloadRequest(const BatchFile& file) const {
  Request request;
  request.url = origin_ + file.path;
  request.credential = {.kind = net::Credential::Kind::kBasicUser, .secret = key_, .origin = origin_};
  request.label = "batch file " + file.file.name;
  request.max_response_bytes = std::max<uint64_t>(file.file.size, 1);
  return request;
}

}  // namespace lode::source::databento
