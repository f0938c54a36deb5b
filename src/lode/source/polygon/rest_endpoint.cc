#include "lode/source/polygon/rest_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lode/net/url.h"
#include "lode/source/polygon/flat_file.h"

namespace lode::source::polygon {
namespace {

// Pages of a few MiB at most: fifty requests may be answered at once.
constexpr std::array kEndpoints = std::to_array<Endpoint>({
    {"dividends",
     "/v3/reference/dividends?ex_dividend_date.gte={first}&ex_dividend_date.lt={end}&sort=ex_dividend_date&order=asc"
     "&limit=1000",
     "ex_dividend_date", 31, 1},
    {"splits",
     "/v3/reference/splits?execution_date.gte={first}&execution_date.lt={end}&sort=execution_date&order=asc&limit=1000",
     "execution_date", 92, 1},
    {"ipos", "/vX/reference/ipos?listing_date.gte={first}&listing_date.lt={end}&sort=listing_date&order=asc&limit=1000",
     "listing_date", 366, 1},
    // Published about two weeks after its settlement day.
    {"short_interest",
     "/stocks/v1/short-interest?settlement_date.gte={first}&settlement_date.lt={end}&sort=settlement_date.asc"
     "&limit=10000",
     "settlement_date", 31, 25},
    {"short_volume", "/stocks/v1/short-volume?date.gte={first}&date.lt={end}&sort=date.asc&limit=10000", "date", 7, 3,
     true},
    {"news",
     "/v2/reference/news?published_utc.gte={first}&published_utc.lt={end}&sort=published_utc&order=asc&limit=1000",
     "published_utc", 7, 1},
    {"grouped_daily", "/v2/aggs/grouped/locale/us/market/stocks/{first}?adjusted=false", "t", 1, 1, true},
    {"aggregates_day", "/v2/aggs/ticker/{ticker}/range/1/day/{first}/{last}?adjusted=false&sort=asc&limit=50000", "t",
     366, 1, true},
    {"aggregates_hour", "/v2/aggs/ticker/{ticker}/range/1/hour/{first}/{last}?adjusted=false&sort=asc&limit=50000", "t",
     366, 1, true},
    {"aggregates_minute", "/v2/aggs/ticker/{ticker}/range/1/minute/{first}/{last}?adjusted=false&sort=asc&limit=50000",
     "t", 31, 1, true},
    // The day of a filing ends in New York, and the vendor reads it afterwards.
    {"balance_sheets",
     "/stocks/financials/v1/balance-sheets?filing_date.gte={first}&filing_date.lt={end}&sort=filing_date.asc"
     "&limit=1000",
     "filing_date", 92, 3},
    {"cash_flow_statements",
     "/stocks/financials/v1/cash-flow-statements?filing_date.gte={first}&filing_date.lt={end}&sort=filing_date.asc"
     "&limit=1000",
     "filing_date", 92, 3},
    {"income_statements",
     "/stocks/financials/v1/income-statements?filing_date.gte={first}&filing_date.lt={end}&sort=filing_date.asc"
     "&limit=1000",
     "filing_date", 92, 3},
    {"financials",
     "/vX/reference/financials?filing_date.gte={first}&filing_date.lt={end}&sort=filing_date&order=asc&limit=100",
     "filing_date", 31, 3},
    {.name = "ratios", .url = "/stocks/financials/v1/ratios?sort=ticker.asc&limit=1000"},
    {.name = "tickers",
     .url = "/v3/reference/tickers?market=stocks&active=true&sort=ticker&order=asc&limit=1000",
     .second_url = "/v3/reference/tickers?market=stocks&active=false&sort=ticker&order=asc&limit=1000"},
    {.name = "ticker_types", .url = "/v3/reference/tickers/types"},
    {.name = "exchanges", .url = "/v3/reference/exchanges"},
    {.name = "market_holidays", .url = "/v1/marketstatus/upcoming", .is_bare = true},
    {.name = "ticker_events", .url = "/vX/reference/tickers/{ticker}/events"},
    {.name = "related_companies", .url = "/v1/related-companies/{ticker}"},
});

constexpr std::string_view kEnding = ".json.zst";
constexpr size_t kDayText = 10;

// Undoes net::PercentEncode; nullopt where it could not have written that.
std::optional<std::string> PercentDecode(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3 || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

}  // namespace

std::span<const Endpoint> Endpoints() { return kEndpoints; }

const Endpoint* FindEndpoint(std::string_view name) {
  const auto found = std::ranges::find(kEndpoints, name, &Endpoint::name);
  return found == kEndpoints.end() ? nullptr : &*found;
}

// The end is exclusive: "published_utc.lte" of a day would end at its midnight.
std::string ExpandUrl(std::string_view url, std::string_view ticker, Day first, Day last) {
  return fmt::format(fmt::runtime(url), fmt::arg("ticker", net::PercentEncode(ticker)),
                     fmt::arg("first", FormatDay(first)), fmt::arg("last", FormatDay(last)),
                     fmt::arg("end", FormatDay(last + 1)));
}

std::string RestFileName(const Endpoint& endpoint, std::string_view ticker, Day first, Day last, std::string_view id) {
  const std::string of_ticker = endpoint.is_per_ticker() ? "-" + net::PercentEncode(ticker) : "";
  return fmt::format("{}{}-{}-{}.{}{}", endpoint.name, of_ticker, FormatDay(first), FormatDay(last), id, kEnding);
}

std::optional<FileNameFacts> ParseRestFileName(std::string_view name) {
  constexpr size_t kId = 16;
  constexpr size_t kTail = 2 * (kDayText + 1) + 1 + kId;  // "-first-last.id"
  if (!name.ends_with(kEnding)) return std::nullopt;
  name.remove_suffix(kEnding.size());
  if (name.size() <= kTail) return std::nullopt;
  const std::string_view head = name.substr(0, name.size() - kTail), tail = name.substr(name.size() - kTail);
  const size_t dash = std::min(head.find('-'), head.size());  // tables have none in their names
  const Endpoint* endpoint = FindEndpoint(head.substr(0, dash));
  const auto first = ParseDay(tail.substr(1, kDayText)), last = ParseDay(tail.substr(kDayText + 2, kDayText));
  if (endpoint == nullptr || !first || !last || *last < *first) return std::nullopt;
  if (endpoint->is_per_ticker() != (dash < head.size())) return std::nullopt;
  FileNameFacts facts;
  facts.symbol = kAllSymbols;
  if (endpoint->is_per_ticker()) {
    auto ticker = PercentDecode(head.substr(dash + 1));
    if (!ticker || ticker->empty()) return std::nullopt;
    facts.symbol = std::move(*ticker);
  }
  facts.dataset = "polygon";
  facts.schema = fmt::format("polygon/{}", endpoint->name);
  facts.encoding = "json";
  facts.compressed = true;
  facts.first = *first;
  facts.last = *last;
  facts.group = endpoint->is_per_ticker() ? fmt::format("{}/{}", facts.schema, facts.symbol) : facts.schema;
  return facts;
}

}  // namespace lode::source::polygon
