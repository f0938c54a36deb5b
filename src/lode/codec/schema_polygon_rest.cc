// Polygon's (Massive's) REST tables. Columns as the vendor names them; what lies within another object has its path as
// the header.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column Is(std::string name, ColumnType type, std::string description) {
  return {std::move(name), type, false, ColumnOrigin::kVendor, std::move(description)};
}

Column May(std::string name, ColumnType type, std::string description) {
  return {std::move(name), type, true, ColumnOrigin::kVendor, fmt::format("{}; null when absent", description)};
}

Column Called(std::string header, Column column) {
  column.header = std::move(header);
  return column;
}

// Free text, whose rows nearly all differ.
Column Prose(std::string name, std::string description) {
  Column column = May(std::move(name), kText, std::move(description));
  column.distinct = true;
  return column;
}

// Of the whole market: a day that comes again replaces what the day had.
TableSchema Table(std::string_view name, std::vector<Column> columns, std::vector<std::string> key, std::string day,
                  std::string layout) {
  columns.push_back({"_extra", kText, true, ColumnOrigin::kExtra, "keys this schema does not know, as JSON text"});
  std::vector<std::string> order = {day};
  for (const std::string& column : key) {
    if (column != day) order.push_back(column);
  }
  return {.name = fmt::format("polygon/{}", name),
          .source = "polygon_rest",
          .version = 1,
          .columns = std::move(columns),
          .key = order,
          .order = order,
          .day_column = std::move(day),
          .fallback_day_column = "",
          .merge = MergeRule::kReplaceDays,
          .layout = std::move(layout)};
}

constexpr const char* kYear = "year={yyyy}/data.parquet";
constexpr const char* kMonth = "month={yyyy}-{mm}/data.parquet";

Column Ticker() { return Is("ticker", kText, "vendor ticker, case kept"); }

Column Computed(Column column) {
  column.computed = true;
  return column;
}

Column AskedTicker() { return Computed(Is("ticker", kText, "ticker that was asked for")); }

// Rows say which ticker's they are: a ticker's day that is asked for again replaces what the ticker had of it.
TableSchema ByTicker(TableSchema table) {
  table.merge = MergeRule::kReplaceSymbol;
  table.symbol_column = "ticker";
  return table;
}

// As things are when they are asked for.
TableSchema Snapshot(std::string_view name, std::vector<Column> columns, std::vector<std::string> key) {
  columns.insert(columns.begin(), Computed(Is("as_of", kDate, "UTC day on which it was asked for")));
  return Table(name, std::move(columns), std::move(key), "as_of", "day={day}/data.parquet");
}

// `time`: of `t`, which is the end of a bar of the whole market and the start of a ticker's.
TableSchema Aggregates(std::string_view name, Column ticker, Column time, const char* layout) {
  const std::string instant = time.name;
  std::vector<Column> columns = {std::move(ticker)};
  columns.push_back(Called("v", May("volume", kFloat64, "shares, may be fractional")));
  const auto price = [&](const char* member, const char* of) {
    columns.push_back(Called(member, May(of, kFloat64, fmt::format("{} price, not adjusted for splits", of))));
  };
  price("o", "open");
  price("c", "close");
  price("h", "high");
  price("l", "low");
  columns.push_back(Called("vw", May("vwap", kFloat64, "average price, weighted by volume")));
  columns.push_back(Called("t", std::move(time)));
  columns.push_back(Called("n", May("transactions", kInt64, "trades in the bar")));
  columns.push_back(May("otc", kBool, "true for a ticker traded over the counter"));
  columns.push_back(Computed(Is("session_date", kDate, fmt::format("day of {} in New York", instant))));
  TableSchema table = Table(name, std::move(columns), {}, "session_date", layout);
  table.key = table.order = {"ticker", instant};
  return table;
}

// One row a company, period and time frame: numbers in the currency of the filing.
TableSchema Statement(std::string_view name, std::initializer_list<const char*> numbers) {
  std::vector<Column> columns = {May("cik", kText, "the company at the SEC"),
                                 May("tickers", kText, "its tickers, a JSON list"),
                                 Is("filing_date", kDate, "day of the filing"),
                                 May("period_end", kDate, "last day of the period"),
                                 May("fiscal_year", kInt32, "fiscal year"),
                                 May("fiscal_quarter", kInt32, "fiscal quarter"),
                                 May("timeframe", kText, "quarterly, annual, trailing_twelve_months")};
  for (const char* number : numbers) columns.push_back(May(number, kFloat64, "as the vendor defines it"));
  return Table(name, std::move(columns), {"cik", "period_end", "timeframe", "fiscal_year", "fiscal_quarter", "tickers"},
               "filing_date", kYear);
}

