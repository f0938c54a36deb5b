#include "lode/cli/recipes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace lode::cli {
namespace {

DatasetConfig FuturesOrOptions(const char* name, const char* schema, const char* list) {
  return {.name = name,
          .source = "databento",
          .dataset = "GLBX.MDP3",
          .schema = schema,
          .stype_in = "parent",
          .symbols = {list},
          .start = ToDay({2010, 6, 6}),  // where GLBX.MDP3 begins
          .layout = ""};
}

DatasetConfig FlatFile(const char* name, const char* path) {
  return {.name = name, .source = "polygon", .flat_file = path, .start = ToDay({2020, 1, 1})};
}

DatasetConfig Rest(const char* table, std::optional<YearMonthDay> start = std::nullopt) {
  DatasetConfig dataset{.name = table, .source = "polygon", .rest = table};
  if (start) dataset.start = ToDay(*start);
  return dataset;
}

// Recipes that come with a pipeline, and when it runs: after the vendor has the day.
constexpr auto kPipelineTimes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"futures_1d", "daily 01:00"},
    {"futures_1h", "hourly :00"},
    {"futures_1m", "daily 01:00"},
    {"options_1d", "daily 02:00"},
    {"stocks_daily", "daily 06:00"},
    {"stocks_minute", "daily 06:00"},
    {"options_daily", "daily 06:00"},
    {"options_minute", "daily 06:00"},
    {"news", "daily 06:00"},
    {"fundamentals", "weekly Sun 08:00"},
    {"corporate_actions", "weekly Sun 07:00"},
    {"reference", "monthly 1 08:00"},
});

void AddPipelines(Recipe* recipe) {
  const auto* const time =
      std::ranges::find(kPipelineTimes, recipe->name, &std::pair<std::string_view, std::string_view>::first);
  if (time == kPipelineTimes.end()) return;
  std::string sync = "sync";
  for (const DatasetConfig& dataset : recipe->datasets) sync += " " + dataset.name;
  if (time->second.starts_with("hourly")) sync += " --days 1";
  recipe->pipelines = {{recipe->name, std::string(time->second), {sync}},
                       {"validation", "weekly Sun 04:00", {"verify", "gaps"}}};
}

const std::vector<Recipe>& Recipes() {
  static const std::vector<Recipe> recipes = [] {
    std::vector<Recipe> all;
    for (const DatasetConfig& one : {
             FuturesOrOptions("futures_1d", "ohlcv-1d", "@cme_valid"),
             FuturesOrOptions("futures_1h", "ohlcv-1h", "@cme_hourly_37"),
             FuturesOrOptions("futures_1m", "ohlcv-1m", "@cme_core_26"),
             FuturesOrOptions("options_1d", "ohlcv-1d", "@cme_options_19"),
             DatasetConfig{.name = "fred", .source = "fred", .symbols = {"@fred"}},
             Rest("dividends", YearMonthDay{2000, 1, 1}),
             Rest("splits", YearMonthDay{2000, 1, 1}),
             Rest("ipos", YearMonthDay{2008, 1, 1}),
             Rest("short_interest", YearMonthDay{2017, 12, 1}),
             Rest("short_volume", YearMonthDay{2024, 2, 1}),
             Rest("news", YearMonthDay{2017, 4, 10}),
             Rest("grouped_daily", YearMonthDay{2020, 1, 1}),
             Rest("aggregates_day", YearMonthDay{2020, 1, 1}),
             Rest("aggregates_hour", YearMonthDay{2020, 1, 1}),
             Rest("aggregates_minute", YearMonthDay{2020, 1, 1}),
             Rest("balance_sheets", YearMonthDay{2015, 1, 1}),
             Rest("cash_flow_statements", YearMonthDay{2015, 1, 1}),
             Rest("income_statements", YearMonthDay{2015, 1, 1}),
             Rest("financials", YearMonthDay{2015, 1, 1}),
             Rest("ratios"),
             Rest("tickers"),
             Rest("ticker_types"),
             Rest("exchanges"),
             Rest("market_holidays"),
             Rest("ticker_events"),
             Rest("related_companies"),
             FlatFile("stocks_daily", "us_stocks_sip/day_aggs_v1"),
             FlatFile("stocks_minute", "us_stocks_sip/minute_aggs_v1"),
             FlatFile("options_daily", "us_options_opra/day_aggs_v1"),
             FlatFile("options_minute", "us_options_opra/minute_aggs_v1"),
         }) {
      all.push_back({one.name, {one}, {}});
    }
    const auto together = [&](const char* name, std::initializer_list<std::string_view> parts) {
      Recipe recipe{name, {}, {}};
      for (const std::string_view part : parts) {
        recipe.datasets.push_back(std::ranges::find(all, part, &Recipe::name)->datasets.front());
      }
      all.push_back(std::move(recipe));
    };
    const auto deribit = [](const char* data_type, std::vector<std::string> symbols) {
      return DatasetConfig{.name = fmt::format("deribit_{}", data_type),
                           .source = "tardis",
                           .exchange = "deribit",
                           .data_type = data_type,
                           .symbols = std::move(symbols),
                           .start = ToDay({2019, 3, 30})};  // where Tardis' files of it begin
    };
    const std::vector<std::string> perpetuals = {"BTC-PERPETUAL", "ETH-PERPETUAL"};
    all.push_back({"tardis",
                   {deribit("trades", perpetuals), deribit("derivative_ticker", perpetuals),
                    deribit("options_chain", {"OPTIONS"})},
                   {}});
    together("fundamentals", {"balance_sheets", "cash_flow_statements", "income_statements", "ratios"});
    together("corporate_actions", {"dividends", "splits", "ipos"});
    together("reference", {"tickers", "ticker_types", "exchanges", "market_holidays"});
    for (Recipe& recipe : all) AddPipelines(&recipe);
    return all;
  }();
  return recipes;
}

