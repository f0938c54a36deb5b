// Values from the environment: LODE_SOURCES_DATABENTO_BASE_URL is sources.databento.base_url.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "lode/base/config_keys.h"
#include "lode/base/result.h"

namespace lode::config {

using Environment = std::map<std::string, std::string>;

// LODE_ variables of this process.
Environment ProcessEnvironment();

// NAME=VALUE lines; blank lines, "# comments", a leading "export " and matching quotes around the value are allowed.
// kConfig names file and line, never the value.
Result<Environment> ReadEnvironmentFile(std::string_view text, std::string_view origin_name);

// The values that LODE_<TABLE>_… variables set. `datasets` settles which part of LODE_DATASETS_… is the name. A list is
// separated by commas. kConfig on an unknown key below a known table.
Result<std::map<std::string, Value>> EnvironmentValues(const Environment& environment,
                                                       const std::set<std::string>& datasets);

}  // namespace lode::config
