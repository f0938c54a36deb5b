// What every decoder target does with its decoder: read to the end and check what the interface promises.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "lode/codec/byte_source.h"
#include "lode/codec/decoder.h"

namespace lode::fuzz {

inline void Require(bool holds) {
  if (!holds) std::abort();
}

inline std::unique_ptr<codec::ByteSource> Source(const uint8_t* data, size_t size) {
  return codec::FromMemory(std::as_bytes(std::span(data, size)));
}

// Bytes come in pieces of at most `piece`, and no more of them than `most`.
inline void DrainBytes(codec::ByteSource& source, size_t piece, uint64_t most) {
  std::vector<std::byte> buffer(piece);
  uint64_t total = 0;
  while (true) {
    const auto read = source.Read(buffer);
    if (!read || *read == 0) break;
    Require(*read <= buffer.size());
    total += *read;
  }
  Require(total <= most);
}

// Any bytes must give batches, bad records and at most one error; never a batch that breaks its own schema.
inline void Drain(Result<std::unique_ptr<codec::Decoder>> decoder, const codec::BadRecords& bad) {
  if (!decoder) return;
  int64_t rows = 0;
  while (true) {
    auto batch = (*decoder)->Next();
    if (!batch) return;
    if (!*batch) break;
    Require((*batch)->rows->num_rows() > 0);
    Require((*batch)->rows->schema()->Equals(*codec::DecodedSchema(*(*batch)->schema), false));
    Require((*batch)->rows->ValidateFull().ok());
    rows += (*batch)->rows->num_rows();
  }
  Require((*decoder)->facts().ended);
  Require((*decoder)->facts().records == rows + bad.count());
}

}  // namespace lode::fuzz
