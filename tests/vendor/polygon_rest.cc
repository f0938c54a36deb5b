#include "polygon_rest.h"

#include <fmt/format.h>

#include <algorithm>

namespace lode::vendor {
namespace {

using Kind = PolygonTable::Kind;

std::string Hex(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string FromHex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

Response Refused(int status, const std::string& word, const std::string& message) {
  Response response;
  response.status = status;
  response.body = Json{{"status", word}, {"request_id", "sim"}, {"error", message}}.dump();
  return response;
}

bool IsPaged(Kind kind) { return kind == Kind::kDays || kind == Kind::kBars || kind == Kind::kList; }

// Where the next page is: bars name its first instant in the path, as the vendor does.
std::string PathOf(const PolygonTable& table, const std::vector<std::string>& parts, const Json& next_row) {
  if (table.kind != Kind::kBars) return std::string(table.path);
  std::string path;
  size_t part = 0;
  for (const char c : table.path) {
    if (c != '*') {
      path += c;
      continue;
    }
    path += part == 1 ? std::to_string(next_row.at("t").get<int64_t>()) : parts.at(part);
    ++part;
  }
  return path;
}

}  // namespace

struct PolygonRest::Question {
  std::string first, end;  // days, end exclusive
  std::string ticker;
  bool active = true, adjusted = true;
  size_t limit = 0, offset = 0;

