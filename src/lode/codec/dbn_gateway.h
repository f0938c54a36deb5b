// Records of a DBN stream that are not data: what a live gateway says about itself, and record types lode does not
// know. They are counted and logged, never silently dropped.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "lode/base/result.h"
#include "lode/codec/dbn_symbols.h"

namespace lode::codec {

bool IsGatewayRtype(uint8_t rtype);

class DbnGateway {
 public:
  // `tell`: log what is seen.
  explicit DbnGateway(bool tell) : tell_(tell) {}
  // Takes a record of a gateway type: a symbol mapping teaches `symbols`, text of errors and notices is logged.
  // False when the record is too short for what it says it is.
  Result<bool> Take(std::span<const std::byte> record, DbnSymbols& symbols);
  // Counts a record of a type no version of the format has.
  void TakeUnknown(uint8_t rtype) { ++unknown_[rtype]; }
  // Logs the counts, once at the end of the stream.
  void LogSummary() const;

 private:
  bool TakeMessage(std::span<const std::byte> record, bool is_error);

  const bool tell_;
  int64_t mappings_ = 0, heartbeats_ = 0, notices_ = 0, errors_ = 0;
  std::map<uint8_t, int64_t> unknown_;
};

}  // namespace lode::codec
