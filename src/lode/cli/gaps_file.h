// What `lode gaps -o FILE` wrote, read back for `lode sync --gaps-file FILE`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/plan/work.h"

namespace lode::cli {

// By dataset; one without gaps is left out. kNotFound; kUsage when it is no such document (docs/exit-codes.md), with
// the place.
Result<std::map<std::string, std::vector<plan::SymbolDays>>> ReadGapsFile(const std::filesystem::path& file);

}  // namespace lode::cli
