// The gzip source: members, headers, damage, bombs (with small limits, so that one is in reach). Read in pieces of a
// size the input chooses, so that headers and trailers are split.
#include <algorithm>

#include "drain.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  if (size == 0) return 0;
  codec::GzipLimits limits;
  limits.max_ratio = 64;
  limits.free_bytes = 1 << 16;
  const auto source = codec::OpenGzip(fuzz::Source(data + 1, size - 1), limits);
  // One block past the limit may be on its way when it is noticed.
  fuzz::DrainBytes(*source, std::max<size_t>(1, size_t{data[0]} * 16),
                   limits.free_bytes + limits.max_ratio * size + (1 << 19));
  return 0;
}
