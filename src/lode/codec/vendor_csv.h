// Polygon's flat files and Tardis' csv files to Arrow batches. Columns are found by the header's names, never by
// position.
#pragma once

#include <memory>
#include <string_view>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"

namespace lode::codec {

// `bytes` is decompressed text, `schema` one of SchemasOf("polygon") or SchemasOf("tardis").
//
// The header must have every column of the schema that is not computed, in any order: kBadInput names the first one
// that is missing, or the first book level behind a gap. Columns that the schema does not know go to `_extra` as JSON
// strings, with one log notice a column and file.
//
// Per record; one that breaks a rule goes to BadRecords with line and column:
// - An empty cell is null where the column may be null, else the record is bad.
// - Decimals become the nearest double; NaN, infinities and what no double holds are bad. Integers must fit.
// - Tardis' times are microseconds of 16 digits, Polygon's nanoseconds of 19 (0 is null where null is allowed).
// - Text is UTF-8 without control characters, at most 256 bytes, and stays as it is: NA, TRUE and nan are tickers.
// - A line has as many fields as the header. Quotes (within a line) and CRLF are tolerated.
//
// A last line without LF is taken, and StreamFacts::ended_open says so.
//
// Rows keep the file's order, whatever their times. source_row is the line's number from 0, the header not counted.
// Structural faults end the stream: a bad header or one without LF, a line over 1 MiB, an empty file (but for
// Tardis, where that is a day without records). A header alone is a valid file of no records.
Result<std::unique_ptr<Decoder>> OpenVendorCsv(std::unique_ptr<ByteSource> bytes, const TableSchema& schema,
                                               DecodeContext context);

// Schema that a file's own text tells: the one whose columns the header has, the widest where several fit. What has the
// same columns is told apart by the prefix of Polygon's first ticker (O: options, I: indices, else stocks) and by the
// first bars: days when all begin at midnight in New York, or three and more at one instant, else minutes. Tardis'
// liquidations pass for trades and its book_ticker for quotes: where the file's place tells the type, prefer that.
// nullptr when nothing fits, or a Polygon file has no row. `first_bytes`: 64 KiB is ample.
const TableSchema* InferVendorCsvSchema(std::string_view first_bytes);

}  // namespace lode::codec
