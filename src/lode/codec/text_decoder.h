// What the decoders of text files have in common: batches until the stream ends or fails, and a failure that stays.
#pragma once

#include <optional>
#include <utility>

#include "lode/codec/decoder.h"

namespace lode::codec {

// Rows collects records: full(), empty(), records(), Take().
template <typename Rows>
class TextDecoder : public Decoder {
 public:
  template <typename... Arguments>
  explicit TextDecoder(const TableSchema& schema, Arguments&&... rows) : rows_(std::forward<Arguments>(rows)...) {
    facts_.schema = schema.name;
  }

  Result<std::optional<DecodedBatch>> Next() final {
    if (failed_) return std::unexpected(*failed_);
    if (Status status = Fill(); !status) {
      failed_ = status.error();
      return std::unexpected(std::move(status).error());
    }
    if (rows_.empty()) return std::nullopt;
    return rows_.Take();
  }

  const StreamFacts& facts() const final { return facts_; }

 protected:
  // Takes the next record, good or bad, into rows_; false at the proper end.
  virtual Result<bool> AddRecord() = 0;

  Rows rows_;
  StreamFacts facts_;

 private:
  Status Fill() {
    while (!facts_.ended && !rows_.full()) {
      LODE_TRY(const bool more, AddRecord());
      facts_.ended = !more;
    }
    facts_.records = rows_.records();
    return Ok();
  }

  std::optional<Error> failed_;
};

}  // namespace lode::codec
