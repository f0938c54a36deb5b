#include "lode/codec/dbn_symbols.h"

#include "lode/codec/dbn_layout.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

Result<uint32_t> ParseInstrumentId(std::string_view text) {
  uint64_t id = 0;
  if (!ParseDigits(text, id) || id > std::numeric_limits<uint32_t>::max()) {
    return Fail(ErrorKind::kBadInput, "DBN metadata maps to '{}', which is no instrument id", Excerpt(text));
  }
  return static_cast<uint32_t>(id);
}

constexpr Day kFirstDay{std::numeric_limits<int32_t>::min() + 1};
constexpr Day kLastDay{std::numeric_limits<int32_t>::max()};

}  // namespace

Result<int32_t> DbnSymbols::Intern(std::string_view symbol) {
  if (symbol.empty()) return StringPool::kNull;
  if (CheckText(symbol) != nullptr) return kBadSymbol;
  return strings_.Intern(symbol);
}

Status DbnSymbols::AddMappings(const DbnMetadata& metadata) {
  // As the vendor's own reader: ids on the output side unless only the input side can have them.
  const bool forward = metadata.stype_out == DbnMetadata::kStypeInstrumentId;
  if (!forward && metadata.stype_in != DbnMetadata::kStypeInstrumentId) return Ok();
  for (const DbnMapping& mapping : metadata.mappings) {
    uint32_t id = 0;
    int32_t symbol = StringPool::kNull;
    if (forward) {
      LODE_TRY(symbol, Intern(mapping.raw_symbol));
    } else {
      LODE_TRY(id, ParseInstrumentId(mapping.raw_symbol));
    }
    for (const DbnMapping::Interval& interval : mapping.intervals) {
      if (interval.symbol.empty()) continue;  // unresolved in this interval
      if (forward) {
        LODE_TRY(id, ParseInstrumentId(interval.symbol));
      } else {
        LODE_TRY(symbol, Intern(interval.symbol));
      }
      map_.Add(id, interval.first, interval.last_exclusive, symbol);
    }
  }
  return Ok();
}

Result<bool> DbnSymbols::AddRecord(std::span<const std::byte> record) {
  // Version 1 has 22-byte symbols at 16 and 38, later versions 71-byte ones at 17 and 89.
  const bool wide = record.size() >= 176;
  if (record.size() < 80) return false;
  const auto id = LoadLittleEndian<uint32_t>(record.data() + 4);
  const std::string_view in = FixedText(record.data() + (wide ? 17 : 16), wide ? 71 : 22);
  std::string_view text = FixedText(record.data() + (wide ? 89 : 38), wide ? 71 : 22);
  // The output side is the text, unless the subscription asked for ids.
  if (text == std::to_string(id)) text = in;
  LODE_TRY(const int32_t symbol, Intern(text));
  map_.Add(id, kFirstDay, kLastDay, symbol);
  cache_.fill({});
  return true;
}

}  // namespace lode::codec
