// The metadata block at the start of a DBN stream. Format: databento's DBN versions 1 to 3, all integers little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode::codec {

// "DBN", version, and the length of what follows.
inline constexpr size_t kDbnPreludeBytes = 8;
// The largest block lode reads: a parent symbol over 15 years has some 20 MB. Larger is damage or an attack.
inline constexpr uint32_t kDbnMetadataLimit = uint32_t{256} << 20;

struct DbnPrelude {
  int version = 0;
  uint32_t length = 0;  // of the rest of the block
};

struct DbnMapping {
  struct Interval {
    Day first, last_exclusive;
    std::string symbol;
  };
  std::string raw_symbol;  // input side as resolved: text when stype_out is instrument_id, else the id
  std::vector<Interval> intervals;
};

struct DbnMetadata {
  static constexpr uint64_t kUndefined = ~uint64_t{0};
  static constexpr uint8_t kStypeInstrumentId = 0;

  int version = 0;
  std::string dataset;
  std::string schema;  // empty: mixed (live capture)
  uint64_t start_ns = 0;
  uint64_t end_ns = kUndefined;        // exclusive
  uint64_t limit = 0;                  // 0: none
  uint64_t record_count = kUndefined;  // version 1 only, seldom set
  uint8_t stype_in = 0, stype_out = 0;
  bool ts_out = false;  // every record has a u64 send time appended
  std::vector<std::string> symbols, partial, not_found;
  std::vector<DbnMapping> mappings;
};

// "parent", "raw_symbol", …; empty when mixed or unknown.
std::string_view StypeName(uint8_t stype);

// kBadInput: wrong magic (names what the bytes look like), a version other than 1 to 3, a length below 100 or above
// the limit.
Result<DbnPrelude> ParseDbnPrelude(std::span<const std::byte, kDbnPreludeBytes> bytes);
// `body` is the rest of the block. kBadInput when a count overruns it, a day is no day or the schema is unknown.
Result<DbnMetadata> ParseDbnMetadata(int version, std::span<const std::byte> body);

}  // namespace lode::codec
