#include "lode/source/databento/stream_body.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
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

StreamBody::StreamBody(std::shared_ptr<net::FileBody> file) : file_(std::move(file)), zstd_(std::make_unique<Zstd>()) {}
StreamBody::~StreamBody() = default;

Status StreamBody::Begin(const net::ResponseHead& head, uint64_t offset) {
  if (zstd_->context == nullptr) return Fail(ErrorKind::kInternal, "no memory for a zstd context");
  if (offset != 0) return Fail(ErrorKind::kInternal, "a stream cannot be continued at byte {}", offset);
  ZSTD_DCtx_reset(zstd_->context.get(), ZSTD_reset_session_only);
  zstd_->head.clear();
  zstd_->frame_open = true;
  return file_->Begin(head, offset);
}

Status StreamBody::Write(std::span<const std::byte> bytes) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  bool more = true;
  while (more) {
    ZSTD_outBuffer output{zstd_->scratch.data(), zstd_->scratch.size(), 0};
    const size_t left = ZSTD_decompressStream(zstd_->context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      return Fail(ErrorKind::kCorrupt, "the answer is no sound zstd stream: {}", ZSTD_getErrorName(left));
    }
    zstd_->frame_open = left != 0;
    const size_t wanted = kMagic.size() - zstd_->head.size();
    zstd_->head.append(zstd_->scratch.data(), std::min(wanted, output.pos));
    if (!kMagic.starts_with(zstd_->head)) return Fail(ErrorKind::kCorrupt, "the answer is no DBN");
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

}  // namespace lode::source::databento
