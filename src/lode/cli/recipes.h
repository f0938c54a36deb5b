// Recipes: datasets and the pipelines that keep them up to date, ready to be declared by `lode init --recipe NAME`, and
// the commented lode.toml of a new lake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/config.h"

namespace lode::cli {

struct RecipePipeline {
  std::string name, at;  // base/recurrence.h
  std::vector<std::string> steps;
};

struct Recipe {
  std::string name;
  std::vector<DatasetConfig> datasets;    // one of the recipe's name, or several
  std::vector<RecipePipeline> pipelines;  // that keep it up to date; the last checks the lake
};

// nullptr when there is none.
const Recipe* FindRecipe(std::string_view name);
std::vector<std::string> RecipeNames();

// Every table of the contract as comments, nothing set.
std::string ConfigTemplate();

}  // namespace lode::cli
