// Shared by the files of this folder: errno as an Error.
#pragma once

#include <string_view>

#include "lode/base/descriptor.h"
#include "lode/base/result.h"
#include "lode/store/local_disk.h"

namespace lode::store {

// "cannot <verb> <path>: <errno text>". Disk full, quota and read-only are said in plain words.
std::unexpected<Error> OsError(int error, std::string_view verb, const fs::path& path,
                               ErrorKind kind = ErrorKind::kStorage);

}  // namespace lode::store
