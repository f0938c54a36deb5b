// Recipes: datasets ready to be declared by `lode init --recipe NAME`, and the commented lode.toml of a new lake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/config.h"

namespace lode::cli {

struct Recipe {
  std::string name;
  std::vector<DatasetConfig> datasets;  // one of the recipe's name, or several
};

// nullptr when there is none.
const Recipe* FindRecipe(std::string_view name);
std::vector<std::string> RecipeNames();

// Every table of the contract as comments, nothing set.
std::string ConfigTemplate();

}  // namespace lode::cli