constexpr std::string_view kTemplate =
    R"(# lode.toml: what this lake should hold. Every value can come from the environment instead
# (LODE_SOURCES_DATABENTO_BASE_URL ...); `lode config show --origin` tells where each one comes from.
# Keys are never written here, only where they are: env:NAME, file:PATH (mode 0600) or cmd:COMMAND.

# [sources.databento]
# base_url = "https://hist.databento.com/v0"
# key = "env:DATABENTO_API_KEY"

# [sources.polygon]
# s3_endpoint = "https://files.massive.com"
# s3_key_id = "env:POLYGON_S3_KEY_ID"   # of the flat files: not the REST key
# s3_secret = "env:POLYGON_S3_SECRET"
# key = "env:POLYGON_API_KEY"

# [sources.tardis]
# key = "env:TARDIS_API_KEY"

# [sources.fred]
# key = "env:FRED_API_KEY"

# A dataset is a named stream: bronze/<name>/ holds its Parquet files. `lode import PATH --dataset NAME` declares
# the dataset here by itself, with what it learns from the files.
# [datasets.futures_1d]
# source = "databento"                  # or "files"
# dataset = "GLBX.MDP3"
# schema = "ohlcv-1d"
# stype_in = "parent"
# symbols = ["ZL.FUT", "ZS.FUT"]        # "@cme_core_26": a shipped list; a path: a list file
# start = 2010-06-06                    # `lode sync` asks for what is missing from here to yesterday
# chunk = { symbols = 3, days = 365 }   # of one request
# on_bad_record = "quarantine"          # or "fail"; without it a unit fails above 0.1 % bad records

# [datasets.rates]
# source = "fred"
# series = ["DGS10", "SOFR"]            # or "@fred_rates", "@fred": shipped lists

# [datasets.deribit_trades]
# source = "tardis"
# exchange = "deribit"
# data_type = "trades"
# symbols = ["BTC-PERPETUAL"]           # a path: a list that `lode targets -o FOLDER` wrote
# start = 2024-01-01                    # without a key, the first day of each month

# [datasets.stocks_daily]
# source = "polygon"
# flat_file = "us_stocks_sip/day_aggs_v1"
# start = 2020-01-01

# A pipeline: what a night does, one step after the other. `lode schedule install` runs it by itself.
# [pipelines.daily]
# at = "daily 01:00"                    # UTC; also "hourly :05", "weekly Sun 03:00", "monthly 1 04:00"
# steps = ["sync", "gaps", "load --to duckdb"]

# [notify]                              # told when a pipeline fails
# webhook = "https://example.com/hook"
# command = "/usr/local/bin/tell"
)";

}  // namespace

const Recipe* FindRecipe(std::string_view name) {
  const auto found = std::ranges::find(Recipes(), name, &Recipe::name);
  return found == Recipes().end() ? nullptr : &*found;
}

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names;
  for (const Recipe& recipe : Recipes()) names.push_back(recipe.name);
  return names;
}

std::string ConfigTemplate() { return std::string(kTemplate); }

}  // namespace lode::cli
