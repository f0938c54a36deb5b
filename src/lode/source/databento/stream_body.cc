#include "lode/source/databento/stream_body.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

namespace lode::source::databento {
namespace {

constexpr std::string_view kMagic = "DBN";

}  // namespace

struct StreamBody::Zstd {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  std::vector<char> scratch = std::vector<char>(ZSTD_DStreamOutSize());
  std::string head;  // the first bytes of the text
  bool frame_open = true;
};

StreamBody::StreamBody(std::shared_ptr<net::FileBody> file, std::filesystem::path path,
                       const codec::TableSchema& schema, Day first)
    : file_(std::move(file)), path_(std::move(path)), days_(schema), first_(first), zstd_(std::make_unique<Zstd>()) {}
StreamBody::~StreamBody() = default;

Status StreamBody::Begin(const net::ResponseHead& head, uint64_t offset) {
  if (zstd_->context == nullptr) return Fail(ErrorKind::kInternal, "no memory for a zstd context");
  if (offset != 0) return Fail(ErrorKind::kInternal, "a stream cannot be continued at byte {}", offset);
  ZSTD_DCtx_reset(zstd_->context.get(), ZSTD_reset_session_only);
  zstd_->head.clear();
  zstd_->frame_open = true;
  days_.Reset();
  is_corrupt_ = false;
  return file_->Begin(head, offset);
}

Status StreamBody::Write(std::span<const std::byte> bytes) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  bool more = true;
  while (more) {
    ZSTD_outBuffer output{zstd_->scratch.data(), zstd_->scratch.size(), 0};
    const size_t left = ZSTD_decompressStream(zstd_->context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      is_corrupt_ = true;
      return Fail(ErrorKind::kCorrupt, "the answer is no sound zstd stream: {}", ZSTD_getErrorName(left));
    }
    zstd_->frame_open = left != 0;
    const size_t wanted = kMagic.size() - zstd_->head.size();
    zstd_->head.append(zstd_->scratch.data(), std::min(wanted, output.pos));
    is_corrupt_ = !kMagic.starts_with(zstd_->head);
    if (is_corrupt_) return Fail(ErrorKind::kCorrupt, "the answer is no DBN");
    days_.Feed(std::as_bytes(std::span(zstd_->scratch).first(output.pos)));
    // A full buffer may hide more output, but not behind a frame's end: asked again there, zstd begins the next frame.
    more = input.pos < input.size || (output.pos == output.size && left != 0);
  }
  return file_->Write(bytes);
}

Status StreamBody::End() {
  if (zstd_->frame_open || zstd_->head != kMagic) {
    return Fail(ErrorKind::kCorrupt, "the answer ends in the middle of its zstd stream");
  }
  return file_->End();
}

bool StreamBody::keeps_part() const {
  const auto place = days_.place();
  return !is_corrupt_ && place && place->day > first_;
}

Result<StreamBody::Part> StreamBody::CutToWholeDays() {
  const auto place = days_.place();
  if (!keeps_part()) return Fail(ErrorKind::kInternal, "no whole day to keep");
  const std::filesystem::path cut = path_.string() + ".cut";
  std::ifstream in(path_, std::ios::binary);
  LODE_TRY(const auto out, net::FileBody::Open({.path = cut}));
  LODE_TRY(out->Begin({}, 0));
  ZSTD_DCtx_reset(zstd_->context.get(), ZSTD_reset_session_only);
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> packer(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (packer == nullptr) return Fail(ErrorKind::kInternal, "no memory for a zstd context");
  ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> packed(ZSTD_CStreamOutSize()), piece(ZSTD_DStreamInSize());
  const auto pack = [&](size_t bytes, ZSTD_EndDirective directive) -> Status {
    ZSTD_inBuffer input{zstd_->scratch.data(), bytes, 0};
    size_t left = 1;
    while (left != 0 && (directive == ZSTD_e_end || input.pos < input.size)) {
      ZSTD_outBuffer output{packed.data(), packed.size(), 0};
      left = ZSTD_compressStream2(packer.get(), &output, &input, directive);
      if (ZSTD_isError(left) != 0) return Fail(ErrorKind::kInternal, "zstd: {}", ZSTD_getErrorName(left));
      LODE_TRY(out->Write(std::as_bytes(std::span(packed).first(output.pos))));
    }
    return Ok();
  };
  uint64_t wanted = place->bytes;
  while (wanted > 0) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    ZSTD_inBuffer input{piece.data(), static_cast<size_t>(in.gcount()), 0};
    if (input.size == 0) return Fail(ErrorKind::kCorrupt, "{} is shorter than what was written to it", path_.string());
    bool more = true;
    while (more && wanted > 0) {
      ZSTD_outBuffer output{zstd_->scratch.data(), zstd_->scratch.size(), 0};
      const size_t left = ZSTD_decompressStream(zstd_->context.get(), &output, &input);
      if (ZSTD_isError(left) != 0) return Fail(ErrorKind::kCorrupt, "{}: {}", path_.string(), ZSTD_getErrorName(left));
      const size_t kept = static_cast<size_t>(std::min<uint64_t>(wanted, output.pos));
      LODE_TRY(pack(kept, ZSTD_e_continue));
      wanted -= kept;
      more = input.pos < input.size || (output.pos == output.size && left != 0);
    }
  }
  LODE_TRY(pack(0, ZSTD_e_end));
  LODE_TRY(out->End());
  std::error_code problem;
  std::filesystem::rename(cut, path_, problem);
  if (problem) return Fail(ErrorKind::kStorage, "{}: {}", path_.string(), problem.message());
  return Part{.end = place->day, .size = out->size(), .crc32c = out->crc32c()};
}

}  // namespace lode::source::databento
