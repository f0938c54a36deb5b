#include "lode/source/fred/api.h"

#include <algorithm>
#include <chrono>

#include "lode/base/json.h"
#include "lode/net/url.h"

namespace lode::source::fred {
namespace {

// 120 requests a minute and key. Kept to in every ten seconds, so that a few series need not wait for each other.
constexpr double kRequestsPerSecond = 2;
constexpr std::chrono::seconds kRateWindow{10};
constexpr uint64_t kLargestPage = uint64_t{48} << 20;

std::unexpected<Error> Bad(std::string_view why) { return Fail(ErrorKind::kBadInput, "{}", why); }

Result<Json> ParseObject(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Bad("not a JSON object");
  return json;
}

Result<Day> DayAt(const Json& object, const char* key) {
  auto day = ParseDay(TextOr(object, key));
  if (!day) return Bad(fmt::format("'{}' is no day", key));
  return *day;
}

Result<size_t> CountAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return Bad(fmt::format("'{}' is no count", key));
  return found->get<size_t>();
}

Result<const Json*> ListAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return Bad(fmt::format("'{}' is no list", key));
  return &*found;
}

}  // namespace

bool IsSeriesId(std::string_view text) {
  constexpr size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

std::vector<Window> WindowsOf(const std::vector<Day>& vintages) {
  std::vector<Window> windows;
  Day start = kEarliest;
  for (size_t at = kMostVintages; at < vintages.size(); at += kMostVintages) {
    windows.push_back({start, vintages[at] - 1});
    start = vintages[at];
  }
  windows.push_back({start, kLatest});
  return windows;
}

Result<Series> ParseSeries(std::string_view text) {
  LODE_TRY(const Json json, ParseObject(text));
  LODE_TRY(const Json* list, ListAt(json, "seriess"));  // sic
  if (list->size() != 1) return Bad("not one series");
  const Json& entry = list->front();
  Series series;
  series.id = TextOr(entry, "id");
  if (series.id.empty()) return Bad("'id' is missing");
  LODE_TRY(series.first, DayAt(entry, "observation_start"));
  LODE_TRY(series.last, DayAt(entry, "observation_end"));
  if (series.last < series.first) return Bad("it ends before it starts");
  // "2025-11-20 15:01:02-06": the vendor's own day, as its vintages are dated.
  constexpr size_t kDayText = 10;
  const auto day = ParseDay(TextOr(entry, "last_updated").substr(0, kDayText));
  if (!day) return Bad("'last_updated' is no time");
  series.last_updated = *day;
  return series;
}

Result<VintagePage> ParseVintages(std::string_view text) {
  LODE_TRY(const Json json, ParseObject(text));
  VintagePage page;
  LODE_TRY(page.count, CountAt(json, "count"));
  LODE_TRY(page.offset, CountAt(json, "offset"));
  LODE_TRY(const Json* list, ListAt(json, "vintage_dates"));
  for (const Json& entry : *list) {
    const auto day = ParseDay(entry.is_string() ? entry.get_ref<const std::string&>() : "");
    if (!day || (!page.dates.empty() && *day <= page.dates.back())) return Bad("vintage dates that do not ascend");
    page.dates.push_back(*day);
  }
  return page;
}

Result<ObservationPage> ParseObservations(std::string_view text) {
  LODE_TRY(const Json json, ParseObject(text));
  ObservationPage page;
  LODE_TRY(page.realtime_start, DayAt(json, "realtime_start"));
  LODE_TRY(page.realtime_end, DayAt(json, "realtime_end"));
  LODE_TRY(page.range_first, DayAt(json, "observation_start"));
  LODE_TRY(page.range_last, DayAt(json, "observation_end"));
  LODE_TRY(page.count, CountAt(json, "count"));
  LODE_TRY(page.offset, CountAt(json, "offset"));
  LODE_TRY(page.limit, CountAt(json, "limit"));
  LODE_TRY(const Json* list, ListAt(json, "observations"));
  page.rows = list->size();
  if (page.rows == 0) return page;
  LODE_TRY(page.first, DayAt(list->front(), "date"));
  LODE_TRY(page.last, DayAt(list->back(), "date"));
  return page;
}

std::string ParseErrorMessage(std::string_view text) {
  return TextOr(Json::parse(text, nullptr, /*allow_exceptions=*/false), "error_message");
}

Result<Api> Api::Make(net::Client& client, std::string base_url, std::string key) {
  auto base = net::ParseBaseUrl(base_url);
  if (!base) return std::unexpected(std::move(base).error().With("sources.fred.base_url"));
  if (key.empty()) return Fail(ErrorKind::kConfig, "sources.fred.key is empty");
  client.LimitPath(base->path + "/", kRequestsPerSecond, kRateWindow);
  return Api(client, base->text, base->origin, std::move(key));
}

net::Request Api::Get(std::string_view path, const std::string& id, Fields fields) const {
  fields.insert(fields.begin(), {"series_id", id});
  fields.emplace_back("file_type", "json");
  net::Request request;
  request.url = fmt::format("{}/{}?{}", base_url_, path, net::FormEncode(fields));
  request.headers = {{"Accept", "application/json"}};
  request.credential = {
      .kind = net::Credential::Kind::kQuery, .secret = key_, .origin = origin_, .query_name = "api_key"};
  request.label = fmt::format("{} {}", path, id);
  request.max_response_bytes = kLargestPage;
  return request;
}

net::Request Api::SeriesRequest(const std::string& id) const { return Get("series", id, {}); }

net::Request Api::VintagesRequest(const std::string& id, size_t offset) const {
  return Get("series/vintagedates", id,
             {{"realtime_start", FormatDay(kEarliest)},
              {"realtime_end", FormatDay(kLatest)},
              {"limit", std::to_string(kVintagesPage)},
              {"offset", std::to_string(offset)},
              {"sort_order", "asc"}});
}

net::Request Api::ObservationsRequest(const std::string& id, Day first, Day last, std::optional<Window> window,
                                      size_t offset) const {
  Fields fields{{"observation_start", FormatDay(first)}, {"observation_end", FormatDay(last)}};
  if (window) {
    fields.emplace_back("realtime_start", FormatDay(window->start));
    fields.emplace_back("realtime_end", FormatDay(window->end));
  }
  fields.emplace_back("sort_order", "asc");
  fields.emplace_back("limit", std::to_string(kObservationsPage));
  fields.emplace_back("offset", std::to_string(offset));
  net::Request request = Get("series/observations", id, std::move(fields));
  request.halvable = true;
  return request;
}

}  // namespace lode::source::fred
