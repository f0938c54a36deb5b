// Databento's text encodings, written for tests: random records of any schema in every spelling the vendor has, and
// a decoder run whose result is easy to compare. Own values, no vendor data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lode/codec/databento_text.h"
#include "lode/codec/decoder.h"
#include "lode/codec/schema.h"

namespace lode::codec::fixture {

// Column -> value: "null", an integer in the travelling unit (prices 1e-9, times in the column's unit), or text in
// quotes.
using TextRow = std::map<std::string, std::string>;

// A valid record: every vendor column of the schema but ts_out and the columns of old definitions. Values touch the
// edges of their types, and null where the vendor can write it in all spellings.
TextRow RandomTextRow(const TableSchema& schema, std::mt19937_64& random);

struct TextSpelling {
  bool pretty_px = true;
  bool pretty_ts = true;
  bool symbols = true;  // map_symbols
  bool nested = true;   // JSON: `hd` and `levels`; else every key at the top level
};

// With header and final line end.
std::string WriteCsv(const TableSchema& schema, const std::vector<TextRow>& rows, TextSpelling spelling);
std::string WriteNdjson(const TableSchema& schema, const std::vector<TextRow>& rows, TextSpelling spelling);

struct DecodedText {
  std::vector<TextRow> rows;  // of the columns of DecodedSchema
  std::vector<BadRecord> bad;
  std::optional<Error> error;  // structural; rows are those before it
  StreamFacts facts;
};

// Decodes to the end, `batch_rows` at a time.
DecodedText DecodeText(TextEncoding encoding, TextOptions options, std::string_view text, int64_t batch_rows = 65'536);
DecodedText DecodeCsv(std::string_view schema, std::string_view text);
DecodedText DecodeNdjson(std::string_view schema, std::string_view text);

}  // namespace lode::codec::fixture
