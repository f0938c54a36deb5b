#include "lode/codec/dbn_metadata.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lode/codec/dbn_layout.h"

namespace lode::codec {
namespace {

constexpr size_t kFixedBytes = 100;    // of the body, before the schema definition length
constexpr size_t kSymbolBytesV1 = 22;  // version 2 and 3 say their own width

// Reads forward through the block; every step is checked against what is left.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> rest) : rest_(rest) {}

  template <typename T>
  Result<T> Integer() {
    LODE_TRY(const std::span<const std::byte> bytes, Take(sizeof(T)));
    return LoadLittleEndian<T>(bytes.data());
  }

  Result<std::string> Text(size_t width) {
    LODE_TRY(const std::span<const std::byte> bytes, Take(width));
    return std::string(FixedText(bytes.data(), width));
  }

  // A count of items of at least `item_bytes` each: checked before anything is reserved for them.
  Result<uint32_t> Count(size_t item_bytes, std::string_view what) {
    LODE_TRY(const uint32_t count, Integer<uint32_t>());
    if (count > rest_.size() / item_bytes) {
      return Fail(ErrorKind::kBadInput, "DBN metadata counts {} {} but has only {} bytes left", count, what,
                  rest_.size());
    }
    return count;
  }

  Status Skip(size_t bytes) {
    LODE_TRY(Take(bytes));
    return Ok();
  }

 private:
  Result<std::span<const std::byte>> Take(size_t bytes) {
    if (bytes > rest_.size()) {
      return Fail(ErrorKind::kBadInput, "DBN metadata ends inside a field ({} bytes wanted, {} left)", bytes,
                  rest_.size());
    }
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

  std::span<const std::byte> rest_;
};

Result<std::vector<std::string>> ParseSymbols(Cursor& cursor, size_t width, std::string_view what) {
  LODE_TRY(const uint32_t count, cursor.Count(width, what));
  std::vector<std::string> symbols;
  symbols.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    LODE_TRY(std::string symbol, cursor.Text(width));
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

Result<Day> ParseNumericDay(uint32_t yyyymmdd) {
  const YearMonthDay date{static_cast<int>(yyyymmdd / 10'000), static_cast<int>(yyyymmdd / 100 % 100),
                          static_cast<int>(yyyymmdd % 100)};
  const bool valid = date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
                     date.day <= DaysInMonth(date.year, date.month);
  if (!valid) return Fail(ErrorKind::kBadInput, "DBN metadata has a mapping day {} that is no date", yyyymmdd);
  return ToDay(date);
}

Result<std::vector<DbnMapping>> ParseMappings(Cursor& cursor, size_t width) {
  LODE_TRY(const uint32_t count, cursor.Count(width + 4, "mappings"));
  std::vector<DbnMapping> mappings;
  mappings.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    DbnMapping mapping;
    LODE_TRY(mapping.raw_symbol, cursor.Text(width));
    LODE_TRY(const uint32_t intervals, cursor.Count(width + 8, "mapping intervals"));
    mapping.intervals.reserve(intervals);
    for (uint32_t k = 0; k < intervals; ++k) {
      LODE_TRY(const uint32_t first, cursor.Integer<uint32_t>());
      LODE_TRY(const uint32_t last, cursor.Integer<uint32_t>());
      DbnMapping::Interval interval;
      LODE_TRY(interval.first, ParseNumericDay(first));
      LODE_TRY(interval.last_exclusive, ParseNumericDay(last));
      LODE_TRY(interval.symbol, cursor.Text(width));
      mapping.intervals.push_back(std::move(interval));
    }
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

}  // namespace

std::string_view StypeName(uint8_t stype) {
  static constexpr std::string_view kNames[] = {
      "instrument_id", "raw_symbol", "smart",       "continuous",      "parent", "nasdaq_symbol", "cms_symbol",
      "isin",          "us_code",    "bbg_comp_id", "bbg_comp_ticker", "figi",   "figi_ticker"};
  return stype < std::size(kNames) ? kNames[stype] : std::string_view();
}

Result<DbnPrelude> ParseDbnPrelude(std::span<const std::byte, kDbnPreludeBytes> bytes) {
  if (std::memcmp(bytes.data(), "DBN", 3) != 0) {
    return Fail(ErrorKind::kBadInput,
                "not a DBN stream: it does not begin with 'DBN' (records without metadata are named .dbn.frag)");
  }
  const int version = std::to_integer<int>(bytes[3]);
  if (version < 1 || version > 3) {
    return Fail(ErrorKind::kBadInput, "DBN version {} is not one of 1, 2, 3", version);
  }
  const auto length = LoadLittleEndian<uint32_t>(bytes.data() + 4);
  if (length < kFixedBytes || length > kDbnMetadataLimit) {
    return Fail(ErrorKind::kBadInput, "DBN metadata length {} is outside {}..{}", length, kFixedBytes,
                kDbnMetadataLimit);
  }
  return DbnPrelude{version, length};
}

Result<DbnMetadata> ParseDbnMetadata(int version, std::span<const std::byte> body) {
  Cursor cursor(body);
  DbnMetadata metadata;
  metadata.version = version;
  LODE_TRY(metadata.dataset, cursor.Text(16));
  LODE_TRY(const uint16_t schema, cursor.Integer<uint16_t>());
  if (schema != kDbnMixedSchema) {
    metadata.schema = DbnSchemaName(schema);
    if (metadata.schema.empty()) {
      return Fail(ErrorKind::kBadInput, "DBN metadata names schema number {}, which this lode does not know", schema);
    }
  }
  LODE_TRY(metadata.start_ns, cursor.Integer<uint64_t>());
  LODE_TRY(metadata.end_ns, cursor.Integer<uint64_t>());
  LODE_TRY(metadata.limit, cursor.Integer<uint64_t>());
  if (version == 1) {
    LODE_TRY(metadata.record_count, cursor.Integer<uint64_t>());
  }
  LODE_TRY(metadata.stype_in, cursor.Integer<uint8_t>());
  LODE_TRY(metadata.stype_out, cursor.Integer<uint8_t>());
  LODE_TRY(const uint8_t ts_out, cursor.Integer<uint8_t>());
  metadata.ts_out = ts_out != 0;
  size_t width = kSymbolBytesV1;
  if (version > 1) {
    LODE_TRY(width, cursor.Integer<uint16_t>());
    if (width == 0) return Fail(ErrorKind::kBadInput, "DBN metadata says that symbols have no bytes");
  }
  LODE_TRY(cursor.Skip(version == 1 ? 47 : 53));
  LODE_TRY(const uint32_t definition, cursor.Integer<uint32_t>());
  if (definition != 0)
    return Fail(ErrorKind::kUnsupported, "DBN metadata holds a schema definition, a reserved feature");
  LODE_TRY(metadata.symbols, ParseSymbols(cursor, width, "symbols"));
  LODE_TRY(metadata.partial, ParseSymbols(cursor, width, "partial symbols"));
  LODE_TRY(metadata.not_found, ParseSymbols(cursor, width, "symbols not found"));
  LODE_TRY(metadata.mappings, ParseMappings(cursor, width));
  return metadata;
}

}  // namespace lode::codec
