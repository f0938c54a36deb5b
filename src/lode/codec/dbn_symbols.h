// Instrument ids of one DBN stream to symbols: its metadata's mappings, then what a live capture says on the way.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "lode/base/result.h"
#include "lode/codec/dbn_metadata.h"
#include "lode/codec/string_pool.h"
#include "lode/codec/symbology.h"

namespace lode::codec {

class DbnSymbols {
 public:
  // What Find gives for an instrument whose symbol is no text a lake may hold.
  static constexpr int32_t kBadSymbol = -2;

  explicit DbnSymbols(StringPool& strings) : strings_(strings) {}

  // kBadInput when a mapping's id side is not a number.
  Status AddMappings(const DbnMetadata& metadata);
  // A symbol-mapping record (rtype 0x16): from here on the instrument has this symbol on any day. False when the
  // record is too short.
  Result<bool> AddRecord(std::span<const std::byte> record);

  // Pool id of the symbol, StringPool::kNull when unresolved, or kBadSymbol. Bars come sorted by time, so the
  // instrument changes with every record: a small direct-mapped cache answers nearly all calls.
  int32_t Find(uint32_t instrument_id, Day day) {
    Answer& answer = cache_[(instrument_id * 0x9E3779B1U) >> (32 - kCacheBits)];
    if (answer.instrument_id != instrument_id || answer.day != day) {
      answer = {instrument_id, day, map_.Find(instrument_id, day)};
    }
    return answer.symbol;
  }

 private:
  static constexpr int kCacheBits = 10;
  struct Answer {
    uint32_t instrument_id = 0;
    Day day{std::numeric_limits<int32_t>::min()};
    int32_t symbol = StringPool::kNull;
  };

  Result<int32_t> Intern(std::string_view symbol);

  StringPool& strings_;
  SymbologyMap map_;
  std::array<Answer, size_t{1} << kCacheBits> cache_;
};

}  // namespace lode::codec
