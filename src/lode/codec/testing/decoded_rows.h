// What a decoder gave, as text, for comparing in tests.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/codec/dbn.h"
#include "lode/codec/decoder.h"

namespace lode::codec::fixture {

// Column name to value: integers in decimal (prices in 1e-9, times in their column's unit, days since 1970), doubles in
// their shortest form, true or false, text as it is, "null".
using DecodedRow = std::map<std::string, std::string>;

struct Decoded {
  std::map<std::string, std::vector<DecodedRow>> rows;  // by schema
  std::vector<std::string> batches;                     // schema of every batch, in order
  StreamFacts facts;
  BadRecords bad;
  std::optional<Error> error;  // of opening or of the stream

  // All rows of the only schema.
  const std::vector<DecodedRow>& only() const { return rows.begin()->second; }
  std::string error_text() const { return error ? error->ToString() : ""; }
};

// Opens a decoder with a context and reads it to its end. Every batch is checked by Arrow's own full validation; a
// fault of it becomes an error of kind kInternal.
using OpenDecoder = std::function<Result<std::unique_ptr<Decoder>>(const DecodeContext&)>;
Decoded DecodeAll(const OpenDecoder& open, int64_t batch_rows = 65'536);
Decoded DecodeDbn(std::unique_ptr<ByteSource> source, DbnOptions options = {}, int64_t batch_rows = 65'536);
Decoded DecodeDbn(std::string_view raw, DbnOptions options = {}, int64_t batch_rows = 65'536);

}  // namespace lode::codec::fixture
