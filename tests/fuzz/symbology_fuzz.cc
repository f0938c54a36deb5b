// symbology.json.
#include <string_view>

#include "drain.h"
#include "lode/codec/symbology.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  codec::StringPool strings(size_t{1} << 20);
  const auto map = codec::ParseSymbologyJson({reinterpret_cast<const char*>(data), size}, strings);
  if (!map) return 0;
  for (const int32_t day : {-1, 0, 19'723}) {
    const int32_t symbol = map->Find(750, Day{day});
    fuzz::Require(symbol == codec::StringPool::kNull || static_cast<size_t>(symbol) < strings.size());
  }
  return 0;
}