TableSchema Ipos() {
  return Table("ipos",
               {May("ticker", kText, "vendor ticker, case kept"),
                Is("listing_date", kDate, "first day of trading"),
                May("announced_date", kDate, "day of the announcement"),
                May("last_updated", kDate, "day of the last change"),
                May("issuer_name", kText, "the company"),
                May("ipo_status", kText, "history, new, pending, …"),
                May("security_type", kText, "CS, …"),
                May("security_description", kText, "what is sold"),
                May("primary_exchange", kText, "MIC of the listing"),
                May("currency_code", kText, "currency"),
                May("isin", kText, "ISIN"),
                May("us_code", kText, "CUSIP"),
                May("final_issue_price", kFloat64, "price of a share"),
                May("lowest_offer_price", kFloat64, "of the range"),
                May("highest_offer_price", kFloat64, "of the range"),
                May("min_shares_offered", kFloat64, "shares, at least"),
                May("max_shares_offered", kFloat64, "shares, at most"),
                May("lot_size", kFloat64, "shares of a lot"),
                May("shares_outstanding", kFloat64, "shares of the company"),
                May("total_offer_size", kFloat64, "money, in `currency_code`")},
               {"ticker", "isin", "issuer_name", "ipo_status"}, "listing_date", kYear);
}

TableSchema BalanceSheets() {
  return Statement("balance_sheets", {"accounts_payable",
                                      "accrued_and_other_current_liabilities",
                                      "accumulated_other_comprehensive_income",
                                      "additional_paid_in_capital",
                                      "cash_and_equivalents",
                                      "commitments_and_contingencies",
                                      "common_stock",
                                      "debt_current",
                                      "deferred_revenue_current",
                                      "goodwill",
                                      "intangible_assets_net",
                                      "inventories",
                                      "long_term_debt_and_capital_lease_obligations",
                                      "noncontrolling_interest",
                                      "other_assets",
                                      "other_current_assets",
                                      "other_equity",
                                      "other_noncurrent_liabilities",
                                      "preferred_stock",
                                      "property_plant_equipment_net",
                                      "receivables",
                                      "retained_earnings_deficit",
                                      "short_term_investments",
                                      "total_assets",
                                      "total_current_assets",
                                      "total_current_liabilities",
                                      "total_equity",
                                      "total_equity_attributable_to_parent",
                                      "total_liabilities",
                                      "total_liabilities_and_equity",
                                      "treasury_stock"});
}

TableSchema CashFlowStatements() {
  return Statement("cash_flow_statements", {"cash_from_operating_activities_continuing_operations",
                                            "change_in_cash_and_equivalents",
                                            "change_in_other_operating_assets_and_liabilities_net",
                                            "depreciation_depletion_and_amortization",
                                            "dividends",
                                            "effect_of_currency_exchange_rate",
                                            "income_loss_from_discontinued_operations",
                                            "long_term_debt_issuances_repayments",
                                            "net_cash_from_financing_activities",
                                            "net_cash_from_financing_activities_continuing_operations",
                                            "net_cash_from_financing_activities_discontinued_operations",
                                            "net_cash_from_investing_activities",
                                            "net_cash_from_investing_activities_continuing_operations",
                                            "net_cash_from_investing_activities_discontinued_operations",
                                            "net_cash_from_operating_activities",
                                            "net_cash_from_operating_activities_discontinued_operations",
                                            "net_income",
                                            "noncontrolling_interests",
                                            "other_cash_adjustments",
                                            "other_financing_activities",
                                            "other_investing_activities",
                                            "other_operating_activities",
                                            "purchase_of_property_plant_and_equipment",
                                            "sale_of_property_plant_and_equipment",
                                            "short_term_debt_issuances_repayments"});
}

TableSchema IncomeStatements() {
  return Statement("income_statements", {"basic_earnings_per_share",
                                         "basic_shares_outstanding",
                                         "consolidated_net_income_loss",
                                         "cost_of_revenue",
                                         "depreciation_depletion_amortization",
                                         "diluted_earnings_per_share",
                                         "diluted_shares_outstanding",
                                         "discontinued_operations",
                                         "ebitda",
                                         "equity_in_affiliates",
                                         "extraordinary_items",
                                         "gross_profit",
                                         "income_before_income_taxes",
                                         "income_taxes",
                                         "interest_expense",
                                         "interest_income",
                                         "net_income_loss_attributable_common_shareholders",
                                         "noncontrolling_interest",
                                         "operating_income",
                                         "other_income_expense",
                                         "other_operating_expenses",
                                         "preferred_stock_dividends_declared",
                                         "research_development",
                                         "revenue",
                                         "selling_general_administrative",
                                         "total_operating_expenses",
                                         "total_other_income_expense"});
}

