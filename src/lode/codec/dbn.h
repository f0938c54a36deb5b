// Databento Binary Encoding, versions 1 to 3, to Arrow batches. Own code because this is what lode exists for.
// Format: docs/schemas.md names the fields; offsets are in dbn_layout.h. Source: the vendor's published layouts.
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
// other than 1..3, a length below 100 or counts that overrun; kUnsupported (named) for legacy DBZ.
// A stream of mixed schemas (live capture) yields batches of several schemas; definitions and statistics of older
// versions are widened to version 3 columns. Gateway records (error, system) are counted and logged, symbol mappings
// update the symbology. Symbols resolve by the UTC day of the schema's day column.
Result<std::unique_ptr<Decoder>> OpenDbn(std::unique_ptr<ByteSource> bytes, DbnOptions options, DecodeContext context);

}  // namespace lode::codec
