#include "polygon_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lode/calendar/calendar.h"
#include "market.h"
#include "polygon_files.h"

namespace lode::vendor {
namespace {

using Kind = PolygonTable::Kind;

constexpr auto kTables = std::to_array<PolygonTable>({
    {"dividends", "/v3/reference/dividends", Kind::kDays, "ex_dividend_date"},
    {"splits", "/v3/reference/splits", Kind::kDays, "execution_date"},
    {"short_interest", "/stocks/v1/short-interest", Kind::kDays, "settlement_date"},
    {"short_volume", "/stocks/v1/short-volume", Kind::kDays, "date"},
    {"news", "/v2/reference/news", Kind::kDays, "published_utc"},
    {"ipos", "/vX/reference/ipos", Kind::kDays, "listing_date"},
    {"balance_sheets", "/stocks/financials/v1/balance-sheets", Kind::kDays, "filing_date"},
    {"cash_flow_statements", "/stocks/financials/v1/cash-flow-statements", Kind::kDays, "filing_date"},
    {"income_statements", "/stocks/financials/v1/income-statements", Kind::kDays, "filing_date"},
    {"financials", "/vX/reference/financials", Kind::kDays, "filing_date"},
    {"grouped_daily", "/v2/aggs/grouped/locale/us/market/stocks/*", Kind::kGrouped},
    {"aggregates_day", "/v2/aggs/ticker/*/range/1/day/*/*", Kind::kBars},
    {"aggregates_hour", "/v2/aggs/ticker/*/range/1/hour/*/*", Kind::kBars},
    {"aggregates_minute", "/v2/aggs/ticker/*/range/1/minute/*/*", Kind::kBars},
    {"ratios", "/stocks/financials/v1/ratios", Kind::kList},
    {"tickers", "/v3/reference/tickers", Kind::kList},
    {"ticker_types", "/v3/reference/tickers/types", Kind::kWhole},
    {"exchanges", "/v3/reference/exchanges", Kind::kWhole},
    {"market_holidays", "/v1/marketstatus/upcoming", Kind::kWhole},
    {"ticker_events", "/vX/reference/tickers/*/events", Kind::kOfTicker},
    {"related_companies", "/v1/related-companies/*", Kind::kOfTicker},
});

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool IsSession(Day day) { return calendar::Find("XNYS")->IsSession(day); }
bool IsWeekend(Day day) { return fixtures::WeekDay(day) == 0 || fixtures::WeekDay(day) == 6; }

size_t RowsOfDay(std::string_view table, Day day) {
  const int of_month = ToYearMonthDay(day).day;
  if (table == "short_interest") return of_month == 15 || of_month == 28 ? 8 : 0;
  if (table == "news") return 5;
  if (IsWeekend(day)) return 0;
  if (table == "dividends") return 3;
  if (table == "splits") return 1;
  if (table == "ipos") return of_month % 7 == 0 ? 2 : 0;
  if (table == "short_volume") return IsSession(day) ? 8 : 0;
  return 2;  // statements
}

// What a statement's columns hold: a few of them, as companies differ.
Json Statement(std::string_view table, const std::string& ticker, Day day, uint64_t draw, double amount) {
  const bool annual = draw % 4 == 0;
  Json row = {{"cik", fmt::format("{:010}", draw % 10'000'000)},
              {"tickers", {ticker}},
              {"filing_date", FormatDay(day)},
              {"period_end", FormatDay(day - 40)},
              {"fiscal_year", static_cast<double>(ToYearMonthDay(day - 40).year)},
              {"fiscal_quarter", static_cast<double>(draw % 4 + 1)},
              {"timeframe", annual ? "annual" : "quarterly"}};
  if (table == "balance_sheets") {
    row.update({{"total_assets", amount * 1e6},
                {"total_liabilities", amount * 4e5},
                {"total_equity", amount * 6e5},
                {"cash_and_equivalents", amount * 1e5}});
  } else if (table == "cash_flow_statements") {
    row.update({{"net_cash_from_operating_activities", amount * 1e4}, {"net_income", amount * 7e3}});
  } else {
    row.update({{"revenue", amount * 1e5},
                {"operating_income", amount * 2e4},
                {"basic_earnings_per_share", amount / 10},
                {"diluted_earnings_per_share", amount / 11}});
  }
  if (draw % 3 == 0) row.erase("cik");
  return row;
}

Json Item(double value, std::string_view unit, std::string_view label, int order) {
  return {{"value", value}, {"unit", unit}, {"label", label}, {"order", order}};
}

}  // namespace

const PolygonTable* FindPolygonTable(std::string_view path, std::vector<std::string>* parts) {
  const std::vector<std::string_view> asked = Split(path);
  for (const PolygonTable& table : kTables) {
    const std::vector<std::string_view> own = Split(table.path);
    const auto fits = [](std::string_view mine, std::string_view theirs) { return mine == "*" || mine == theirs; };
    if (!std::ranges::equal(own, asked, fits)) continue;
    parts->clear();
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i] == "*") parts->emplace_back(asked[i]);
    }
    return &table;
  }
  return nullptr;
}

