// Pages of a REST API, whose rows are the objects of one list, to Arrow batches.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"

namespace lode::codec {

// What was asked for, where rows do not say it.
struct RestRequest {
  std::string ticker;
  std::optional<Day> day;  // the first
};

// `bytes` is decompressed text: one page (JSON without line breaks) a line; rows are the objects of its list
// `results`, or of the page when it is a list itself. Where `results` is one object, they are those of its list
// `events`, each with the object's other members.
//
// A column takes the member of its vendor_name(); "publisher.name" is the member `name` of the object `publisher`.
// Computed ones are `ticker` and `as_of`, of the request, and `session_date`, the day in New York of the member `t`.
// Members that no column knows go to `_extra`, those of such an inner object too. A row whose values are not of their
// columns' types, or which lacks one that must be there, is a bad record. Structural faults (no JSON, no list, an empty
// file) end the stream with kBadInput.
Result<std::unique_ptr<Decoder>> OpenRestPages(std::unique_ptr<ByteSource> bytes, const RestRequest& asked,
                                               const TableSchema& schema, DecodeContext context);

}  // namespace lode::codec
