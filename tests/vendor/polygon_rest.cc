#include "polygon_rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "market.h"
#include "query.h"

namespace lode::vendor {

// A table, and how many rows it has on a day.
struct PolygonRest::Table {
  std::string_view path, name, day;
  size_t rows;
  bool weekdays;
};

namespace {

constexpr std::array<std::string_view, 8> kTickers = {"AAPL", "BRK.A", "KIMpL", "NA", "TRUE", "MSFT", "ABCw", "F"};

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

}  // namespace

const PolygonRest::Table* PolygonRest::TableOf(const std::string& path) {
  static constexpr std::array kTables = std::to_array<Table>({
      {"/v3/reference/dividends", "dividends", "ex_dividend_date", 3, true},
      {"/v3/reference/splits", "splits", "execution_date", 1, true},
      {"/stocks/v1/short-interest", "short_interest", "settlement_date", 8, false},
      {"/stocks/v1/short-volume", "short_volume", "date", 8, true},
      {"/v2/reference/news", "news", "published_utc", 5, false},
  });
  const auto found = std::ranges::find(kTables, path, &Table::path);
  return found == kTables.end() ? nullptr : &*found;
}

bool PolygonRest::Owns(const std::string& path) { return TableOf(path) != nullptr; }

Json PolygonRest::RowsOf(const Table& table, Day day) const {
  Json rows = Json::array();
  const int weekday = fixtures::WeekDay(day);
  const int of_month = ToYearMonthDay(day).day;
  if (table.weekdays && (weekday == 0 || weekday == 6)) return rows;
  if (table.name == "short_interest" && of_month != 15 && of_month != 28) return rows;
  bool revised = false;
  {
    const std::lock_guard lock(mutex_);
    revised = revised_.contains({std::string(table.name), day});
  }
  const std::string text = FormatDay(day);
  for (size_t i = 0; i < table.rows; ++i) {
    // A revision leaves the day's last row out.
    if (revised && i + 1 == table.rows && table.rows > 1) break;
    const uint64_t draw =
        fixtures::Mix(options_.seed, static_cast<uint64_t>(day.since_epoch) * 131 + i * 7 + table.rows);
    const std::string ticker(kTickers[i % kTickers.size()]);
    const double amount = static_cast<double>(draw % 100'000) / 1000 + (revised ? 1 : 0);
    Json row = {{"ticker", ticker}, {std::string(table.day), text}};
    if (table.name == "dividends") {
      row.update({{"id", fmt::format("E{:016x}", draw)},
                  {"cash_amount", amount},
                  {"currency", "USD"},
                  {"declaration_date", FormatDay(day - 20)},
                  {"record_date", FormatDay(day + 1)},
                  {"pay_date", FormatDay(day + 14)},
                  {"frequency", 4},
                  {"dividend_type", "CD"}});
      if (draw % 7 == 0) row.erase("declaration_date");
    } else if (table.name == "splits") {
      row.update({{"id", fmt::format("P{:016x}", draw)},
                  {"split_from", 1},
                  {"split_to", static_cast<double>(draw % 5) + 1.5}});
    } else if (table.name == "short_interest") {
      row.update(
          {{"short_interest", draw % 1'000'000}, {"avg_daily_volume", draw % 100'000}, {"days_to_cover", amount}});
    } else if (table.name == "short_volume") {
      row.update({{"short_volume", amount},
                  {"total_volume", amount * 2},
                  {"short_volume_ratio", 50},
                  {"nyse_short_volume", draw % 1000}});
    } else {
      row.erase("ticker");
      row.update({{"id", fmt::format("{:016x}{:016x}", draw, draw >> 3)},
                  {"published_utc", fmt::format("{}T{:02}:{:02}:00Z", text, 4 * i, draw % 60)},
                  {"title", fmt::format("{} & others: \"up\"\nor down", ticker)},
                  {"publisher", {{"name", "The Simulator"}, {"homepage_url", "https://example.com/"}}},
                  {"tickers", {ticker, "MSFT"}},
                  {"insights", {{{"ticker", ticker}, {"sentiment", "neutral"}}}},
                  {"article_url", fmt::format("https://example.com/{:x}", draw)}});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Response PolygonRest::Handle(const Request& request) {
  const Table& table = *TableOf(request.path);
  const auto answer = [&](Response response) {
    counts_.CountRequest(std::string(table.path.substr(1)), response.status);
    return response;
  };
  const std::string bearer = request.Header("authorization");
  const std::string key = bearer.starts_with("Bearer ") ? bearer.substr(7) : request.Find("apiKey").value_or("");
  if (key.empty() || (!options_.key.empty() && key != options_.key)) {
    return answer(Refused(401, "ERROR", "Unknown API Key"));
  }
  // A cursor holds the question and how many rows came before.
  std::string first_text = request.Find(std::string(table.day) + ".gte").value_or("2003-01-01");
  std::string end_text = request.Find(std::string(table.day) + ".lt").value_or("2100-01-01");
  size_t limit =
      std::min(static_cast<size_t>(std::atoi(request.Find("limit").value_or("10").c_str())), options_.page_limit);
  size_t offset = 0;
  std::string host;
  {
    const std::lock_guard lock(mutex_);
    host = next_host_.empty() ? "http://" + request.Header("host") : next_host_;
    if (request.Find("cursor") && expired_) return answer(Refused(400, "ERROR", "The cursor has expired"));
  }
  if (const auto cursor = request.Find("cursor")) {
    const Json state = Json::parse(FromHex(*cursor), nullptr, false);
    if (!state.is_object()) return answer(Refused(400, "ERROR", "The cursor is invalid"));
    first_text = state.value("first", first_text);
    end_text = state.value("end", end_text);
    limit = state.value("limit", limit);
    offset = state.value("offset", offset);
  }
  const auto first = ParseDay(first_text), end = ParseDay(end_text);
  if (!first || !end || limit == 0) return answer(Refused(400, "ERROR", "a parameter is not understood"));
  Json rows = Json::array();
  size_t count = 0;
  const Day stop = std::min(*end, options_.today());
  for (Day day = *first; day < stop; day = day + 1) {
    for (Json& row : RowsOf(table, day)) {
      if (count++ < offset || rows.size() >= limit) continue;
      rows.push_back(std::move(row));
    }
  }
  Json page = {{"status", "OK"}, {"request_id", fmt::format("{:016x}", request.number)}, {"results", rows}};
  const bool ends = offset + rows.size() >= count;
  if (!ends) {
    const Json state = {{"first", first_text}, {"end", end_text}, {"limit", limit}, {"offset", offset + rows.size()}};
    page["next_url"] = fmt::format("{}{}?cursor={}", host, table.path, Hex(state.dump()));
  }
  Response response;
  response.body = page.dump();
  const uint64_t records = rows.size();
  response.done = [this, &table, records, ends, from = *first, stop](bool whole, uint64_t body_bytes) {
    counts_.CountStream(records, body_bytes, 0, whole);
    if (!whole || !ends) return;
    std::vector<Day> days;
    for (Day day = from; day < stop; day = day + 1) days.push_back(day);
    counts_.CountCells("polygon/" + std::string(table.name), "ALL_SYMBOLS", days);
  };
  return answer(std::move(response));
}

Response PolygonRest::Control(const Json& body) {
  const std::lock_guard lock(mutex_);
  if (body.contains("next_host")) next_host_ = body.at("next_host").get<std::string>();
  if (body.contains("expired")) expired_ = body.at("expired").get<bool>();
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
