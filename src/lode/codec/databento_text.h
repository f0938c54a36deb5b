// Databento's CSV and NDJSON encodings to Arrow batches: the four combinations of pretty_px and pretty_ts, with or
// without `symbol`, nested `hd` and the flat form. Columns are found by name, never by position.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"
#include "lode/codec/symbology.h"

namespace lode::codec {

enum class TextEncoding { kCsv, kNdjson };

struct TextOptions {
  const TableSchema* schema = nullptr;      // target; required
  const SymbologyMap* symbology = nullptr;  // used where the text has no symbol; not owned
  // From metadata.json; unset: every value tells by its own shape ('.' in a price, 'T' or '-' in a time).
  std::optional<bool> pretty_px, pretty_ts;
};

// Schema named by a text file's own content when neither name nor side files say: the CSV header or the first JSON
// object's keys, with rtype telling the bar width. nullptr when nothing fits.
const TableSchema* InferTextSchema(std::string_view first_bytes, TextEncoding encoding);

// CSV: a header line is required; kBadInput when it lacks a needed column. A last line without '\n' is a truncated
// file. Bad values go to BadRecords with line and column.
Result<std::unique_ptr<Decoder>> OpenDatabentoCsv(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                  DecodeContext context);
// NDJSON: one object a line, LF; unknown keys go to `_extra`.
Result<std::unique_ptr<Decoder>> OpenDatabentoNdjson(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                     DecodeContext context);

}  // namespace lode::codec
