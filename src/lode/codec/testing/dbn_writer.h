// A small DBN writer for tests and generated fixtures: versions 1 to 3, every schema, gateway records, zstd.
//
// Written apart from the decoder (own layout tables, from the vendor's published ones), so that one can test the
// other. Misuse (an unknown field or schema) aborts with a message: it is a bug of the test.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lode::codec::fixture {

inline constexpr int64_t kUndefPrice = std::numeric_limits<int64_t>::max();
inline constexpr uint64_t kUndefTimestamp = std::numeric_limits<uint64_t>::max();
inline constexpr uint32_t kUndefSize = std::numeric_limits<uint32_t>::max();
inline constexpr uint16_t kMixedSchema = 0xFFFF;

// SType numbers of the format.
inline constexpr uint8_t kStypeInstrumentId = 0;
inline constexpr uint8_t kStypeRawSymbol = 1;
inline constexpr uint8_t kStypeContinuous = 3;
inline constexpr uint8_t kStypeParent = 4;
inline constexpr uint8_t kStypeMixed = 0xFF;

// One entry of the metadata's mappings: with stype_out = instrument_id `raw_symbol` is text ("ESH4") and every
// interval's symbol a number ("5482"); with stype_in = instrument_id the other way round.
struct DbnMapping {
  struct Interval {
    uint32_t start;  // yyyymmdd
    uint32_t end;    // yyyymmdd, exclusive
    std::string symbol;
  };
  std::string raw_symbol;
  std::vector<Interval> intervals;
};

struct DbnMetadata {
  int version = 3;
  std::string dataset = "GLBX.MDP3";
  std::string schema = "ohlcv-1m";  // "mixed" is 0xFFFF
  uint64_t start_ns = 0;
  uint64_t end_ns = kUndefTimestamp;
  uint64_t limit = 0;
  uint8_t stype_in = kStypeParent;
  uint8_t stype_out = kStypeInstrumentId;
  bool ts_out = false;
  std::vector<std::string> symbols, partial, not_found;
  std::vector<DbnMapping> mappings;
};

// A field's value: any integer (also a char for one-character fields), or text for character arrays.
class FieldValue {
 public:
  template <std::integral T>
  FieldValue(T value) : bits_(static_cast<uint64_t>(value)) {}  // implicit: field lists read as data
  FieldValue(const char* text) : text_(text), is_text_(true) {}
  FieldValue(std::string text) : text_(std::move(text)), is_text_(true) {}

  uint64_t bits() const { return bits_; }
  const std::string& text() const { return text_; }
  bool is_text() const { return is_text_; }

 private:
  uint64_t bits_ = 0;
  std::string text_;
  bool is_text_ = false;
};

struct Field {
  std::string name;  // as in databento's documentation: "price", "bid_px_00", "raw_symbol", "ts_event", "ts_out"
  FieldValue value;
};

struct Bar {
  uint64_t ts_event_ns;
  int64_t open, high, low, close;  // 1e-9
  uint64_t volume;
};

class DbnWriter {
 public:
  // Begins with the metadata.
  explicit DbnWriter(DbnMetadata metadata);
  // Records only (`.dbn.frag`).
  static DbnWriter Fragment(int version, bool ts_out = false);

  // A record of a schema ("trades", "ohlcv-1d", "definition", …) in this stream's version. Fields not given are zero;
  // "rtype" may be given to write another record type with this layout.
  DbnWriter& Add(std::string_view schema, const std::vector<Field>& fields);
  // The same for a bar, fast enough for millions.
  DbnWriter& AddBar(std::string_view schema, uint16_t publisher_id, uint32_t instrument_id, const Bar& bar);
  // Gateway records of live captures: "symbol-mapping", "system", "error" have layouts too; these are short forms.
  DbnWriter& AddSymbolMapping(uint32_t instrument_id, std::string_view text_in, std::string_view text_out,
                              uint64_t ts_event_ns, uint64_t start_ns = 0, uint64_t end_ns = kUndefTimestamp);
  DbnWriter& AddSystem(std::string_view text, uint64_t ts_event_ns);
  DbnWriter& AddError(std::string_view text, uint64_t ts_event_ns);
  // Any bytes, for damaged streams.
  DbnWriter& AddRaw(std::string_view bytes);

  const std::string& bytes() const { return bytes_; }
  // Offsets in bytes() where a record begins; records written by AddRaw are not in it.
  const std::vector<size_t>& record_offsets() const { return record_offsets_; }
  size_t metadata_size() const { return metadata_size_; }

 private:
  DbnWriter() = default;

  int version_ = 3;
  bool ts_out_ = false;
  size_t metadata_size_ = 0;
  std::string bytes_;
  std::vector<size_t> record_offsets_;
};

// Field names of a schema's record in a version, in layout order, without the header and ts_out; with the numpy type
// letter of each: B H I Q b h i q integers, c one character, s text array (width in `size`).
struct FieldLayout {
  std::string name;
  char type;
  size_t offset;
  size_t size;
};
std::vector<FieldLayout> LayoutOf(std::string_view schema, int version);
// Schemas Add() knows, gateway records excluded.
std::vector<std::string> WritableSchemas();

struct ZstdShape {
  int level = 3;
  size_t frame_bytes = 0;  // input bytes a frame; 0: one frame
  bool skippable = false;  // a skippable frame before, between and after the frames
  bool checksum = true;
};
std::string CompressZstd(std::string_view bytes, const ZstdShape& shape = {});

}  // namespace lode::codec::fixture
