#include "tardis.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <regex>

#include "gzip.h"
#include "market.h"
#include "tardis_files.h"

namespace lode::vendor {
namespace {

// A day's files are there six hours after its end.
constexpr int64_t kExportNs = 6 * 3600 * kNsPerSecond;

const std::regex& FilePath() {
  static const std::regex path(
      "/v1/([a-z0-9-]+)/(trades|incremental_book_L2|quotes|book_snapshot_25|book_snapshot_5|book_ticker|"
      "derivative_ticker|liquidations|options_chain)/([0-9]{4})/([0-9]{2})/([0-9]{2})/(.+)\\.csv\\.gz");
  return path;
}

Response Refusal(int status, int code, std::string message) {
  Response response;
  response.status = status;
  response.body = Json{{"code", code}, {"message", std::move(message)}}.dump();
  return response;
}

Response JsonAnswer(const Request& request, const Json& json) {
  Response response;
  response.body = json.dump();
  if (request.Header("accept-encoding").contains("gzip")) {
    response.body = fixtures::Gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  return response;
}

std::string Instant(Day day) { return FormatDay(day) + "T00:00:00.000Z"; }

std::string Md5Hex(const std::string& bytes) {
  std::array<unsigned char, 16> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_md5(), nullptr);
  return ToHex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Json Described(const TardisSymbol& symbol) {
  Json json = {{"id", symbol.id}, {"type", symbol.type}, {"availableSince", Instant(symbol.since)}};
  if (symbol.to) json["availableTo"] = Instant(*symbol.to);
  return json;
}

uint64_t HashOf(const std::string& text) {
  uint64_t hash = 0;
  for (const unsigned char c : text) hash = fixtures::Mix(hash, c);
  return hash;
}

}  // namespace

Tardis::Tardis(TardisOptions options, Counts& counts, std::function<int64_t()> now_ns)
    : options_(std::move(options)),
      counts_(counts),
      exchanges_(TardisExchanges(options_.more_options)),
      now_ns_(std::move(now_ns)) {}

bool Tardis::Owns(const std::string& path) {
  return path == "/v1/exchanges" || path.starts_with("/v1/exchanges/") || path.starts_with("/v1/instruments/") ||
         path == "/v1/api-key-info" || std::regex_match(path, FilePath());
}

Day Tardis::ExportedFrom(const TardisExchange& exchange) const {
  const std::lock_guard lock(mutex_);
  return exported_from_.value_or(exchange.since);
}

Day Tardis::ExportedUntil() const {
  const std::lock_guard lock(mutex_);
  return exported_until_.value_or(DayOf(now_ns_() - kExportNs));
}

bool Tardis::HasKey(const Request& request) const {
  const std::string header = request.Header("authorization");
  if (!header.starts_with("Bearer ") || header.size() == 7) return false;
  return options_.key.empty() || header.substr(7) == options_.key;
}

const TardisExchange* Tardis::Find(const std::string& id) const {
  const auto found = std::ranges::find(exchanges_, id, &TardisExchange::id);
  return found == exchanges_.end() ? nullptr : &*found;
}

Response Tardis::Handle(const Request& request) {
  std::string endpoint = "tardis/?";
  Response response = Route(request, endpoint);
  counts_.CountRequest(endpoint, response.status);
  return response;
}

Response Tardis::Route(const Request& request, std::string& endpoint) {
  if (request.method != "GET" && request.method != "HEAD") return Refusal(405, 1, "Method not allowed.");
  const std::string tail = request.path.substr(4);
  if (tail == "exchanges") {
    endpoint = "tardis/exchanges";
    Json list = Json::array();
    for (const TardisExchange& exchange : exchanges_) {
      list.push_back({{"id", exchange.id},
                      {"name", exchange.name},
                      {"enabled", true},
                      {"filterable", true},
                      {"supportsDatasets", true},
                      {"availableSince", Instant(exchange.since)}});
    }
    return JsonAnswer(request, list);
  }
  if (tail.starts_with("exchanges/")) {
    endpoint = "tardis/exchange";
    const TardisExchange* exchange = Find(tail.substr(10));
    if (exchange == nullptr) return Refusal(404, 101, "There is no such exchange: " + tail.substr(10));
    return Details(request, *exchange);
  }
  if (tail == "api-key-info") {
    endpoint = "tardis/api-key-info";
    if (!HasKey(request)) return Refusal(401, 151, "Provided API key is invalid.");
    return JsonAnswer(request, Json::array({{{"exchange", "*"}, {"accessType", "pro"}}}));
  }
  if (tail.starts_with("instruments/")) {
    endpoint = "tardis/instruments";
    if (!HasKey(request)) return Refusal(401, 151, "Provided API key is invalid.");
    return Instruments(request, tail.substr(12));
  }
  endpoint = "tardis/file";
  std::smatch parts;
  if (!std::regex_match(request.path, parts, FilePath())) return Refusal(404, 100, "Not found.");
  const auto day = ParseDay(fmt::format("{}-{}-{}", parts[3].str(), parts[4].str(), parts[5].str()));
  if (!day) return Refusal(400, 110, "Invalid date, please provide it in ISO 8601 format.");
  return Dataset(request, {parts[1], parts[2], parts[6], *day});
}

Response Tardis::Details(const Request& request, const TardisExchange& exchange) const {
  Json symbols = Json::array(), files = Json::array();
  for (const TardisSymbol& symbol : exchange.symbols) symbols.push_back(Described(symbol));
  for (const auto* list : {&exchange.grouped, &exchange.symbols}) {
    for (const TardisSymbol& symbol : *list) {
      Json entry = Described(symbol);
      entry["id"] = symbol.dataset_id;
      entry["dataTypes"] = symbol.data_types;
      files.push_back(std::move(entry));
    }
  }
  return JsonAnswer(
      request, {{"id", exchange.id},
                {"name", exchange.name},
                {"enabled", true},
                {"filterable", true},
                {"availableSince", Instant(exchange.since)},
                {"availableChannels", {"trades", "book", "ticker"}},
                {"availableSymbols", std::move(symbols)},
                {"incidentReports", Json::array({{{"from", "2024-02-14T03:10:00.000Z"},
                                                  {"to", "2024-02-14T03:55:00.000Z"},
                                                  {"status", "resolved"},
                                                  {"details", "connection issues [\"exchange side\", {no data}]"}}})},
                {"channelDetails", Json::array({{{"name", "trades"}, {"description", "a \\ and a \" in it"}}})},
                {"datasets",
                 {{"formats", {"csv"}},
                  {"exportedFrom", Instant(ExportedFrom(exchange))},
                  {"exportedUntil", Instant(ExportedUntil())},
                  {"stats", {{"trades", 1'000'000}, {"bookChanges", 9'000'000}}},
                  {"symbols", std::move(files)}}}});
}

Response Tardis::Instruments(const Request& request, const std::string& rest) const {
  const size_t slash = rest.find('/');
  const TardisExchange* exchange = Find(rest.substr(0, slash));
  if (exchange == nullptr) return Refusal(404, 101, "There is no such exchange: " + rest);
  const Json filter = Json::parse(request.Find("filter").value_or("{}"), nullptr, false);
  if (!filter.is_object()) return Refusal(400, 120, "Invalid 'filter' param.");
  Json list = Json::array();
  for (const TardisSymbol& symbol : exchange->symbols) {
    Json json = {{"id", symbol.id}, {"datasetId", symbol.dataset_id}, {"exchange", exchange->id}};
    for (const auto& [key, value] : symbol.terms.items()) json[key] = value;
    json["type"] = symbol.type;
    json["active"] = !symbol.to || *symbol.to > ExportedUntil();
    json["availableSince"] = Instant(symbol.since);
    if (symbol.to) json["availableTo"] = Instant(*symbol.to);
    const auto fits = [&](const auto& condition) {
      const Json has = json.value(condition.key(), Json(nullptr));
      return condition.value().is_array() ? std::ranges::find(condition.value(), has) != condition.value().end()
                                          : condition.value() == has;
    };
    bool is_wanted = true;
    for (const auto& condition : filter.items()) is_wanted = is_wanted && fits(condition);
    if (slash != std::string::npos) {
      if (symbol.id == PercentDecode(rest.substr(slash + 1), false)) return JsonAnswer(request, json);
    } else if (is_wanted) {
      list.push_back(std::move(json));
    }
  }
  if (slash != std::string::npos) return Refusal(404, 102, "There is no such symbol.");
  return JsonAnswer(request, list);
}

std::string Tardis::BytesOf(const TardisExchange& exchange, const TardisSymbol& symbol, const File& file,
                            uint64_t& records) const {
  fixtures::TardisSeries series{exchange.id, file.data_type, file.symbol, {}};
  for (const TardisSymbol& one : exchange.symbols) {
    const bool is_listed = one.since <= file.day && (!one.to || file.day < *one.to);
    const bool is_meant =
        &one == &symbol || (symbol.id == file.symbol && symbol.terms.is_null() && one.type == symbol.type);
    // The files spell everything in upper case.
    if (is_listed && is_meant) series.contracts.push_back(Upper(one.id));
    if (series.contracts.size() == 500) break;
  }
  const uint64_t hash = fixtures::Mix(options_.seed, HashOf(fmt::format("{}/{}/{}/{}", file.exchange, file.data_type,
                                                                        file.symbol, FormatDay(file.day))));
  const bool is_empty = series.contracts.empty() || hash % (file.data_type == "liquidations" ? 3 : 17) == 0;
  const std::string header = fixtures::TardisHeader(file.data_type);
  records = 0;
  // The three ways of the vendor to say that there was nothing.
  if (is_empty) return hash / 64 % 3 == 0 ? "" : fixtures::Gzip(hash / 64 % 3 == 1 ? "" : header);
  const int rows = options_.rows / 2 + static_cast<int>(hash / 64 % static_cast<uint64_t>(options_.rows));
  records = static_cast<uint64_t>(rows);
  return fixtures::Gzip(header + fixtures::TardisLines(series, file.day, options_.seed, rows),
                        hash % 5 == 0 ? 4'000 : 0);
}

Response Tardis::Dataset(const Request& request, const File& file) {
  const TardisExchange* exchange = Find(file.exchange);
  if (exchange == nullptr) return Refusal(404, 101, "There is no such exchange: " + file.exchange);
  const TardisSymbol* symbol = exchange->FindDataset(file.symbol);
  if (symbol == nullptr) return Refusal(404, 102, fmt::format("There is no such symbol: '{}'.", file.symbol));
  if (std::ranges::find(symbol->data_types, file.data_type) == symbol->data_types.end()) {
    return Refusal(404, 103, fmt::format("There is no '{}' data type for '{}'.", file.data_type, file.symbol));
  }
  const bool has_key = HasKey(request);
  if (ToYearMonthDay(file.day).day != 1) {
    const std::lock_guard lock(mutex_);
    if (!has_key) return Refusal(401, 151, "Unauthorized: an API key is needed but for the first day of a month.");
    if (plan_from_ && file.day < *plan_from_) {
      return Refusal(401, 152, fmt::format("Unauthorized: your plan begins on {}.", FormatDay(*plan_from_)));
    }
  }
  if (file.day < symbol->since || (symbol->to && file.day >= *symbol->to) || file.day < ExportedFrom(*exchange) ||
      file.day >= ExportedUntil()) {
    return Refusal(400, 111, fmt::format("'{}' is not available on {}.", file.symbol, FormatDay(file.day)));
  }
  uint64_t records = 0;
  std::string bytes = BytesOf(*exchange, *symbol, file, records);
  const uint64_t size = bytes.size();
  Response response;
  response.content_type = "text/csv";
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", "\"" + Md5Hex(bytes) + "\"");
  const auto range = request.faults.ignore_range ? std::nullopt : ParseRange(request.Header("range"), size);
  if (range && (range->first >= size || range->first > range->second)) {
    Response refusal = Refusal(416, 112, "Requested range not satisfiable");
    refusal.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return refusal;
  }
  bool reaches_end = true;
  if (range) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->second, size));
    response.body = bytes.substr(range->first, range->second - range->first + 1);
    reaches_end = range->second + 1 == size;
  } else {
    response.body = std::move(bytes);
  }
  response.done = [this, file, records, reaches_end](bool whole, uint64_t sent) {
    counts_.CountStream(records, sent, 0, whole && reaches_end);
    if (whole && reaches_end) counts_.CountCells("tardis/" + file.data_type, file.symbol, {file.day});
  };
  return response;
}

Response Tardis::Control(const Json& body) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : body.items()) {
    std::optional<Day>* const what = key == "exported_from"    ? &exported_from_
                                     : key == "exported_until" ? &exported_until_
                                     : key == "plan_from"      ? &plan_from_
                                                               : nullptr;
    if (what == nullptr) return Refusal(400, 0, "no key '" + key + "'");
    if (value.is_null()) {
      what->reset();
      continue;
    }
    const auto day = ParseDay(value.get<std::string>());
    if (!day) return Refusal(400, 0, key + ": a day, please");
    *what = *day;
  }
  Response response;
  response.body = "{}";
  return response;
}

}  // namespace lode::vendor