TableSchema Financials() {
  std::vector<Column> financials = {May("cik", kText, "the company at the SEC"),
                                    May("company_name", kText, "the company"),
                                    May("tickers", kText, "its tickers, a JSON list"),
                                    Is("filing_date", kDate, "day of the filing"),
                                    May("acceptance_datetime", kText, "when the SEC took it, as the vendor writes it"),
                                    May("start_date", kDate, "first day of the period"),
                                    May("end_date", kDate, "its last day"),
                                    May("fiscal_year", kText, "fiscal year"),
                                    May("fiscal_period", kText, "Q1 to Q4, FY, TTM"),
                                    May("timeframe", kText, "quarterly, annual, ttm"),
                                    May("sic", kText, "industry code"),
                                    Prose("source_filing_url", "the filing"),
                                    Prose("source_filing_file_url", "its file")};
  for (const char* statement : {"balance_sheet", "income_statement", "cash_flow_statement", "comprehensive_income"}) {
    financials.push_back(Called(fmt::format("financials.{}", statement),
                                Prose(statement, "a JSON object: each item with its value, unit, label and order")));
  }
  return Table("financials", std::move(financials),
               {"cik", "end_date", "timeframe", "fiscal_year", "fiscal_period", "tickers"}, "filing_date", kYear);
}

TableSchema Ratios() {
  std::vector<Column> ratios = {May("ticker", kText, "vendor ticker, case kept"),
                                May("cik", kText, "the company at the SEC"), May("date", kDate, "day of the price")};
  for (const char* number : {"price",
                             "average_volume",
                             "market_cap",
                             "earnings_per_share",
                             "price_to_earnings",
                             "price_to_book",
                             "price_to_sales",
                             "price_to_cash_flow",
                             "price_to_free_cash_flow",
                             "dividend_yield",
                             "return_on_assets",
                             "return_on_equity",
                             "debt_to_equity",
                             "current",
                             "quick",
                             "cash",
                             "ev_to_sales",
                             "ev_to_ebitda",
                             "enterprise_value",
                             "free_cash_flow"}) {
    ratios.push_back(May(number, kFloat64, "as the vendor defines it"));
  }
  return Snapshot("ratios", std::move(ratios), {"ticker", "cik"});
}

std::vector<TableSchema> ReferenceTables() {
  std::vector<TableSchema> all;
  all.push_back(
      Snapshot("tickers",
               {Ticker(), May("name", kText, "name"), May("market", kText, "stocks"),
                May("locale", kText, "us, global"), May("primary_exchange", kText, "MIC of the listing"),
                May("type", kText, "CS, ETF, …: see ticker_types"), May("active", kBool, "false: delisted"),
                May("currency_name", kText, "currency"), May("cik", kText, "the company at the SEC"),
                May("composite_figi", kText, "FIGI"), May("share_class_figi", kText, "FIGI of the share class"),
                May("last_updated_utc", kTimestampUs, "when the vendor last changed it, UTC"),
                May("delisted_utc", kTimestampUs, "last day of trading, UTC")},
               {"ticker", "active", "delisted_utc", "primary_exchange", "cik", "composite_figi"}));
  all.push_back(
      Snapshot("ticker_types",
               {Is("code", kText, "type"), May("description", kText, "what it is"),
                May("asset_class", kText, "stocks, options, crypto, fx, indices"), May("locale", kText, "us, global")},
               {"code", "asset_class", "locale"}));
  all.push_back(
      Snapshot("exchanges",
               {Is("id", kInt32, "number in trades and quotes"), May("type", kText, "exchange, TRF, SIP"),
                May("asset_class", kText, "stocks, options, crypto, fx, futures"), May("locale", kText, "us, global"),
                May("name", kText, "name"), May("acronym", kText, "short name"),
                May("mic", kText, "market identifier code"), May("operating_mic", kText, "that of its operator"),
                May("participant_id", kText, "letter on the tape"), May("url", kText, "its page")},
               {"id", "asset_class", "locale", "mic", "name"}));
  all.push_back(
      Snapshot("market_holidays",
               {Is("date", kDate, "day that differs from others"), May("exchange", kText, "exchange"),
                May("name", kText, "holiday"), May("status", kText, "closed, early-close"),
                May("open", kTimestampUs, "when it opens, UTC"), May("close", kTimestampUs, "when it closes, UTC")},
               {"date", "exchange", "name"}));
  all.push_back(ByTicker(Snapshot("ticker_events",
                                  {AskedTicker(), May("name", kText, "the company"),
                                   May("composite_figi", kText, "FIGI"), May("cik", kText, "the company at the SEC"),
                                   Is("date", kDate, "day of the event"), May("type", kText, "ticker_change"),
                                   Called("ticker_change.ticker", May("new_ticker", kText, "ticker from that day on"))},
                                  {"ticker", "date", "type", "new_ticker"})));
  all.push_back(ByTicker(Snapshot(
      "related_companies", {AskedTicker(), Called("ticker", Is("related_ticker", kText, "one that is related to it"))},
      {"ticker", "related_ticker"})));
  return all;
}

}  // namespace

