// The zstd source: many frames, skippable frames, damage, bombs (with small limits, so that one is in reach).
#include "drain.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  codec::ZstdLimits limits;
  limits.max_ratio = 64;
  limits.free_bytes = 1 << 16;
  limits.max_window_log = 20;
  const auto source = codec::OpenZstd(fuzz::Source(data, size), limits);
  // One block past the limit may be on its way when it is noticed.
  fuzz::DrainBytes(*source, 4096, limits.free_bytes + limits.max_ratio * size + (1 << 18));
  return 0;
}
