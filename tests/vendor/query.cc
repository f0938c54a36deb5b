#include "query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "records.h"
#include "symbology.h"

namespace lode::vendor {
namespace {

constexpr size_t kMaxSymbols = 2'000;

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Response ApiError::ToResponse() const {
  Response response;
  response.status = status;
  response.body = Json{{"detail", detail}}.dump();
  return response;
}

ApiError Plain(int status, std::string text) { return {status, std::move(text)}; }

ApiError Case(int status, std::string id, std::string message, Json payload) {
  return {status,
          {{"case", std::move(id)},
           {"message", std::move(message)},
           {"status_code", status},
           {"docs", "https://databento.com/docs/api-reference-historical/basics/errors"},
           {"payload", std::move(payload)}}};
}

bool IsTrue(const std::optional<std::string>& text) { return text && (*text == "1" || Lower(*text) == "true"); }

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

std::optional<Instant> ParseInstant(std::string_view text) {
  if (IsNumber(text)) {
    int64_t ns = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
    if (error != std::errc()) return std::nullopt;
    return Instant{ns, 1};
  }
  std::string iso(text);
  int64_t offset_s = 0;
  if (iso.size() > 16 && (iso[iso.size() - 6] == '+' || iso[iso.size() - 6] == '-') && iso[iso.size() - 3] == ':') {
    const std::string zone = iso.substr(iso.size() - 6);
    offset_s = (std::atoi(zone.substr(1, 2).c_str()) * 60 + std::atoi(zone.substr(4, 2).c_str())) * 60;
    if (zone[0] == '-') offset_s = -offset_s;
    iso.resize(iso.size() - 6);
  }
  int64_t resolution = kNsPerDay;
  const bool zulu = iso.ends_with('Z');
  if (zulu) iso.pop_back();
  if (iso.size() == 13) {
    resolution = 3'600 * kNsPerSecond;
    iso += ":00:00";
  } else if (iso.size() == 16) {
    resolution = 60 * kNsPerSecond;
    iso += ":00";
  } else if (iso.size() == 19) {
    resolution = kNsPerSecond;
  } else if (iso.size() > 19) {
    resolution = 1;
  }
  const auto ns = ParseIsoNs(iso);
  if (!ns) return std::nullopt;
  return Instant{*ns - offset_s * kNsPerSecond, resolution};
}

Checked<std::vector<std::string>> ReadSymbols(const Request& request, const std::string& stype_in) {
  std::vector<std::string> symbols;
  std::set<std::string> seen;
  for (std::string& symbol : SplitList(request.Find("symbols").value_or(std::string(kAllSymbols)))) {
    while (!symbol.empty() && symbol.front() == ' ') symbol.erase(0, 1);
    if (seen.insert(symbol).second) symbols.push_back(std::move(symbol));
  }
  if (symbols.size() == 1 && symbols[0] == kAllSymbols) return symbols;
  if (symbols.empty()) return std::unexpected(Plain(422, "Invalid `symbols`: empty"));
  if (symbols.size() > kMaxSymbols) {
    return std::unexpected(
        Plain(422, fmt::format("Too many `symbols`: {} of at most {}", symbols.size(), kMaxSymbols)));
  }
  for (const std::string& symbol : symbols) {
    if (!HasForm(symbol, stype_in)) {
      return std::unexpected(
          Case(422, "symbology_invalid_symbol", fmt::format("Invalid format for '{}' symbol '{}'", stype_in, symbol)));
    }
  }
  return symbols;
}

Checked<Query> ReadQuery(const Request& request) {
  Query query;
  const auto wrong = [](const std::string& name, const std::string& value) {
    return std::unexpected(Plain(422, fmt::format("Invalid `{}`: '{}'", name, value)));
  };
  query.dataset = request.Find("dataset").value_or("");
  const auto& datasets = Datasets();
  if (std::ranges::find(datasets, query.dataset, &DatasetInfo::code) == datasets.end())
    return wrong("dataset", query.dataset);
  query.schema = request.Find("schema").value_or("trades");
  if (!IsSchema(query.schema)) return wrong("schema", query.schema);
  query.stype_in = request.Find("stype_in").value_or("raw_symbol");
  query.stype_out = request.Find("stype_out").value_or("instrument_id");
  if (!IsStype(query.stype_in)) return wrong("stype_in", query.stype_in);
  if (!IsStypePair(query.stype_in, query.stype_out)) return wrong("stype_out", query.stype_out);
  auto symbols = ReadSymbols(request, query.stype_in);
  if (!symbols) return std::unexpected(symbols.error());
  query.symbols = *std::move(symbols);

  const auto start = ParseInstant(request.Find("start").value_or(""));
  if (!start) return wrong("start", request.Find("start").value_or(""));
  query.start_ns = start->ns;
  query.end_ns = start->ns + start->resolution_ns;
  if (const auto text = request.Find("end")) {
    const auto end = ParseInstant(*text);
    if (!end) return wrong("end", *text);
    query.end_ns = end->ns;
  }
  if (query.end_ns <= query.start_ns) {
    return std::unexpected(Case(422, "data_time_range_start_on_or_after_end",
                                "Invalid time range query, `start` cannot be on or after `end`."));
  }
  if (const auto limit = request.Find("limit")) {
    const auto [rest, error] = std::from_chars(limit->data(), limit->data() + limit->size(), query.limit);
    if (error != std::errc() || rest != limit->data() + limit->size()) return wrong("limit", *limit);
  }
  query.encoding = request.Find("encoding").value_or("dbn");
  if (query.encoding != "dbn" && query.encoding != "csv" && query.encoding != "json")
    return wrong("encoding", query.encoding);
  query.compression = request.Find("compression").value_or("none");
  if (query.compression != "none" && query.compression != "zstd") return wrong("compression", query.compression);
  query.pretty_px = IsTrue(request.Find("pretty_px"));
  query.pretty_ts = IsTrue(request.Find("pretty_ts"));
  query.map_symbols = IsTrue(request.Find("map_symbols"));
  return query;
}

}  // namespace lode::vendor
