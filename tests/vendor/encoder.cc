#include "encoder.h"

#include <zstd.h>

#include <algorithm>
#include <optional>

#include "lode/codec/testing/dbn_writer.h"
#include "text_encoding.h"

namespace lode::vendor {
namespace {

namespace dbn = codec::fixture;

constexpr size_t kFrameBytes = size_t{1} << 20, kPieceBytes = size_t{256} << 10;

uint32_t DateNumber(Day day) {
  const YearMonthDay date = ToYearMonthDay(day);
  return static_cast<uint32_t>(date.year * 10'000 + date.month * 100 + date.day);
}

uint8_t StypeNumber(std::string_view name) {
  return name == "instrument_id" ? dbn::kStypeInstrumentId
         : name == "raw_symbol"  ? dbn::kStypeRawSymbol
         : name == "continuous"  ? dbn::kStypeContinuous
                                 : dbn::kStypeParent;
}

}  // namespace

struct ZstdSink::State {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string out = std::string(ZSTD_CStreamOutSize(), '\0');
  size_t in_frame = 0;
  bool any = false;
};

ZstdSink::ZstdSink(BodySink& to) : state_(std::make_unique<State>()), to_(to) {
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_checksumFlag, 1);
}

ZstdSink::~ZstdSink() { ZSTD_freeCCtx(state_->context); }

bool ZstdSink::Write(std::string_view bytes) {
  state_->in_frame += bytes.size();
  const bool end = state_->in_frame >= kFrameBytes;
  if (end) state_->in_frame = 0;
  return Pass(bytes, end);
}

bool ZstdSink::Finish() { return (state_->in_frame == 0 && state_->any) || Pass("", true); }

bool ZstdSink::Pass(std::string_view bytes, bool end_frame) {
  state_->any = true;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t left;
  do {
    ZSTD_outBuffer out{state_->out.data(), state_->out.size(), 0};
    left = ZSTD_compressStream2(state_->context, &out, &in, end_frame ? ZSTD_e_end : ZSTD_e_continue);
    if (out.pos > 0 && !to_.Write(std::string_view(state_->out.data(), out.pos))) return false;
  } while (in.pos < in.size || (end_frame && left > 0));
  return true;
}

std::string DbnHeader(const Archive& archive, const Selection& selection, int64_t start_ns, int64_t end_ns) {
  const Query& query = selection.query;
  dbn::DbnMetadata metadata;
  metadata.version = archive.options().dbn_version;
  const size_t width = metadata.version == 1 ? 21 : 70;
  const auto fit = [&](const std::vector<std::string>& texts) {
    std::vector<std::string> cut;
    for (const std::string& text : texts) cut.push_back(text.substr(0, width));
    return cut;
  };
  metadata.dataset = query.dataset;
  metadata.schema = query.schema;
  metadata.start_ns = static_cast<uint64_t>(start_ns);
  metadata.end_ns = static_cast<uint64_t>(end_ns);
  metadata.limit = query.limit;
  metadata.stype_in = StypeNumber(query.stype_in);
  metadata.stype_out = StypeNumber(query.stype_out);
  metadata.symbols = fit(query.symbols);
  metadata.partial = fit(selection.resolution.partial);
  metadata.not_found = fit(selection.resolution.not_found);
  if (query.symbols.size() == 1 && query.symbols[0] == kAllSymbols) {  // then the vendor maps nothing
    metadata.partial.clear();
  } else {
    for (const auto& [symbol, intervals] : selection.resolution.mappings) {
      dbn::DbnMapping mapping{symbol.substr(0, width), {}};
      for (const SymbolInterval& interval : intervals) {
        mapping.intervals.push_back({DateNumber(interval.d0), DateNumber(interval.d1), interval.s});
      }
      metadata.mappings.push_back(std::move(mapping));
    }
  }
  return dbn::DbnWriter(std::move(metadata)).bytes();
}

uint64_t EncodeRecords(const Archive& archive, const Selection& selection, Day from, Day to, BodySink& sink,
                       bool always_header) {
  const Query& query = selection.query;
  std::optional<ZstdSink> compressed;
  if (query.compression == "zstd") compressed.emplace(sink);
  BodySink& out = compressed ? static_cast<BodySink&>(*compressed) : sink;
  std::optional<TextEncoding> text;
  if (query.encoding != "dbn") {
    text.emplace(query.schema, archive.options().dbn_version, query.encoding == "csv", query.pretty_px, query.pretty_ts,
                 query.map_symbols);
  }
  const size_t size = archive.record_size(query.schema);
  std::string piece;
  bool begun = false;
  const auto begin = [&] {
    begun = true;
    piece = text ? text->Header()
                 : DbnHeader(archive, selection, std::max(query.start_ns, from.start_ns()),
                             std::min(query.end_ns, to.start_ns()));
  };
  if (always_header) begin();
  uint64_t count = 0;
  bool open = true;
  archive.ForEachDay(selection, from, to, [&](const SelectedDay& day) {
    if (!begun) begin();
    for (const RecordPlace& place : day.places) {
      const std::string_view record = std::string_view(day.records.bytes).substr(place.offset, size);
      if (text) {
        const bool own = query.stype_in == "instrument_id";
        text->Append(piece, record,
                     own ? selection.dataset->universe.at(place.contract).symbol
                         : selection.resolution.mappings[day.labels.at(place.contract)].first);
      } else {
        piece += record;
      }
      ++count;
      if (piece.size() >= kPieceBytes) {
        open = out.Write(piece);
        piece.clear();
        if (!open) return false;
      }
    }
    return true;
  });
  if (open && !piece.empty()) open = out.Write(piece);
  if (open && compressed && begun) compressed->Finish();
  return count;
}

}  // namespace lode::vendor
