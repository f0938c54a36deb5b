// DBN of all versions; the first byte chooses whole stream or fragment, and the schema hint.
#include "drain.h"
#include "lode/codec/dbn.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  if (size == 0) return 0;
  codec::StringPool strings(size_t{1} << 20);
  codec::BadRecords bad;
  codec::DbnOptions options;
  // 'D' is how a whole stream begins: the byte is then part of the input.
  options.fragment = data[0] != 'D';
  if (options.fragment) {
    if (data[0] & 1) options.schema_hint = "tbbo";
    ++data, --size;
  }
  fuzz::Drain(codec::OpenDbn(fuzz::Source(data, size), options, {&strings, &bad, 64}), bad);
  return 0;
}
