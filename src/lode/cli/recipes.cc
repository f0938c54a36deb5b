#include "lode/cli/recipes.h"

namespace lode::cli {
namespace {

const std::vector<Recipe>& Recipes() {
  static const std::vector<Recipe> recipes = [] {
    auto databento = [](const char* name, const char* schema, const char* list) {
      return Recipe{{.name = name,
                     .source = "databento",
                     .dataset = "GLBX.MDP3",
                     .schema = schema,
                     .stype_in = "parent",
                     .symbols = {list},
                     .start = ToDay({2010, 6, 6}),  // where GLBX.MDP3 begins
                     .layout = ""}};
    };
    auto flat_file = [](const char* name, const char* path) {
      return Recipe{{.name = name, .source = "polygon", .flat_file = path, .start = ToDay({2020, 1, 1})}};
    };
    auto rest = [](const char* table, YearMonthDay start) {
      return Recipe{{.name = table, .source = "polygon", .rest = table, .start = ToDay(start)}};
    };
    return std::vector<Recipe>{
        databento("futures_1d", "ohlcv-1d", "@cme_valid"),
        databento("futures_1h", "ohlcv-1h", "@cme_hourly_37"),
        databento("futures_1m", "ohlcv-1m", "@cme_core_26"),
        databento("options_1d", "ohlcv-1d", "@cme_options_19"),
        Recipe{{.name = "fred", .source = "fred", .symbols = {"@fred"}}},
        rest("dividends", {2000, 1, 1}),
        rest("splits", {2000, 1, 1}),
        rest("short_interest", {2017, 12, 1}),
        rest("short_volume", {2024, 2, 1}),
        rest("news", {2017, 4, 10}),
        flat_file("stocks_daily", "us_stocks_sip/day_aggs_v1"),
        flat_file("stocks_minute", "us_stocks_sip/minute_aggs_v1"),
        flat_file("options_daily", "us_options_opra/day_aggs_v1"),
        flat_file("options_minute", "us_options_opra/minute_aggs_v1"),
    };
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

# [datasets.stocks_daily]
# source = "polygon"
# flat_file = "us_stocks_sip/day_aggs_v1"
# start = 2020-01-01
)";

}  // namespace

const Recipe* FindRecipe(std::string_view name) {
  for (const Recipe& recipe : Recipes()) {
    if (recipe.dataset.name == name) return &recipe;
  }
  return nullptr;
}

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names;
  for (const Recipe& recipe : Recipes()) names.push_back(recipe.dataset.name);
  return names;
}

std::string ConfigTemplate() { return std::string(kTemplate); }

}  // namespace lode::cli
