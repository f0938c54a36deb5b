// Answers of FRED's series/observations to Arrow batches.
#pragma once

#include <memory>
#include <string_view>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"

namespace lode::codec {

// `bytes` is decompressed text: one page (a JSON object without line breaks) a line, of one series, in the order they
// were asked for: windows of real time that follow each other, and within a window all its pages.
//
// The vendor cuts every row's real-time period to the window it was asked for. Rows of neighbouring windows that are
// one period are joined again, so that the rows do not depend on the windows. A window of a single day is the vendor's
// answer for a series without vintages: its rows have no real-time period.
//
// Rows come by date and start of their period. One with a date, a period or a value that is none goes to BadRecords;
// the value "." is null. Structural faults (no JSON, no `observations`, an empty file) end the stream with kBadInput.
Result<std::unique_ptr<Decoder>> OpenFredObservations(std::unique_ptr<ByteSource> bytes, std::string_view series_id,
                                                      const TableSchema& schema, DecodeContext context);

}  // namespace lode::codec