std::vector<TableSchema> PolygonRestTables() {
  std::vector<TableSchema> all;
  all.push_back(
      Table("dividends",
            {Is("id", kText, "vendor id"), Ticker(), Is("ex_dividend_date", kDate, "ex date"),
             May("cash_amount", kFloat64, "cash a share, in `currency`"), May("currency", kText, "currency"),
             May("declaration_date", kDate, "day of the announcement"),
             May("record_date", kDate, "day on which holders are noted"), May("pay_date", kDate, "day of payment"),
             May("frequency", kInt32, "payments a year: 0 once, 1, 2, 4, 12, 24, 52"),
             May("dividend_type", kText, "CD, SC, LT, ST")},
            {"ticker", "id"}, "ex_dividend_date", kYear));
  all.push_back(
      Table("splits",
            {Is("id", kText, "vendor id"), Ticker(), Is("execution_date", kDate, "first day at the new count"),
             May("split_from", kFloat64, "shares before"), May("split_to", kFloat64, "shares after")},
            {"ticker", "id"}, "execution_date", kYear));
  all.push_back(Ipos());
  all.push_back(Table("short_interest",
                      {Ticker(), Is("settlement_date", kDate, "settlement day, twice a month"),
                       May("short_interest", kInt64, "shares sold short and open"),
                       May("avg_daily_volume", kInt64, "average volume a day"),
                       May("days_to_cover", kFloat64, "short interest in days of that volume")},
                      {"ticker"}, "settlement_date", kYear));
  std::vector<Column> volume = {Ticker(),
                                Is("date", kDate, "session"),
                                May("short_volume", kFloat64, "shares sold short"),
                                May("short_volume_ratio", kFloat64, "percent of total_volume"),
                                May("total_volume", kFloat64, "shares reported"),
                                May("exempt_volume", kFloat64, "short volume exempt from rule 201"),
                                May("non_exempt_volume", kFloat64, "the rest of the short volume")};
  for (const char* venue : {"adf", "nasdaq_carteret", "nasdaq_chicago", "nyse"}) {
    volume.push_back(May(fmt::format("{}_short_volume", venue), kInt64, "shares sold short there"));
    volume.push_back(May(fmt::format("{}_short_volume_exempt", venue), kInt64, "of those, exempt"));
  }
  all.push_back(Table("short_volume", std::move(volume), {"ticker"}, "date", kMonth));
  all.push_back(Table(
      "news",
      {Is("id", kText, "vendor id of the article"), Is("published_utc", kTimestampUs, "when it was published, UTC"),
       Prose("title", "headline"), Prose("author", "author"),
       Called("publisher.name", May("publisher_name", kText, "publisher")),
       Called("publisher.homepage_url", May("publisher_homepage_url", kText, "of the publisher")),
       Called("publisher.logo_url", May("publisher_logo_url", kText, "of the publisher")),
       Called("publisher.favicon_url", May("publisher_favicon_url", kText, "of the publisher")),
       Prose("article_url", "the article"), Prose("amp_url", "its page for phones"), Prose("image_url", "its picture"),
       Prose("description", "first lines"), Prose("tickers", "tickers it names, a JSON list"),
       Prose("keywords", "a JSON list"), Prose("insights", "sentiment by ticker, a JSON list of objects")},
      {"id"}, "published_utc", kMonth));
  all.push_back(Aggregates("grouped_daily", Called("T", Ticker()),
                           Is("window_end", kTimestampUs, "end of the bar, UTC: the close of the session"), kMonth));
  for (const auto& [name, layout] :
       {std::pair{"aggregates_day", kYear}, {"aggregates_hour", kYear}, {"aggregates_minute", kMonth}}) {
    all.push_back(
        ByTicker(Aggregates(name, AskedTicker(), Is("window_start", kTimestampUs, "start of the bar, UTC"), layout)));
  }
  for (TableSchema (*table)() : {BalanceSheets, CashFlowStatements, IncomeStatements, Financials, Ratios}) {
    all.push_back(table());
  }
  std::ranges::move(ReferenceTables(), std::back_inserter(all));
  return all;
}

}  // namespace lode::codec
