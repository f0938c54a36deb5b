// Databento NDJSON against every schema; the first byte chooses the schema and the price and time forms.
#include "drain.h"
#include "lode/codec/databento_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  if (size == 0) return 0;
  static const auto schemas = codec::DatabentoSchemas();
  codec::StringPool strings(size_t{1} << 20);
  codec::BadRecords bad;
  codec::TextOptions options;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  options.schema = codec::InferTextSchema(text.substr(0, 4096), codec::TextEncoding::kNdjson);
  if (options.schema == nullptr) options.schema = schemas[data[0] % schemas.size()];
  if (data[0] & 0x80) options.pretty_px = (data[0] & 0x40) != 0;
  if (data[0] & 0x20) options.pretty_ts = (data[0] & 0x40) != 0;
  fuzz::Drain(codec::OpenDatabentoNdjson(fuzz::Source(data + 1, size - 1), options, {&strings, &bad, 64}), bad);
  return 0;
}
