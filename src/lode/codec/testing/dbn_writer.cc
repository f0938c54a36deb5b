#include "lode/codec/testing/dbn_writer.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "lode/codec/testing/dbn_writer_layouts.h"

namespace lode::codec::fixture {
namespace {

template <typename... Args>
[[noreturn]] void Misuse(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(stderr, "dbn_writer: {}\n", fmt::format(format, std::forward<Args>(args)...));
  std::abort();
}

void PutInteger(std::string& bytes, size_t offset, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<char>(value >> (8 * i));
}

void AppendInteger(std::string& bytes, uint64_t value, size_t size) {
  bytes.resize(bytes.size() + size);
  PutInteger(bytes, bytes.size() - size, value, size);
}

void AppendText(std::string& bytes, std::string_view text, size_t width) {
  if (text.size() > width) Misuse("'{}' is longer than {} bytes", text, width);
  bytes += text;
  bytes.append(width - text.size(), '\0');
}

size_t SizeOf(char type) {
  switch (type) {
    case 'B':
    case 'b':
    case 'c': return 1;
    case 'H':
    case 'h': return 2;
    case 'I':
    case 'i': return 4;
    case 'Q':
    case 'q': return 8;
    default: Misuse("field type '{}'", type);
  }
}

size_t ParseSize(std::string_view digits) {
  size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::vector<FieldLayout> ParseFields(std::string_view text) {
  std::vector<FieldLayout> fields;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const size_t at = word.find('@'), colon = word.find(':');
    const char type = word[colon + 1];
    const size_t size = type == 's' ? ParseSize(word.substr(colon + 2)) : SizeOf(type);
    fields.push_back({std::string(word.substr(0, at)), type, ParseSize(word.substr(at + 1, colon - at - 1)), size});
  }
  return fields;
}

const std::map<std::string, FieldLayout>& FieldsByName(const RecordLayout& layout) {
  static std::map<const RecordLayout*, std::map<std::string, FieldLayout>> cache;
  auto& fields = cache[&layout];
  if (fields.empty()) {
    for (FieldLayout& field : ParseFields(layout.fields)) fields.emplace(field.name, field);
    fields["rtype"] = {"rtype", 'B', 1, 1};
    fields["publisher_id"] = {"publisher_id", 'H', 2, 2};
    fields["instrument_id"] = {"instrument_id", 'I', 4, 4};
    fields["ts_event"] = {"ts_event", 'Q', 8, 8};
    fields["ts_out"] = {"ts_out", 'Q', layout.size, 8};
  }
  return fields;
}

const RecordLayout& LayoutOrAbort(std::string_view schema, int version) {
  const RecordLayout* layout = FindLayout(schema, version);
  if (layout == nullptr) Misuse("no schema '{}' in DBN {}", schema, version);
  return *layout;
}

uint16_t SchemaNumber(std::string_view schema) {
  static constexpr std::string_view kNames[] = {"mbo",        "mbp-1",    "mbp-10",    "tbbo",      "trades",
                                                "ohlcv-1s",   "ohlcv-1m", "ohlcv-1h",  "ohlcv-1d",  "definition",
                                                "statistics", "status",   "imbalance", "ohlcv-eod", "cmbp-1",
                                                "cbbo-1s",    "cbbo-1m",  "tcbbo",     "bbo-1s",    "bbo-1m"};
  if (schema == "mixed") return kMixedSchema;
  const auto found = std::find(std::begin(kNames), std::end(kNames), schema);
  if (found == std::end(kNames)) Misuse("no schema '{}'", schema);
  return static_cast<uint16_t>(found - std::begin(kNames));
}

void AppendSymbols(std::string& bytes, const std::vector<std::string>& symbols, size_t width) {
  AppendInteger(bytes, symbols.size(), 4);
  for (const std::string& symbol : symbols) AppendText(bytes, symbol, width);
}

std::string EncodeMetadata(const DbnMetadata& metadata) {
  const size_t width = metadata.version == 1 ? 22 : 71;
  std::string body;
  AppendText(body, metadata.dataset, 16);
  AppendInteger(body, SchemaNumber(metadata.schema), 2);
  AppendInteger(body, metadata.start_ns, 8);
  AppendInteger(body, metadata.end_ns, 8);
  AppendInteger(body, metadata.limit, 8);
  if (metadata.version == 1) AppendInteger(body, ~uint64_t{0}, 8);  // record count, deprecated
  AppendInteger(body, metadata.stype_in, 1);
  AppendInteger(body, metadata.stype_out, 1);
  AppendInteger(body, metadata.ts_out ? 1 : 0, 1);
  if (metadata.version > 1) AppendInteger(body, width, 2);
  body.append(metadata.version == 1 ? 47 : 53, '\0');
  AppendInteger(body, 0, 4);  // no schema definition
  AppendSymbols(body, metadata.symbols, width);
  AppendSymbols(body, metadata.partial, width);
  AppendSymbols(body, metadata.not_found, width);
  AppendInteger(body, metadata.mappings.size(), 4);
  for (const DbnMapping& mapping : metadata.mappings) {
    AppendText(body, mapping.raw_symbol, width);
    AppendInteger(body, mapping.intervals.size(), 4);
    for (const DbnMapping::Interval& interval : mapping.intervals) {
      AppendInteger(body, interval.start, 4);
      AppendInteger(body, interval.end, 4);
      AppendText(body, interval.symbol, width);
    }
  }
  if (metadata.version == 3) body.append((8 - body.size() % 8) % 8, '\0');
  std::string bytes = "DBN";
  AppendInteger(bytes, static_cast<uint64_t>(metadata.version), 1);
  AppendInteger(bytes, body.size(), 4);
  return bytes + body;
}

void AppendSkippable(std::string& out, uint32_t number) {
  AppendInteger(out, 0x184D2A50U + number % 16, 4);
  AppendInteger(out, 5, 4);
  out += "extra";
}

}  // namespace

DbnWriter::DbnWriter(DbnMetadata metadata)
    : version_(metadata.version), ts_out_(metadata.ts_out), bytes_(EncodeMetadata(metadata)) {
  metadata_size_ = bytes_.size();
}

DbnWriter DbnWriter::Fragment(int version, bool ts_out) {
  DbnWriter writer;
  writer.version_ = version;
  writer.ts_out_ = ts_out;
  return writer;
}

DbnWriter& DbnWriter::Add(std::string_view schema, const std::vector<Field>& fields) {
  const RecordLayout& layout = LayoutOrAbort(schema, version_);
  std::string record(layout.size + (ts_out_ ? 8 : 0), '\0');
  record[0] = static_cast<char>(record.size() / 4);
  record[1] = static_cast<char>(layout.rtype);
  const auto& by_name = FieldsByName(layout);
  for (const Field& field : fields) {
    const auto found = by_name.find(field.name);
    if (found == by_name.end()) Misuse("no field '{}' in {} of DBN {}", field.name, schema, version_);
    const FieldLayout& place = found->second;
    if (place.offset + place.size > record.size()) Misuse("'{}' needs ts_out in the stream", field.name);
    if (!field.value.is_text()) {
      if (place.type == 's') Misuse("'{}' is text", field.name);
      PutInteger(record, place.offset, field.value.bits(), place.size);
      continue;
    }
    if ((place.type != 's' && place.type != 'c') || field.value.text().size() > place.size) {
      Misuse("'{}' does not fit field '{}'", field.value.text(), field.name);
    }
    std::memcpy(record.data() + place.offset, field.value.text().data(), field.value.text().size());
  }
  record_offsets_.push_back(bytes_.size());
  bytes_ += record;
  return *this;
}

DbnWriter& DbnWriter::AddBar(std::string_view schema, uint16_t publisher_id, uint32_t instrument_id, const Bar& bar) {
  const RecordLayout& layout = LayoutOrAbort(schema, version_);
  char record[64] = {};
  const size_t size = layout.size + (ts_out_ ? 8 : 0);
  record[0] = static_cast<char>(size / 4);
  record[1] = static_cast<char>(layout.rtype);
  const int64_t prices[] = {bar.open, bar.high, bar.low, bar.close};
  std::memcpy(record + 2, &publisher_id, 2);
  std::memcpy(record + 4, &instrument_id, 4);
  std::memcpy(record + 8, &bar.ts_event_ns, 8);
  std::memcpy(record + 16, prices, 32);
  std::memcpy(record + 48, &bar.volume, 8);
  record_offsets_.push_back(bytes_.size());
  bytes_.append(record, size);
  return *this;
}

DbnWriter& DbnWriter::AddSymbolMapping(uint32_t instrument_id, std::string_view text_in, std::string_view text_out,
                                       uint64_t ts_event_ns, uint64_t start_ns, uint64_t end_ns) {
  return Add("symbol-mapping", {{"instrument_id", instrument_id},
                                {"ts_event", ts_event_ns},
                                {"stype_in_symbol", std::string(text_in)},
                                {"stype_out_symbol", std::string(text_out)},
                                {"start_ts", start_ns},
                                {"end_ts", end_ns}});
}

DbnWriter& DbnWriter::AddSystem(std::string_view text, uint64_t ts_event_ns) {
  return Add("system", {{"ts_event", ts_event_ns}, {"msg", std::string(text)}});
}

DbnWriter& DbnWriter::AddError(std::string_view text, uint64_t ts_event_ns) {
  return Add("error", {{"ts_event", ts_event_ns}, {"err", std::string(text)}});
}

DbnWriter& DbnWriter::AddRaw(std::string_view bytes) {
  bytes_ += bytes;
  return *this;
}

std::vector<FieldLayout> LayoutOf(std::string_view schema, int version) {
  return ParseFields(LayoutOrAbort(schema, version).fields);
}

std::vector<std::string> WritableSchemas() {
  std::vector<std::string> schemas;
  for (const RecordLayout& layout : AllLayouts()) {
    const bool gateway = layout.rtype >= 0x15 && layout.rtype <= 0x17;
    if (!gateway && std::find(schemas.begin(), schemas.end(), layout.schema) == schemas.end()) {
      schemas.emplace_back(layout.schema);
    }
  }
  return schemas;
}

std::string CompressZstd(std::string_view bytes, const ZstdShape& shape) {
  std::string out;
  uint32_t frames = 0;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, shape.level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, shape.checksum ? 1 : 0);
  do {
    if (shape.skippable) AppendSkippable(out, frames);
    const std::string_view part = bytes.substr(0, shape.frame_bytes == 0 ? bytes.size() : shape.frame_bytes);
    bytes.remove_prefix(part.size());
    std::string frame(ZSTD_compressBound(part.size()), '\0');
    const size_t size = ZSTD_compress2(context, frame.data(), frame.size(), part.data(), part.size());
    if (ZSTD_isError(size)) Misuse("zstd: {}", ZSTD_getErrorName(size));
    out.append(frame, 0, size);
    ++frames;
  } while (!bytes.empty());
  ZSTD_freeCCtx(context);
  if (shape.skippable) AppendSkippable(out, frames);
  return out;
}

}  // namespace lode::codec::fixture
