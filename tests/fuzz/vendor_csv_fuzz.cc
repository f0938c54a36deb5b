// Polygon and Tardis CSV against every schema; the first byte chooses the schema (0xFF: the one the text tells). Other
// inputs that begin with the gzip magic go through OpenGzip first.
#include <string_view>

#include "drain.h"
#include "lode/codec/vendor_csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  if (size == 0) return 0;
  static const auto schemas = [] {
    auto all = codec::SchemasOf("polygon");
    for (const codec::TableSchema* schema : codec::SchemasOf("tardis")) all.push_back(schema);
    return all;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const codec::TableSchema* schema = schemas[data[0] % schemas.size()];
  const codec::TableSchema* const inferred = codec::InferVendorCsvSchema(text.substr(0, 65'536));
  if (data[0] == 0xFF && inferred != nullptr) schema = inferred;
  auto bytes = fuzz::Source(data + 1, size - 1);
  if (text.starts_with("\x1F\x8B")) bytes = codec::OpenGzip(std::move(bytes));
  codec::StringPool strings(size_t{1} << 20);
  codec::BadRecords bad;
  fuzz::Drain(codec::OpenVendorCsv(std::move(bytes), *schema, {&strings, &bad, 64}), bad);
  return 0;
}