  Json ToJson() const {
    return {{"first", first},       {"end", end},     {"active", active},
            {"adjusted", adjusted}, {"limit", limit}, {"offset", offset}};
  }
  Day first_day() const { return *ParseDay(first); }
  Day end_day() const { return *ParseDay(end); }
};

bool PolygonRest::Owns(const std::string& path) {
  std::vector<std::string> parts;
  return FindPolygonTable(path, &parts) != nullptr;
}

bool PolygonRest::IsRevised(const PolygonTable& table, Day day) const {
  const std::lock_guard lock(mutex_);
  const bool is_today = table.kind == Kind::kList || table.kind == Kind::kWhole || table.kind == Kind::kOfTicker;
  return std::ranges::any_of(
      revised_, [&](const auto& one) { return one.first == table.name && (is_today || one.second == day); });
}

Checked<PolygonRest::Question> PolygonRest::Read(const Request& request, const PolygonTable& table,
                                                 const std::vector<std::string>& parts) const {
  Question question;
  question.active = request.Find("active").value_or("true") == "true";
  question.adjusted = request.Find("adjusted").value_or("true") == "true";
  const char* const usual_limit = table.kind == Kind::kBars ? "5000" : table.kind == Kind::kList ? "100" : "10";
  question.limit = static_cast<size_t>(std::atoi(request.Find("limit").value_or(usual_limit).c_str()));
  question.first = request.Find(std::string(table.day) + ".gte").value_or("2003-01-01");
  question.end = request.Find(std::string(table.day) + ".lt").value_or("2100-01-01");
  if (table.kind == Kind::kGrouped) question.first = parts.at(0);
  if (table.kind == Kind::kBars) question.first = parts.at(1);
  const auto last = table.kind == Kind::kGrouped ? ParseDay(parts.at(0))
                    : table.kind == Kind::kBars  ? ParseDay(parts.at(2))
                                                 : Result<Day>(Day{});
  if (table.kind == Kind::kGrouped || table.kind == Kind::kBars) {
    question.end = last ? FormatDay(*last + 1) : "";
  }
  if (table.kind == Kind::kBars || table.kind == Kind::kOfTicker) question.ticker = parts.at(0);
  if (const auto cursor = request.Find("cursor")) {
    const Json state = Json::parse(FromHex(*cursor), nullptr, false);
    if (!state.is_object()) return std::unexpected(Plain(400, "The cursor is invalid"));
    question.first = state.value("first", question.first);
    question.end = state.value("end", question.end);
    question.active = state.value("active", true);
    question.adjusted = state.value("adjusted", true);
    question.limit = state.value("limit", question.limit);
    question.offset = state.value("offset", question.offset);
  }
  if (!ParseDay(question.first) || !ParseDay(question.end) || question.limit == 0) {
    return std::unexpected(Plain(400, "a parameter is not understood"));
  }
  question.limit = std::min(question.limit, options_.page_limit);
  if (!IsPaged(table.kind)) question.limit = SIZE_MAX;
  return question;
}

Json PolygonRest::RowsOf(const PolygonTable& table, const Question& question) const {
  PolygonRows rows{.seed = options_.seed, .adjusted = question.adjusted};
  const Day today = options_.today();
  if (table.kind == Kind::kList || table.kind == Kind::kWhole || table.kind == Kind::kOfTicker) {
    rows.revised = IsRevised(table, today);
    return rows.Today(table, question.ticker, question.active, today);
  }
  Json all = Json::array();
  const auto append = [&](Json more) {
    for (Json& row : more) all.push_back(std::move(row));
  };
  for (Day day = question.first_day(); day < std::min(question.end_day(), today); day = day + 1) {
    rows.revised = IsRevised(table, day);
    if (table.kind == Kind::kDays) {
      append(rows.OfDay(table, day));
    } else if (table.kind == Kind::kBars) {
      append(rows.Bars(table, question.ticker, day));
    } else {
      for (const std::string& ticker : PolygonTickers(true)) append(rows.Bars(table, ticker, day));
    }
  }
  return all;
}

Response PolygonRest::Handle(const Request& request) {
  std::vector<std::string> parts;
  const PolygonTable& table = *FindPolygonTable(request.path, &parts);
  Response response = Answer(request, table, parts);
  counts_.CountRequest(std::string(table.path.substr(1)), response.status);
  return response;
}

Response PolygonRest::Answer(const Request& request, const PolygonTable& table, const std::vector<std::string>& parts) {
  const std::string bearer = request.Header("authorization");
  const std::string key = bearer.starts_with("Bearer ") ? bearer.substr(7) : request.Find("apiKey").value_or("");
  if (key.empty() || (!options_.key.empty() && key != options_.key)) return Refused(401, "ERROR", "Unknown API Key");
  std::string host;
  bool added = false;
  {
    const std::lock_guard lock(mutex_);
    host = next_host_.empty() ? "http://" + request.Header("host") : next_host_;
    added = added_;
    if (request.Find("cursor") && expired_) return Refused(400, "ERROR", "The cursor has expired");
  }
  const auto asked = Read(request, table, parts);
  if (!asked) return Refused(asked.error().status, "ERROR", asked.error().detail.get<std::string>());
  const Question& question = *asked;
  const Json all = RowsOf(table, question);
  if (all.is_null()) return Refused(404, "NOT_FOUND", "Ticker not found.");
  Json rows = Json::array();
  for (size_t i = question.offset; i < all.size() && rows.size() < question.limit; ++i) {
    rows.push_back(all[i]);
    if (added) rows.back()["added_later"] = {{"value", 7}};
  }
  const uint64_t records = rows.size();
  const size_t next = question.offset + rows.size();
  const bool ends = next >= all.size();
  Json page = {{"status", "OK"}, {"request_id", fmt::format("{:016x}", request.number)}};
  if (table.kind == Kind::kGrouped || table.kind == Kind::kBars) {
    page.update({{"adjusted", question.adjusted}, {"queryCount", rows.size()}, {"resultsCount", rows.size()}});
    if (table.kind == Kind::kBars) page["ticker"] = question.ticker;
  }
  if (table.name == "ticker_events") {
    page["results"] = {{"name", question.ticker + " Incorporated"}, {"cik", "0000320193"}, {"events", rows}};
  } else {
    page["results"] = rows;
  }
  if (!ends) {
    Question rest = question;
    rest.offset = next;
    page["next_url"] = fmt::format("{}{}?cursor={}", host, PathOf(table, parts, all[next]), Hex(rest.ToJson().dump()));
  }
  Response response;
  response.body = (table.name == "market_holidays" ? rows : page).dump();
  const std::string symbol = question.ticker.empty() ? "ALL_SYMBOLS" : question.ticker;
  std::vector<Day> days;
  const Day today = options_.today();
  if (table.kind == Kind::kDays || table.kind == Kind::kGrouped || table.kind == Kind::kBars) {
    for (Day day = question.first_day(); day < std::min(question.end_day(), today); day = day + 1) days.push_back(day);
  } else if (table.name != "tickers" || !question.active) {  // whose two lists are one cell
    days.push_back(today);
  }
  response.done = [this, &table, symbol, days, records, ends](bool whole, uint64_t body_bytes) {
    counts_.CountStream(records, body_bytes, 0, whole);
    if (whole && ends && !days.empty()) counts_.CountCells("polygon/" + std::string(table.name), symbol, days);
  };
  return response;
}

Response PolygonRest::Control(const Json& body) {
  const std::lock_guard lock(mutex_);
  if (body.contains("next_host")) next_host_ = body.at("next_host").get<std::string>();
  if (body.contains("expired")) expired_ = body.at("expired").get<bool>();
  if (body.contains("added")) added_ = body.at("added").get<bool>();
  if (body.contains("days")) {
    for (const Json& text : body.at("days")) {
      const auto day = ParseDay(text.get<std::string>());
      if (!day) return Plain(400, "not a day: " + text.dump()).ToResponse();
      revised_.emplace(body.at("table").get<std::string>(), *day);
    }
  }
  Response response;
  response.body = "{}";
  return response;
}

}  // namespace lode::vendor
