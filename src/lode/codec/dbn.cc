#include "lode/codec/dbn.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "lode/base/log.h"
#include "lode/codec/dbn_gateway.h"
#include "lode/codec/dbn_layout.h"
#include "lode/codec/dbn_metadata.h"
#include "lode/codec/dbn_symbols.h"
#include "lode/codec/dbn_table.h"

namespace lode::codec {
namespace {

// Decompressed bytes held at once: large enough that a read costs nothing beside decoding, small enough for the
// second-level cache.
constexpr size_t kChunkBytes = size_t{256} << 10;

// The decompressed stream with a window that always begins at a record.
class RecordWindow {
 public:
  explicit RecordWindow(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)), buffer_(kChunkBytes + kDbnMaxRecordBytes) {}

  std::span<const std::byte> bytes() const { return std::span(buffer_).subspan(begin_, end_ - begin_); }
  int64_t offset() const { return offset_; }
  bool ended() const { return ended_; }
  void Consume(size_t count) {
    begin_ += count;
    offset_ += static_cast<int64_t>(count);
  }

  // Reads until at least `count` bytes are there (at most kDbnMaxRecordBytes more than a chunk) or the end came.
  Status Fill(size_t count) {
    while (end_ - begin_ < count && !ended_) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
      LODE_TRY(const size_t got, source_->Read(std::span(buffer_).subspan(end_)));
      end_ += got;
      ended_ = got == 0;
    }
    return Ok();
  }

  // Copies `count` bytes out, which may be far more than the window holds. False when the stream ends before.
  Result<bool> Extract(size_t count, std::vector<std::byte>& out) {
    while (out.size() < count) {
      LODE_TRY(Fill(1));
      const std::span<const std::byte> part = bytes().first(std::min(bytes().size(), count - out.size()));
      if (part.empty()) return false;
      out.insert(out.end(), part.begin(), part.end());
      Consume(part.size());
    }
    return true;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0, end_ = 0;
  int64_t offset_ = 0;
  bool ended_ = false;
};

std::optional<int64_t> ToInstant(uint64_t ns) {
  if (ns > uint64_t{std::numeric_limits<int64_t>::max()}) return std::nullopt;
  return static_cast<int64_t>(ns);
}

class DbnDecoder final : public Decoder {
 public:
  DbnDecoder(std::unique_ptr<ByteSource> source, DbnOptions options, DecodeContext context)
      : window_(std::move(source)),
        options_(std::move(options)),
        batch_rows_(context.batch_rows),
        symbols_(*context.strings),
        gateway_(context.gateway_notices),
        stream_{*context.strings, *context.bad_records, symbols_} {}

  Status Open();
  Result<std::optional<DecodedBatch>> Next() override;
  const StreamFacts& facts() const override { return facts_; }

 private:
  Status ReadMetadata();
  Status OpenFragment();
  Result<bool> HaveRecord();
  Result<DbnTable*> TakeRun();
  Status TakeOther(std::span<const std::byte> record);
  DbnTable* FindTable(uint8_t rtype, size_t bytes);
  DbnTable* MakeTable(uint8_t rtype, size_t bytes);
  DbnTable* AddTable(const RecordLayout& layout, uint8_t rtype, size_t bytes);
  bool Fits(const RecordLayout& layout, uint8_t rtype, size_t bytes) const;
  Status CheckEnd() const;

  // A record type of the stream and the table that takes it (deprecated bars share one with their schema's type).
  struct Route {
    uint8_t rtype;
    size_t bytes;
    DbnTable* table;
  };

