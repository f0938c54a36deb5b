// Record layouts the DBN writer uses, as the vendor publishes them, one text a record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lode::codec::fixture {

struct RecordLayout {
  std::string_view schema;  // or "symbol-mapping", "system", "error"
  int first_version, last_version;
  uint8_t rtype;
  size_t size;              // without ts_out
  std::string_view fields;  // "name@offset:type …"; the record header is the same everywhere and left out
};

// nullptr when the schema does not exist.
const RecordLayout* FindLayout(std::string_view schema, int version);
std::span<const RecordLayout> AllLayouts();

}  // namespace lode::codec::fixture
