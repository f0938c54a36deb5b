// Room on the lake's disk, looked at before work begins.
#pragma once

#include <cstdint>

#include "lode/base/config.h"
#include "lode/lake/lake.h"

namespace lode::lake {

// `lake.min_free`: what must stay free for others; 0 when it is not set.
Result<uint64_t> MinFreeBytes(const Config& config);

// kStorage when `needed_bytes` more would leave less than `min_free_bytes`.
Status CheckRoom(const LakePaths& paths, uint64_t needed_bytes, uint64_t min_free_bytes);

}  // namespace lode::lake
