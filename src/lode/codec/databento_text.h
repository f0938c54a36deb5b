// Databento's CSV and NDJSON encodings to Arrow batches: the four combinations of pretty_px and pretty_ts, with or
// without `symbol`, nested `hd` and the flat form. Columns are found by name, never by position.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

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
// object's keys, with rtype telling the bar width. nullptr when nothing fits, or several do (a CSV header of bars
// without a row). mbp-1 and tbbo have the same columns and rtype: both are taken for mbp-1, which every tbbo row is.
// `first_bytes` holds the file's first two lines; 64 KiB is ample.
const TableSchema* InferTextSchema(std::string_view first_bytes, TextEncoding encoding);

// Rules common to both decoders, per record; a record that breaks one goes to BadRecords with line and column:
// - Null is: an empty or JSON null price, time, size or character; an undefined value as the raw text spells it
//   (UNDEF_PRICE, UNDEF_TIMESTAMP, UNDEF_ORDER_SIZE; statistics quantity INT64_MAX, and INT32_MAX of DBN 1 and 2, as
//   the text does not tell its version); an empty symbol that `symbology` does not know either. Raw time 0 is a
//   value; pretty text has no time there. Any other empty value is bad, but an empty text array is "".
// - Numbers must fit the vendor's type and ours; u32 fields are checked as such. Characters are one ASCII character;
//   text is UTF-8 without control characters, at most 256 bytes.
// - rtype must be the schema's (bars: or 17, the width-less bar of 2022); bars need not have it.
// - Columns a file may lack: symbol, ts_out, the four of old definitions, and the legs that old definitions do not
//   have (0, "", side N, else null, as the vendor's own upgrade fills them). Every other column is needed.
// - Unknown columns and keys go to `_extra` in input order, keys of `hd` by their name, of `levels` as KEY_NN; CSV
//   values as JSON strings. One log notice a key and file.
//
// Structural faults end the stream: an empty file, a last line without LF, a line over 1 MiB, a bad CSV header.

// CSV: a header line is required; kBadInput when it lacks a needed column. CRLF, a byte order mark and quotes (within
// a line) are tolerated. A header alone is a valid file of no records.
Result<std::unique_ptr<Decoder>> OpenDatabentoCsv(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                  DecodeContext context);
// NDJSON: one object a line, LF, nested `hd` and `levels` or flat; 64-bit values as strings or plain numbers. A line
// that is not JSON, or has a key twice, is a bad record.
Result<std::unique_ptr<Decoder>> OpenDatabentoNdjson(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                     DecodeContext context);

}  // namespace lode::codec
