// One TOML text as checked, flat values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "lode/base/config_keys.h"
#include "lode/base/result.h"

namespace lode::config {

inline constexpr uint64_t kLongestFile = 4 << 20;  // bytes

struct FileValues {
  std::map<std::string, Value> values;  // dotted key -> value; origin "file NAME:LINE"
  std::set<std::string> datasets;       // declared names, also of empty tables
};

// kConfig names `origin_name`, line and key of the first fault: syntax, an unknown key (with the nearest known one), a
// value of the wrong type, a name that cannot be a folder.
Result<FileValues> ReadToml(std::string_view toml, std::string_view origin_name);

}  // namespace lode::config
