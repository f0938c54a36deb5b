#include "lode/cli/recipes.h"

namespace lode::cli {
namespace {

const std::vector<Recipe>& Recipes() {
  static const std::vector<Recipe> recipes = [] {
    auto databento = [](const char* name, const char* dataset, const char* schema, std::vector<std::string> symbols) {
      return Recipe{{.name = name,
                     .source = "databento",
                     .dataset = dataset,
                     .schema = schema,
                     .stype_in = "parent",
                     .symbols = std::move(symbols),
                     .start = {},
                     .layout = ""}};
    };
    std::vector<std::string> futures = {"ES.FUT", "NQ.FUT", "CL.FUT", "GC.FUT", "ZL.FUT", "ZS.FUT"};
    return std::vector<Recipe>{
        databento("futures_1d", "GLBX.MDP3", "ohlcv-1d", futures),
        databento("futures_1h", "GLBX.MDP3", "ohlcv-1h", futures),
        databento("futures_1m", "GLBX.MDP3", "ohlcv-1m", futures),
        databento("options_1d", "OPRA.PILLAR", "ohlcv-1d", {"SPY.OPT", "QQQ.OPT"}),
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

# A dataset is a named stream: bronze/<name>/ holds its Parquet files. `lode import PATH --dataset NAME` declares
# the dataset here by itself, with what it learns from the files.
# [datasets.futures_1d]
# source = "databento"                  # or "files"
# dataset = "GLBX.MDP3"
# schema = "ohlcv-1d"
# stype_in = "parent"
# symbols = ["ZL.FUT", "ZS.FUT"]        # "@name": a shipped list; a path: a list file
# start = 2010-06-06
# on_bad_record = "quarantine"          # or "fail"; without it a unit fails above 0.1 % bad records
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
