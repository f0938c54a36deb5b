// Verification of one file or folder of the lake, without reading the rest of its dataset.
#pragma once

#include <filesystem>

#include "lode/base/result.h"
#include "lode/cli/session.h"
#include "lode/lake/verify.h"
#include "lode/sink/duckdb/content_check.h"

namespace lode::cli {

// `path`: below landing/<dataset> or bronze/<dataset>, given from the current folder or from the lake's root. Every
// file there must be one that the ledger names, with its size and hash; every one it names there must be there. kUsage
// for another path, kNotFound where neither disk nor ledger knows it.
Result<lake::VerifyReport> VerifyPath(Session& session, const lake::LakePaths& paths,
                                      const std::filesystem::path& path);

// The partitions at or below such a path, as a dataset to be read; none below landing/.
Result<sink::ContentDataset> ContentBelow(Session& session, const lake::LakePaths& paths,
                                          const std::filesystem::path& path);

}  // namespace lode::cli
