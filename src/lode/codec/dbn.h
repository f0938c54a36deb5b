// Databento Binary Encoding, versions 1 to 3, to Arrow batches. Own code because this is what lode exists for.
// Format: docs/schemas.md names the fields; offsets are in dbn_fields.h. Source: the vendor's published layouts.
//
// Cost: about 0.05 CPU seconds for 728,623 zstd bars, most of it zstd. Memory: a 256 KiB window, and a batch of at most
// 8 MiB for each schema of the stream.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"

namespace lode::codec {

struct DbnOptions {
  // Records without metadata (`.dbn.frag`): the record sizes say the version where they differ; else 3.
  bool fragment = false;
  // Vendor schema when the stream itself does not say (fragments): tells tbbo from mbp-1. Empty: by record type.
  std::string schema_hint;
};

// Opens a decoder over decompressed DBN bytes. Reads the metadata at once: kBadInput for a wrong magic, a version
// other than 1..3, a length below 100, counts that overrun or an empty stream (of a fragment, too); kUnsupported
// (named) for legacy DBZ.
//
// A stream of mixed schemas (live capture, fragment without hint) yields batches of several schemas, each in order of
// its records; definitions and statistics of older versions are widened to version 3 columns. Gateway records (error,
// system) are counted and logged, symbol mappings update the symbology for the records behind them. Symbols resolve
// by the UTC day of the schema's day column, or of its fallback where that is undefined.
//
// source_row numbers data records from 0, bad ones included, gateway records not. Where the stream promises one schema
// a record of any other type or length is a bad record; in a mixed one a type that no version knows is drift: skipped,
// counted and logged. A raw stream cut exactly between two records looks complete (only version 1 metadata may count
// its records), and so does a zstd one cut exactly between two frames.
Result<std::unique_ptr<Decoder>> OpenDbn(std::unique_ptr<ByteSource> bytes, DbnOptions options, DecodeContext context);

}  // namespace lode::codec
