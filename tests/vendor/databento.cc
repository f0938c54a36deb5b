#include "databento.h"

#include <fmt/format.h>

#include <algorithm>

#include "databento_batch.h"
#include "encoder.h"

namespace lode::vendor {
namespace {

Response JsonResponse(const Json& json, int status = 200) {
  Response response;
  response.status = status;
  response.body = json.dump();
  return response;
}

std::string EndpointOf(const std::string& path) {
  const std::string tail = path.substr(4);
  return tail.starts_with("batch/download/") ? "batch/download" : tail;
}

}  // namespace

Json SymbologyJson(const Resolution& resolution, const std::vector<std::string>& symbols, const std::string& stype_in,
                   const std::string& stype_out, Day d0, Day d1) {
  Json result = Json::object();
  for (const auto& [symbol, intervals] : resolution.mappings) {
    Json list = Json::array();
    for (const SymbolInterval& interval : intervals) {
      list.push_back({{"d0", FormatDay(interval.d0)}, {"d1", FormatDay(interval.d1)}, {"s", interval.s}});
    }
    result[symbol] = std::move(list);
  }
  constexpr const char* kMessages[] = {"OK", "Partially resolved", "Not found"};
  return {{"result", std::move(result)},
          {"symbols", symbols},
          {"stype_in", stype_in},
          {"stype_out", stype_out},
          {"start_date", FormatDay(d0)},
          {"end_date", FormatDay(d1)},
          {"partial", resolution.partial},
          {"not_found", resolution.not_found},
          {"message", kMessages[resolution.status()]},
          {"status", resolution.status()}};
}

Json ConditionJson(const DatasetState& dataset, Day from, Day to) {
  Json list = Json::array();
  const auto states = dataset.days.StatesOf(from, to);
  for (size_t i = 0; i < states.size(); ++i) {
    if (!states[i]) continue;
    list.push_back(
        {{"date", FormatDay(from + static_cast<int32_t>(i))},
         {"condition", states[i]->condition},
         {"last_modified_date", states[i]->last_modified.empty() ? Json(nullptr) : Json(states[i]->last_modified)}});
  }
  return list;
}

Databento::Databento(const DatabentoOptions& options, Counts& counts)
    : options_(options),
      counts_(counts),
      archive_(options.archive),
      jobs_(std::make_unique<BatchJobs>(archive_, counts, options.state_dir)) {}

Databento::~Databento() = default;

bool Databento::IsAuthorized(const Request& request) const {
  const std::string header = request.Header("authorization");
  if (!header.starts_with("Basic ")) return false;
  const std::string user = DecodeBase64(std::string_view(header).substr(6));
  if (options_.key.empty()) return user.starts_with("db-") && user.size() == 33 && user.ends_with(':');
  return user == options_.key + ":";
}

Response Databento::Handle(const Request& request, bool needs_key) {
  const std::string endpoint = EndpointOf(request.path);
  Response response;
  if (needs_key && !IsAuthorized(request)) {
    response = Case(401, "auth_authentication_failed", "Authentication failed.").ToResponse();
  } else {
    Checked<Response> checked = Route(request, endpoint);
    response = checked ? std::move(*checked) : checked.error().ToResponse();
  }
  response.headers.emplace_back("request-id",
                                fmt::format("{:032x}", fixtures::Mix(options_.archive.seed, request.number)));
  counts_.CountRequest(endpoint, response.status);
  return response;
}

Checked<Response> Databento::Route(const Request& request, const std::string& endpoint) {
  const bool posts = endpoint == "timeseries.get_range" || endpoint == "symbology.resolve" ||
                     endpoint == "batch.submit_job" || endpoint == "metadata.get_record_count" ||
                     endpoint == "metadata.get_billable_size" || endpoint == "metadata.get_cost";
  // What is a POST in today's clients was a GET once, and still works.
  if (request.method != "GET" && request.method != "HEAD" && !(posts && request.method == "POST")) {
    return std::unexpected(Plain(405, "Method Not Allowed"));
  }
  if (endpoint == "timeseries.get_range") return GetRange(request);
  if (endpoint == "symbology.resolve") return SymbologyResolve(request);
  if (endpoint.starts_with("metadata.")) return Metadata(request, endpoint.substr(9));
  if (endpoint.starts_with("batch")) return jobs_->Handle(request, endpoint);
  return std::unexpected(Plain(404, "Not Found"));
}

Checked<DatasetState*> Databento::DatasetOf(const Request& request) {
  const std::string name = request.Find("dataset").value_or("");
  DatasetState* dataset = archive_.Find(name);
  if (dataset == nullptr) return std::unexpected(Plain(422, fmt::format("Invalid `dataset`: '{}'", name)));
  return dataset;
}

Checked<Response> Databento::SymbologyResolve(const Request& request) {
  auto dataset = DatasetOf(request);
  if (!dataset) return std::unexpected(dataset.error());
  const std::string stype_in = request.Find("stype_in").value_or("raw_symbol");
  const std::string stype_out = request.Find("stype_out").value_or("instrument_id");
  if (!IsStype(stype_in) || !IsStypePair(stype_in, stype_out) || stype_in == stype_out) {
    return std::unexpected(Case(422, "symbology_invalid_stype_combination",
                                fmt::format("Cannot resolve from '{}' to '{}'", stype_in, stype_out)));
  }
  auto symbols = ReadSymbols(request, stype_in);
  if (!symbols) return std::unexpected(symbols.error());
  const auto start = ParseInstant(request.Find("start_date").value_or(""));
  if (!start) return std::unexpected(Plain(422, "Invalid `start_date`"));
  const Day d0 = DayOf(start->ns);
  Day d1 = d0 + 1;
  if (const auto text = request.Find("end_date")) {
    const auto end = ParseInstant(*text);
    if (!end) return std::unexpected(Plain(422, fmt::format("Invalid `end_date`: '{}'", *text)));
    d1 = DayOf(end->ns);
  }
  if (d1 <= d0) return std::unexpected(Plain(422, "`start_date` cannot be on or after `end_date`"));
  // What is not known yet cannot be resolved.
  const Day known_from = std::max(d0, (*dataset)->info.first), known_to = std::min(d1, (*dataset)->days.today() + 1);
  Resolution resolution;
  if (known_from < known_to) {
    resolution = Resolve((*dataset)->universe, (*dataset)->fronts, *symbols, stype_in, stype_out, known_from, known_to);
  } else {
    resolution.not_found = *symbols;
  }
  return JsonResponse(SymbologyJson(resolution, *symbols, stype_in, stype_out, d0, d1),
                      resolution.status() == 1 ? 206 : 200);
}

Checked<Response> Databento::GetRange(const Request& request) {
  auto query = ReadQuery(request);
  if (!query) return std::unexpected(query.error());
  auto selected = archive_.Select(*std::move(query));
  if (!selected) return std::unexpected(selected.error());
  const auto selection = std::make_shared<Selection>(*std::move(selected));
  const auto records = std::make_shared<uint64_t>(0);
  Response response;
  response.status = selection->resolution.status() == 0 ? 200 : 206;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back(
      "Content-Disposition",
      fmt::format("attachment; filename={}-{}.{}.{}{}", Lower(selection->query.dataset),
                  FormatDay(selection->query.first_day()), selection->query.schema, selection->query.encoding,
                  selection->query.compression == "zstd" ? ".zst" : ""));
  response.stream = [this, selection, records](BodySink& sink) {
    *records = EncodeRecords(archive_, *selection, selection->query.first_day(), selection->query.last_day_exclusive(),
                             sink, true);
  };
  response.done = [this, selection, records](bool whole, uint64_t body_bytes) {
    const Query& asked = selection->query;
    counts_.CountStream(*records, body_bytes, archive_.CostOf(*records, asked.schema, "historical-streaming"), whole);
    if (!whole || asked.limit > 0) return;
    std::vector<Day> days;
    for (Day day = asked.first_day(); day < asked.last_day_exclusive(); day = day + 1) {
      if (TradingDays::IsListed(day) && day.start_ns() >= asked.start_ns && (day + 1).start_ns() <= asked.end_ns)
        days.push_back(day);
    }
    for (const std::string& symbol : asked.symbols) counts_.CountCells(asked.schema, symbol, days);
  };
  return response;
}

Response Databento::Control(const std::string& action, const Json& body) {
  const auto bad = [](std::string text) { return Plain(400, std::move(text)).ToResponse(); };
  if (action == "today") {
    const auto now = ParseInstant(body.at("today").get<std::string>());
    if (!now) return bad("today: a date or an instant");
    archive_.SetNow(now->ns);
    return JsonResponse({{"today", FormatIsoNs(now->ns)}});
  }
  if (action == "jobs") return jobs_->Control(body);
  DatasetState* dataset = archive_.Find(body.value("dataset", "GLBX.MDP3"));
  if (dataset == nullptr) return bad("no such dataset");
  std::vector<Day> days;
  for (const Json& text : body.at("days")) {
    const auto day = ParseDay(text.get<std::string>());
    if (!day) return bad("not a day: " + text.dump());
    days.push_back(*day);
  }
  if (action == "revise") {
    const auto modified = ParseDay(body.value("last_modified_date", FormatDay(dataset->days.today())));
    if (!modified) return bad("last_modified_date");
    dataset->days.Revise(days, *modified);
  } else if (action == "condition") {
    for (const Day day : days) dataset->days.SetCondition(day, body.at("condition").get<std::string>());
  } else {
    return Plain(404, "no such control").ToResponse();
  }
  return JsonResponse({{"days", days.size()}});
}

}  // namespace lode::vendor
