#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/codec/byte_source.h"

namespace lode::codec {
namespace {

// Compressed bytes held at once: stays in the second-level cache.
constexpr size_t kInputBytes = size_t{256} << 10;
constexpr uint8_t kFirstMagicByte = 0x1F;

std::string_view FaultText(int fault) {
  switch (fault) {
    case ISAL_INVALID_WRAPPER: return "no gzip header";
    case ISAL_UNSUPPORTED_METHOD: return "a compression method other than deflate";
    case ISAL_INCORRECT_CHECKSUM: return "the checksum or the length is not the trailer's";
    case ISAL_INVALID_LOOKBACK: return "a reference to before the start";
    default: return "the deflate data is invalid";
  }
}

// One member after the other. igzip's own header reading inside isal_inflate forgets the header's flags where the
// header is split between two inputs, so that the header is read here, with state that outlives the input.
class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> compressed, GzipLimits limits)
      : compressed_(std::move(compressed)),
        limits_(limits),
        state_(std::make_unique<inflate_state>()),
        buffer_(kInputBytes) {
    isal_inflate_init(state_.get());
    BeginMember();
  }

  Result<size_t> Read(std::span<std::byte> out) override {
    if (out.empty()) return size_t{0};
    for (;;) {
      if (!in_body_) {
        LODE_TRY(const bool more, ReadHeader());
        if (!more) return size_t{0};
      }
      LODE_TRY(const size_t filled, Inflate(out));
      if (filled > 0) return filled;
      // Nothing came out although there was room: the member is over, or all input is used up.
      if (in_body_ && state_->avail_in == 0) {
        LODE_TRY(const bool more, Refill());
        if (!more) return CutShort();
      }
    }
  }

 private:
  void BeginMember() {
    isal_inflate_reset(state_.get());  // keeps next_in and avail_in: what is left over belongs to the next member
    state_->crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&header_);
    in_body_ = false;
    header_begun_ = false;
  }

  // False at the end of the compressed stream.
  Result<bool> Refill() {
    LODE_TRY(const size_t got, compressed_->Read(std::as_writable_bytes(std::span(buffer_))));
    consumed_ += got;
    state_->next_in = buffer_.data();
    state_->avail_in = static_cast<uint32_t>(got);
    return got > 0;
  }

  // False at the proper end: no member begins.
  Result<bool> ReadHeader() {
    for (;;) {
      if (state_->avail_in == 0) {
        LODE_TRY(const bool more, Refill());
        if (!more && header_begun_) return CutShort();
        if (!more && members_ == 0) return Fail(ErrorKind::kBadInput, "gzip stream is empty");
        if (!more) return false;
      }
      if (!header_begun_ && members_ > 0 && *state_->next_in != kFirstMagicByte) return TrailingGarbage();
      header_begun_ = true;
      const int fault = isal_read_gzip_header(state_.get(), &header_);
      if (fault == ISAL_END_INPUT) continue;
      if (fault == ISAL_INVALID_WRAPPER && members_ > 0) return TrailingGarbage();
      if (fault != ISAL_DECOMP_OK) return Damaged(fault);
      state_->crc = 0;
      in_body_ = true;
      return true;
    }
  }

  Result<size_t> Inflate(std::span<std::byte> out) {
    const auto room = static_cast<uint32_t>(std::min<size_t>(out.size(), UINT32_MAX));
    state_->next_out = reinterpret_cast<uint8_t*>(out.data());
    state_->avail_out = room;
    const int fault = isal_inflate(state_.get());
    if (fault < 0 || fault == ISAL_NEED_DICT) return Damaged(fault);
    const size_t filled = room - state_->avail_out;
    produced_ += filled;
    if (produced_ > limits_.free_bytes && produced_ / limits_.max_ratio > consumed_) {
      return Fail(ErrorKind::kBadInput, "gzip stream expands more than {}:1 ({} bytes from {}): refused as a zip bomb",
                  limits_.max_ratio, produced_, consumed_);
    }
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      ++members_;
      BeginMember();
    }
    return filled;
  }

  uint64_t position() const { return consumed_ - state_->avail_in; }

  std::unexpected<Error> CutShort() const {
    return Fail(ErrorKind::kBadInput, "gzip stream is cut short inside member {} after {} bytes", members_ + 1,
                consumed_);
  }
  std::unexpected<Error> TrailingGarbage() const {
    return Fail(ErrorKind::kBadInput, "gzip stream is followed by other bytes near byte {}", position());
  }
  std::unexpected<Error> Damaged(int fault) const {
    return Fail(ErrorKind::kBadInput, "gzip stream is damaged near byte {}, in member {}: {}", position(), members_ + 1,
                FaultText(fault));
  }

  std::unique_ptr<ByteSource> compressed_;
  GzipLimits limits_;
  std::unique_ptr<inflate_state> state_;
  isal_gzip_header header_{};
  std::vector<uint8_t> buffer_;
  bool in_body_ = false;
  bool header_begun_ = false;
  uint64_t members_ = 0;   // finished ones
  uint64_t consumed_ = 0;  // compressed bytes read
  uint64_t produced_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> OpenGzip(std::unique_ptr<ByteSource> compressed, GzipLimits limits) {
  return std::make_unique<GzipSource>(std::move(compressed), limits);
}

}  // namespace lode::codec
