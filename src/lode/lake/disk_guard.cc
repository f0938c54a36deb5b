#include "lode/lake/disk_guard.h"

namespace lode::lake {

Result<uint64_t> MinFreeBytes(const Config& config) {
  const std::string text = config.Get("lake.min_free").value_or("");
  if (text.empty()) return 0;
  return ParseSize(text);
}

Status CheckRoom(const LakePaths& paths, uint64_t needed_bytes, uint64_t min_free_bytes) {
  LODE_TRY(const uint64_t free, store::FreeBytes(paths.root));
  if (free >= needed_bytes && free - needed_bytes >= min_free_bytes) return Ok();
  const std::string kept =
      min_free_bytes == 0 ? "" : fmt::format(", {} MiB to stay free (lake.min_free)", min_free_bytes >> 20);
  return Fail(ErrorKind::kStorage, "disk full: {} MiB free, about {} MiB needed{}; free some space and run again",
              free >> 20, needed_bytes >> 20, kept);
}

}  // namespace lode::lake