const std::vector<std::string>& PolygonTickers(bool active) {
  static const std::vector<std::string> trade = {"AAPL", "BRK.A", "KIMpL", "NA", "TRUE", "MSFT", "ABCw", "F"};
  static const std::vector<std::string> gone = {"AAPL", "GONE", "OLD.A"};
  return active ? trade : gone;
}

Json PolygonRows::OfDay(const PolygonTable& table, Day day) const {
  Json rows = Json::array();
  const size_t count = RowsOfDay(table.name, day);
  const std::string text = FormatDay(day);
  for (size_t i = 0; i < count; ++i) {
    // A revision leaves the day's last row out.
    if (revised && i + 1 == count && count > 1) break;
    const uint64_t draw = fixtures::Mix(seed, static_cast<uint64_t>(day.since_epoch) * 131 + i * 7 + count);
    const std::string& ticker = PolygonTickers(true)[i % PolygonTickers(true).size()];
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
    } else if (table.name == "ipos") {
      row.update({{"issuer_name", fmt::format("{} Holdings", ticker)},
                  {"ipo_status", "history"},
                  {"isin", fmt::format("US{:010}", draw % 10'000'000'000)},
                  {"final_issue_price", amount},
                  {"max_shares_offered", draw % 50'000'000},
                  {"currency_code", "USD"},
                  {"last_updated", text}});
      if (i > 0) row.erase("ticker");
    } else if (table.name == "short_interest") {
      row.update(
          {{"short_interest", draw % 1'000'000}, {"avg_daily_volume", draw % 100'000}, {"days_to_cover", amount}});
    } else if (table.name == "short_volume") {
      row.update({{"short_volume", amount},
                  {"total_volume", amount * 2},
                  {"short_volume_ratio", 50},
                  {"nyse_short_volume", draw % 1000}});
    } else if (table.name == "news") {
      row.erase("ticker");
      row.update({{"id", fmt::format("{:016x}{:016x}", draw, draw >> 3)},
                  {"published_utc", fmt::format("{}T{:02}:{:02}:00Z", text, 4 * i, draw % 60)},
                  {"title", fmt::format("{} & others: \"up\"\nor down", ticker)},
                  {"publisher", {{"name", "The Simulator"}, {"homepage_url", "https://example.com/"}}},
                  {"tickers", {ticker, "MSFT"}},
                  {"insights", {{{"ticker", ticker}, {"sentiment", "neutral"}}}},
                  {"article_url", fmt::format("https://example.com/{:x}", draw)}});
    } else if (table.name == "financials") {
      row.erase("ticker");
      row.update({{"cik", fmt::format("{:010}", draw % 10'000'000)},
                  {"company_name", fmt::format("{} Inc.", ticker)},
                  {"tickers", {ticker}},
                  {"start_date", FormatDay(day - 130)},
                  {"end_date", FormatDay(day - 40)},
                  {"fiscal_period", fmt::format("Q{}", draw % 4 + 1)},
                  {"fiscal_year", std::to_string(ToYearMonthDay(day - 40).year)},
                  {"timeframe", "quarterly"},
                  {"financials",
                   {{"balance_sheet", {{"assets", Item(amount * 1e6, "USD", "Assets", 100)}}},
                    {"income_statement", {{"revenues", Item(amount * 1e5, "USD", "Revenues", 100)}}},
                    {"cash_flow_statement", {{"net_cash_flow", Item(amount * 1e3, "USD", "Net Cash Flow", 1100)}}},
                    {"comprehensive_income", Json::object()}}}});
    } else {
      row = Statement(table.name, ticker, day, draw, amount);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json PolygonRows::Bar(const std::string& ticker, int64_t ns, uint64_t draw) const {
  constexpr int64_t kNsPerMs = 1'000'000;
  const double unit = adjusted ? 200 : 100, low = static_cast<double>(1000 + draw % 9000);
  Json bar = {{"o", (low + 20) / unit},
              {"c", (low + 30) / unit},
              {"h", (low + 55) / unit},
              {"l", low / unit},
              {"v", static_cast<double>(draw % 100'000) + (ticker == "F" ? 0.5 : 0) + (revised ? 1 : 0)},
              {"vw", (low + 25) / unit},
              {"t", ns / kNsPerMs},
              {"n", draw % 500 + 1}};
  return bar;
}

// NA trades on odd days of the month alone.
Json PolygonRows::Bars(const PolygonTable& table, const std::string& ticker, Day day) const {
  constexpr int64_t kMinute = 60'000'000'000;
  Json bars = Json::array();
  const bool rests = ticker == "NA" && ToYearMonthDay(day).day % 2 == 0;
  if (!IsSession(day) || rests || std::ranges::find(PolygonTickers(true), ticker) == PolygonTickers(true).end()) {
    return bars;
  }
  std::vector<int> minutes = {0};  // since midnight in New York
  if (table.name == "grouped_daily") minutes = {16 * 60};
  if (table.name == "aggregates_hour") minutes = {9 * 60, 10 * 60, 15 * 60, 19 * 60};
  // The last one of a day is in the next one by UTC.
  if (table.name == "aggregates_minute") minutes = {9 * 60 + 30, 9 * 60 + 31, 12 * 60, 15 * 60 + 59, 19 * 60 + 59};
  if (revised && minutes.size() > 1) minutes.pop_back();
  uint64_t of_ticker = 0;
  for (const char c : ticker) of_ticker = of_ticker * 257 + static_cast<unsigned char>(c);
  for (const int minute : minutes) {
    const uint64_t draw = fixtures::Mix(fixtures::Mix(seed, of_ticker),
                                        static_cast<uint64_t>(day.since_epoch) * 1440 + static_cast<uint64_t>(minute));
    Json bar = Bar(ticker, fixtures::NewYorkMidnight(day) + minute * kMinute, draw);
    if (table.name == "grouped_daily") bar["T"] = ticker;
    bars.push_back(std::move(bar));
  }
  return bars;
}

Json PolygonRows::Today(const PolygonTable& table, const std::string& ticker, bool active, Day today) const {
  Json rows = Json::array();
  const std::string text = FormatDay(today);
  const bool is_known = std::ranges::find(PolygonTickers(true), ticker) != PolygonTickers(true).end();
  if (table.name == "tickers" || table.name == "ratios") {
    for (const std::string& one : PolygonTickers(active)) {
      const uint64_t draw = fixtures::Mix(seed, static_cast<uint64_t>(one[0]) * 31 + one.size());
      Json row = {{"ticker", one}, {"cik", fmt::format("{:010}", draw % 10'000'000)}};
      if (table.name == "ratios") {
        row.update({{"date", text},
                    {"price", static_cast<double>(draw % 10'000) / 100},
                    {"market_cap", static_cast<double>(draw % 1'000'000) * 1e6},
                    {"price_to_earnings", static_cast<double>(draw % 400) / 10}});
      } else {
        row.update({{"name", fmt::format("{} Incorporated", one)},
                    {"market", "stocks"},
                    {"locale", "us"},
                    {"primary_exchange", draw % 2 == 0 ? "XNYS" : "XNAS"},
                    {"type", "CS"},
                    {"active", active},
                    {"currency_name", "usd"},
                    {"last_updated_utc", text + "T00:00:00Z"}});
        if (!active) row["delisted_utc"] = "2011-02-03T05:00:00Z";
      }
      rows.push_back(std::move(row));
    }
  } else if (table.name == "ticker_types") {
    for (const auto& [code, what] : {std::pair{"CS", "Common Stock"}, {"ETF", "Exchange Traded Fund"}}) {
      rows.push_back({{"code", code}, {"description", what}, {"asset_class", "stocks"}, {"locale", "us"}});
    }
  } else if (table.name == "exchanges") {
    // Two share their number, as the vendor's do.
    for (const auto& [id, mic] : {std::pair{1, "XASE"}, {4, "FINY"}, {4, "FINN"}}) {
      rows.push_back({{"id", id},
                      {"type", id == 4 ? "TRF" : "exchange"},
                      {"asset_class", "stocks"},
                      {"locale", "us"},
                      {"name", fmt::format("The {} exchange", mic)},
                      {"mic", mic},
                      {"operating_mic", "XNYS"}});
    }
  } else if (table.name == "market_holidays") {
    for (const char* exchange : {"NYSE", "NASDAQ"}) {
      rows.push_back({{"date", "2024-03-29"}, {"exchange", exchange}, {"name", "Good Friday"}, {"status", "closed"}});
      rows.push_back({{"date", "2024-07-03"},
                      {"exchange", exchange},
                      {"name", "Independence Day"},
                      {"status", "early-close"},
                      {"open", "2024-07-03T13:30:00.000Z"},
                      {"close", "2024-07-03T17:00:00.000Z"}});
    }
  } else if (table.name == "ticker_events") {
    if (!is_known) return nullptr;
    for (const auto& [name, since] :
         {std::pair<std::string, const char*>{ticker, "2012-05-18"}, {"X" + ticker, "2004-08-19"}}) {
      rows.push_back({{"type", "ticker_change"}, {"date", since}, {"ticker_change", {{"ticker", name}}}});
    }
  } else if (is_known) {  // related_companies
    for (const std::string& other : PolygonTickers(true)) {
      if (other != ticker && rows.size() < 3) rows.push_back({{"ticker", other}});
    }
  }
  if (revised && rows.size() > 1) rows.erase(rows.size() - 1);
  return rows;
}

}  // namespace lode::vendor