  RecordWindow window_;
  DbnOptions options_;
  int64_t batch_rows_;
  DbnMetadata metadata_;
  bool fragment_ = false;
  const TableSchema* schema_ = nullptr;  // nullptr: mixed
  StreamFacts facts_;
  DbnSymbols symbols_;
  DbnGateway gateway_;
  DbnStream stream_;
  std::vector<std::unique_ptr<DbnTable>> tables_;  // in order of first appearance
  std::vector<Route> routes_;
  size_t flushed_ = 0;  // tables whose last rows were given out
};

Status DbnDecoder::Open() {
  LODE_TRY(window_.Fill(kChunkBytes));
  const std::span<const std::byte> head = window_.bytes();
  if (head.empty()) return Fail(ErrorKind::kBadInput, "DBN stream is empty");
  const bool has_metadata = head.size() >= 3 && std::memcmp(head.data(), "DBN", 3) == 0;
  if (has_metadata || !options_.fragment) {
    LODE_TRY(ReadMetadata());
    LODE_TRY(symbols_.AddMappings(metadata_));
    metadata_.mappings = {};
    return Ok();
  }
  return OpenFragment();
}

Status DbnDecoder::ReadMetadata() {
  const std::span<const std::byte> head = window_.bytes();
  if (LooksLikeDbz(head)) return std::unexpected(LegacyDbzError());
  if (head.size() < kDbnPreludeBytes) return Fail(ErrorKind::kBadInput, "DBN stream is cut short in its metadata");
  LODE_TRY(const DbnPrelude prelude, ParseDbnPrelude(head.first<kDbnPreludeBytes>()));
  window_.Consume(kDbnPreludeBytes);
  std::vector<std::byte> body;
  LODE_TRY(const bool complete, window_.Extract(prelude.length, body));
  if (!complete) {
    return Fail(ErrorKind::kBadInput, "DBN stream is cut short in its metadata ({} of {} bytes)", body.size(),
                prelude.length);
  }
  LODE_TRY(metadata_, ParseDbnMetadata(prelude.version, body));
  if (!metadata_.schema.empty()) schema_ = FindDatabentoSchema(metadata_.schema);
  facts_.dataset = metadata_.dataset;
  facts_.schema = metadata_.schema;
  facts_.stype_in = StypeName(metadata_.stype_in);
  facts_.symbols = std::move(metadata_.symbols);
  facts_.not_found = std::move(metadata_.not_found);
  facts_.start_ns = ToInstant(metadata_.start_ns);
  facts_.end_ns = ToInstant(metadata_.end_ns);
  facts_.limit = metadata_.limit;
  return Ok();
}

Status DbnDecoder::OpenFragment() {
  fragment_ = true;
  if (options_.schema_hint.empty()) return Ok();
  schema_ = FindDatabentoSchema(options_.schema_hint);
  if (schema_ == nullptr) {
    return Fail(ErrorKind::kBadInput, "'{}' is no Databento schema (wanted for a fragment)", options_.schema_hint);
  }
  facts_.schema = schema_->name;
  return Ok();
}

// Whether a whole record is in the window; false at the proper end.
Result<bool> DbnDecoder::HaveRecord() {
  LODE_TRY(window_.Fill(1));
  if (window_.bytes().empty()) return false;
  const size_t size = size_t{4} * std::to_integer<size_t>(window_.bytes()[0]);
  if (size < kDbnHeaderBytes) {
    return Fail(ErrorKind::kBadInput, "DBN record at byte {} says it is {} bytes long, less than its header",
                window_.offset(), size);
  }
  LODE_TRY(window_.Fill(size));
  if (window_.bytes().size() < size) {
    return Fail(ErrorKind::kBadInput, "DBN stream is cut short inside the record at byte {} ({} of {} bytes)",
                window_.offset(), window_.bytes().size(), size);
  }
  return true;
}

// Whether a record of this type and size is one of the layout, in this stream.
bool DbnDecoder::Fits(const RecordLayout& layout, uint8_t rtype, size_t bytes) const {
  if (schema_ != nullptr && layout.schema != schema_) return false;
  const bool deprecated_bar = rtype == kRtypeOhlcvDeprecated && layout.bars && schema_ != nullptr;
  if (layout.rtype != rtype && !deprecated_bar) return false;
  // A fragment does not say its version or whether it has ts_out: the sizes of all layouts differ by more.
  if (fragment_) return bytes == layout.size || bytes == layout.size + kDbnTsOutBytes;
  return layout.first_version <= metadata_.version && metadata_.version <= layout.last_version &&
         bytes == layout.size + (metadata_.ts_out ? kDbnTsOutBytes : 0);
}

DbnTable* DbnDecoder::MakeTable(uint8_t rtype, size_t bytes) {
  const RecordLayout* fitting = nullptr;
  for (const RecordLayout& layout : RecordLayouts()) {
    if (!Fits(layout, rtype, bytes)) continue;
    // In a mixed stream two schemas may share a record type; the hint, else the type's own schema decides.
    if (layout.schema->name == options_.schema_hint) return AddTable(layout, rtype, bytes);
    if (layout.schema == schema_ || layout.schema == SchemaOfRtype(rtype)) fitting = &layout;
  }
  return fitting == nullptr ? nullptr : AddTable(*fitting, rtype, bytes);
}

DbnTable* DbnDecoder::AddTable(const RecordLayout& layout, uint8_t rtype, size_t bytes) {
  const auto make = layout.bars ? MakeBarTable : MakeEventTable;
  for (const std::unique_ptr<DbnTable>& table : tables_) {
    if (&table->layout() != &layout || table->record_bytes() != bytes) continue;
    return routes_.emplace_back(rtype, bytes, table.get()).table;
  }
  tables_.push_back(make(layout, bytes, batch_rows_, stream_));
  // A fragment that turns out to hold one schema says so; a second one makes it mixed.
  if (fragment_ && schema_ == nullptr) facts_.schema = tables_.size() == 1 ? layout.schema->name : "";
  return routes_.emplace_back(rtype, bytes, tables_.back().get()).table;
}

DbnTable* DbnDecoder::FindTable(uint8_t rtype, size_t bytes) {
  for (const Route& route : routes_) {
    if (route.rtype == rtype && route.bytes == bytes) return route.table;
  }
  return MakeTable(rtype, bytes);
}

// Takes the record at the window's start and those behind it that go the same way. The table, nullptr when none.
Result<DbnTable*> DbnDecoder::TakeRun() {
  const std::span<const std::byte> bytes = window_.bytes();
  const auto rtype = std::to_integer<uint8_t>(bytes[1]);
  const size_t size = size_t{4} * std::to_integer<size_t>(bytes[0]);
  DbnTable* table = FindTable(rtype, size);
  if (table == nullptr) {
    LODE_TRY(TakeOther(bytes.first(size)));
    window_.Consume(size);
    return nullptr;
  }
  const int64_t to_come =
      window_.ended() ? static_cast<int64_t>(bytes.size() / size) : std::numeric_limits<int64_t>::max();
  LODE_TRY(const int64_t taken, table->Append({bytes, window_.offset(), facts_.records, to_come}));
  facts_.records += taken;
  window_.Consume(static_cast<size_t>(taken) * size);
  return table;
}

// A record no table takes: the gateway's, one that contradicts the stream, or one of a type no version knows. The
// last is bad where the stream promises one schema, and drift (skipped, counted) where it promises nothing.
Status DbnDecoder::TakeOther(std::span<const std::byte> record) {
  const auto rtype = std::to_integer<uint8_t>(record[1]);
  std::string reason;
  if (IsGatewayRtype(rtype)) {
    LODE_TRY(const bool known, gateway_.Take(record, symbols_));
    if (known) return Ok();
    reason = fmt::format("gateway record of type 0x{:02X} has only {} bytes", rtype, record.size());
  } else if (schema_ != nullptr) {
    reason =
        fmt::format("record type 0x{:02X} of {} bytes is not one of schema {}", rtype, record.size(), schema_->name);
  } else if (SchemaOfRtype(rtype) != nullptr) {
    reason = fmt::format("record of type 0x{:02X} has {} bytes, which no layout of it has", rtype, record.size());
  } else if (rtype == kRtypeOhlcvDeprecated) {
    reason = "record type 0x11 (bars of any width) in a stream that does not say its schema";
  } else {
    gateway_.TakeUnknown(rtype);
    return Ok();
  }
  stream_.bad_records.Add({facts_.records, window_.offset(), std::move(reason),
                           std::string(reinterpret_cast<const char*>(record.data()), record.size())});
  ++facts_.records;
  return Ok();
}

// A raw stream cut between two records looks whole, unless its metadata counts them (version 1 sometimes does).
Status DbnDecoder::CheckEnd() const {
  const bool counted = metadata_.record_count != DbnMetadata::kUndefined && schema_ != nullptr;
  if (counted && static_cast<uint64_t>(facts_.records) < metadata_.record_count) {
    return Fail(ErrorKind::kBadInput, "DBN stream ends after {} of the {} records its metadata counts", facts_.records,
                metadata_.record_count);
  }
  return Ok();
}

Result<std::optional<DecodedBatch>> DbnDecoder::Next() {
  while (!facts_.ended) {
    LODE_TRY(const bool more, HaveRecord());
    if (!more) {
      LODE_TRY(CheckEnd());
      gateway_.LogSummary();
      facts_.ended = true;
      break;
    }
    LODE_TRY(DbnTable* const table, TakeRun());
    if (table != nullptr && table->full()) return table->Take();
  }
  for (; flushed_ < tables_.size(); ++flushed_) {
    if (tables_[flushed_]->rows() > 0) return tables_[flushed_]->Take();
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Decoder>> OpenDbn(std::unique_ptr<ByteSource> bytes, DbnOptions options, DecodeContext context) {
  auto decoder = std::make_unique<DbnDecoder>(std::move(bytes), std::move(options), context);
  LODE_TRY(decoder->Open());
  return decoder;
}

}  // namespace lode::codec
