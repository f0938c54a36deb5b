#include "tardis_market.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lode/base/text.h"

namespace lode::vendor {
namespace {

constexpr std::array kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

Day At(int year, int month, int day) { return ToDay({year, month, day}); }

std::string DatasetId(std::string id) {
  std::ranges::replace_if(id, [](char c) { return c == '/' || c == ':'; }, '-');
  return Upper(id);
}

std::vector<std::string> DataTypesOf(const std::string& exchange, const std::string& type) {
  std::vector<std::string> types = {"trades", "incremental_book_L2", "quotes", "book_snapshot_25", "book_snapshot_5"};
  if (exchange.starts_with("binance")) types.emplace_back("book_ticker");
  if (type == "perpetual" || type == "future") types.insert(types.end(), {"derivative_ticker", "liquidations"});
  return types;
}

// Adds an instrument; `terms` is what only /instruments knows.
void Add(TardisExchange& exchange, std::string id, const std::string& type, Day since, std::optional<Day> to,
         Json terms) {
  TardisSymbol symbol{.id = id, .dataset_id = DatasetId(id), .type = type, .since = since, .to = to};
  symbol.data_types = DataTypesOf(exchange.id, type);
  symbol.terms = std::move(terms);
  exchange.symbols.push_back(std::move(symbol));
}

Json Terms(std::string base, std::string quote, double tick, double step, double least) {
  return {{"baseCurrency", std::move(base)},
          {"quoteCurrency", std::move(quote)},
          {"priceIncrement", tick},
          {"amountIncrement", step},
          {"minTradeAmount", least},
          {"makerFee", 0.0001},
          {"takerFee", 0.0005}};
}

Json Contract(Json terms, std::string contract_type, bool inverse, double multiplier, std::optional<Day> expiry = {}) {
  terms["contractType"] = std::move(contract_type);
  terms["inverse"] = inverse;
  terms["contractMultiplier"] = multiplier;
  terms["quanto"] = false;
  if (expiry) terms["expiry"] = FormatDay(*expiry) + "T08:00:00.000Z";
  return terms;
}

std::string DayMonthYear(Day day) {
  const auto [year, month, day_of_month] = ToYearMonthDay(day);
  return fmt::format("{}{}{:02}", day_of_month, kMonths[static_cast<size_t>(month - 1)], year % 100);
}

void AddOption(TardisExchange& deribit, const std::string& prefix, const std::string& base, const std::string& quote,
               Day expiry, const std::string& strike, double strike_price, char side, Day since) {
  Json terms = Contract(Terms(base, quote, 0.0005, 0.1, 0.1), side == 'C' ? "call_option" : "put_option",
                        quote == "USD", 1, expiry);
  terms["strikePrice"] = strike_price;
  terms["optionType"] = side == 'C' ? "call" : "put";
  Add(deribit, fmt::format("{}-{}-{}-{}", prefix, DayMonthYear(expiry), strike, side), "option", since, expiry + 1,
      std::move(terms));
}

TardisExchange Deribit(size_t more_options) {
  TardisExchange exchange{.id = "deribit", .name = "Deribit", .since = At(2019, 3, 30), .symbols = {}, .grouped = {}};
  for (const char* base : {"BTC", "ETH"}) {
    const Json terms = Terms(base, "USD", 0.5, 10, 10);
    Add(exchange, fmt::format("{}-PERPETUAL", base), "perpetual", exchange.since, {},
        Contract(terms, "inverse_perpetual", true, 1));
    for (const Day expiry : {At(2024, 3, 29), At(2024, 6, 28), At(2024, 12, 27)}) {
      Add(exchange, fmt::format("{}-{}", base, DayMonthYear(expiry)), "future", expiry - 270, expiry + 1,
          Contract(terms, "inverse_future", true, 1, expiry));
      for (const int strike : {40'000, 50'000, 60'000}) {
        for (const char side : {'C', 'P'}) {
          AddOption(exchange, base, base, "USD", expiry, std::to_string(strike / (*base == 'E' ? 20 : 1)),
                    strike / (*base == 'E' ? 20.0 : 1), side, expiry - 180);
        }
      }
    }
  }
  Add(exchange, "ETH_USDC-PERPETUAL", "perpetual", At(2022, 4, 19), {},
      Contract(Terms("ETH", "USDC", 0.05, 0.01, 0.01), "linear_perpetual", false, 1));
  AddOption(exchange, "SOL_USDC", "SOL", "USDC", At(2024, 3, 29), "150", 150, 'C', At(2024, 1, 2));
  AddOption(exchange, "XRP_USDC", "XRP", "USDC", At(2024, 6, 28), "0d55", 0.55, 'P', At(2024, 1, 2));
  Add(exchange, "BTC_USDC", "spot", At(2023, 4, 24), {}, Terms("BTC", "USDC", 1, 0.0001, 0.0001));
  Add(exchange, "ETH_BTC", "spot", At(2023, 4, 24), {}, Terms("ETH", "BTC", 0.0001, 0.0001, 0.0001));
  Add(exchange, "BTC-FS-29MAR24_PERP", "combo", At(2023, 12, 1), At(2024, 3, 30),
      Contract(Terms("BTC", "USD", 0.5, 10, 10), "spread", true, 1, At(2024, 3, 29)));
  Add(exchange, "BTC-CS-29MAR24-50000_60000", "combo", At(2024, 1, 2), At(2024, 3, 30),
      Contract(Terms("BTC", "USD", 0.0005, 0.1, 0.1), "spread", true, 1, At(2024, 3, 29)));
  // Strikes step by step on expiries a week apart, as a real options exchange piles them up.
  for (size_t i = 0; i < more_options; ++i) {
    const Day expiry = At(2019, 4, 5) + static_cast<int32_t>(7 * (i / 400));
    const auto strike = static_cast<int>(1'000 + i % 400 / 2 * 500);
    AddOption(exchange, "BTC", "BTC", "USD", expiry, std::to_string(strike), strike, i % 2 == 0 ? 'C' : 'P',
              std::max(expiry - 90, exchange.since));
  }
  return exchange;
}

TardisExchange Spot(const char* id, const char* name, const std::vector<std::array<const char*, 3>>& pairs) {
  TardisExchange exchange{.id = id, .name = name, .since = At(2019, 3, 30), .symbols = {}, .grouped = {}};
  for (const auto& [symbol, base, quote] : pairs) {
    Add(exchange, symbol, "spot", exchange.since, {}, Terms(base, quote, 0.01, 0.00001, 0.00001));
  }
  return exchange;
}

std::vector<TardisExchange> All(size_t more_options) {
  std::vector<TardisExchange> all;
  all.push_back(Deribit(more_options));
  all.push_back(Spot("binance", "Binance Spot",
                     {{{"btcusdt", "BTC", "USDT"},
                       {"ethusdt", "ETH", "USDT"},
                       {"ethbtc", "ETH", "BTC"},
                       {"1inchusdt", "1INCH", "USDT"},
                       {"btcupusdt", "BTCUP", "USDT"}}}));
  TardisExchange futures{
      .id = "binance-futures", .name = "Binance USDT Futures", .since = At(2019, 11, 17), .symbols = {}, .grouped = {}};
  for (const auto& [symbol, base] : {std::pair{"btcusdt", "BTC"}, {"ethusdt", "ETH"}, {"1000pepeusdt", "1000PEPE"}}) {
    Add(futures, symbol, "perpetual", *symbol == '1' ? At(2023, 5, 5) : futures.since, {},
        Contract(Terms(base, "USDT", 0.1, 0.001, 0.001), "linear_perpetual", false, 1));
  }
  Add(futures, "btcusdt_240329", "future", At(2023, 9, 29), At(2024, 3, 30),
      Contract(Terms("BTC", "USDT", 0.1, 0.001, 0.001), "linear_future", false, 1, At(2024, 3, 29)));
  all.push_back(std::move(futures));
  TardisExchange bybit{
      .id = "bybit", .name = "Bybit Derivatives", .since = At(2019, 11, 7), .symbols = {}, .grouped = {}};
  Add(bybit, "BTCUSD", "perpetual", bybit.since, {},
      Contract(Terms("BTC", "USD", 0.5, 1, 1), "inverse_perpetual", true, 1));
  Add(bybit, "BTCUSDT", "perpetual", At(2020, 5, 28), {},
      Contract(Terms("BTC", "USDT", 0.1, 0.001, 0.001), "linear_perpetual", false, 1));
  Add(bybit, "BTCPERP", "perpetual", At(2022, 7, 5), {},
      Contract(Terms("BTC", "USDC", 0.1, 0.001, 0.001), "linear_perpetual", false, 1));
  Add(bybit, "BTCUSDZ24", "future", At(2024, 3, 1), At(2024, 12, 28),
      Contract(Terms("BTC", "USD", 0.5, 1, 1), "inverse_future", true, 1, At(2024, 12, 27)));
  Add(bybit, "BTC-29MAR24", "future", At(2023, 9, 29), At(2024, 3, 30),
      Contract(Terms("BTC", "USDC", 0.5, 0.001, 0.001), "linear_future", false, 1, At(2024, 3, 29)));
  all.push_back(std::move(bybit));
  all.push_back(Spot("bybit-spot", "Bybit Spot", {{{"BTCUSDT", "BTC", "USDT"}, {"ETHUSDC", "ETH", "USDC"}}}));
  all.push_back(Spot("okex", "OKX Spot", {{{"BTC-USDT", "BTC", "USDT"}, {"ETH-BTC", "ETH", "BTC"}}}));
  TardisExchange swaps{.id = "okex-swap", .name = "OKX Swap", .since = At(2019, 3, 30), .symbols = {}, .grouped = {}};
  Add(swaps, "BTC-USDT-SWAP", "perpetual", swaps.since, {},
      Contract(Terms("BTC", "USDT", 0.1, 1, 1), "linear_perpetual", false, 0.01));
  Add(swaps, "BTC-USD-SWAP", "perpetual", swaps.since, {},
      Contract(Terms("BTC", "USD", 0.1, 1, 1), "inverse_perpetual", true, 100));
  all.push_back(std::move(swaps));
  TardisExchange dated{
      .id = "okex-futures", .name = "OKX Futures", .since = At(2019, 3, 30), .symbols = {}, .grouped = {}};
  for (const auto& [symbol, quote] : {std::pair{"BTC-USDT-240329", "USDT"}, {"BTC-USD-240329", "USD"}}) {
    Add(dated, symbol, "future", At(2023, 9, 29), At(2024, 3, 30),
        Contract(Terms("BTC", quote, 0.1, 1, 1), "linear_future", false, 0.01, At(2024, 3, 29)));
  }
  all.push_back(std::move(dated));
  all.push_back(
      Spot("upbit", "Upbit", {{{"KRW-BTC", "BTC", "KRW"}, {"BTC-ETH", "ETH", "BTC"}, {"USDT-BTC", "BTC", "USDT"}}}));
  TardisExchange bitmex{.id = "bitmex", .name = "BitMEX", .since = At(2019, 3, 30), .symbols = {}, .grouped = {}};
  Add(bitmex, "XBTUSD", "perpetual", bitmex.since, {},
      Contract(Terms("BTC", "USD", 0.5, 100, 100), "inverse_perpetual", true, 1));
  Add(bitmex, "XBTH24", "future", At(2023, 9, 29), At(2024, 3, 30),
      Contract(Terms("BTC", "USD", 0.5, 100, 100), "inverse_future", true, 1, At(2024, 3, 29)));
  all.push_back(std::move(bitmex));
  return all;
}

}  // namespace

const TardisSymbol* TardisExchange::FindDataset(const std::string& dataset_id) const {
  for (const auto* list : {&grouped, &symbols}) {
    const auto found = std::ranges::find(*list, dataset_id, &TardisSymbol::dataset_id);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

std::vector<TardisExchange> TardisExchanges(size_t more_options) {
  std::vector<TardisExchange> all = All(more_options);
  for (TardisExchange& exchange : all) {
    for (const auto& [type, name] :
         {std::pair{"spot", "SPOT"}, {"perpetual", "PERPETUALS"}, {"future", "FUTURES"}, {"option", "OPTIONS"}}) {
      if (std::ranges::none_of(exchange.symbols, [&](const auto& symbol) { return symbol.type == type; })) continue;
      TardisSymbol group{.id = name, .dataset_id = name, .type = type, .since = exchange.since, .to = {}};
      group.data_types = {"trades", "quotes"};
      if (group.type == "option") group.data_types.emplace_back("options_chain");
      if (group.type == "perpetual" || group.type == "future") {
        group.data_types.insert(group.data_types.end(), {"derivative_ticker", "liquidations"});
      }
      exchange.grouped.push_back(std::move(group));
    }
  }
  return all;
}

}  // namespace lode::vendor
