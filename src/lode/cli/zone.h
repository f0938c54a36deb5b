// --tz: how instants are shown. Display only; nothing is computed or stored in a zone.
#pragma once

#include <string>

#include "lode/base/result.h"

namespace lode::cli {

// kUsage when there is no such zone.
Status CheckZone(const std::string& zone);

// "2024-01-02T15:00:00.5Z" -> "2024-01-02 10:00:00.5 EST". Unchanged without a zone, and where it is no instant.
std::string InZone(const std::string& iso_utc, const std::string& zone);

}  // namespace lode::cli
