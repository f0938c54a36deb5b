#include "lode/codec/gzip_inflater.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>

namespace lode::codec {
namespace {

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

}  // namespace

// igzip's own header reading inside isal_inflate forgets the header's flags where the header is split between two
// inputs, so that the header is read here, with state that outlives the input.
struct GzipInflater::State {
  inflate_state inflate;  // 80 kB, of which isal_inflate_init sets what counts
  isal_gzip_header header;
  bool in_body = false;
  bool header_begun = false;
  uint64_t members = 0;  // finished ones
  uint64_t text_member = 0;
  uint64_t consumed = 0;  // compressed bytes given
  uint64_t produced = 0;
  std::array<char, size_t{64} << 10> text;  // of Feed

  State() { Reset(); }
  void Reset() {
    isal_inflate_init(&inflate);
    members = text_member = consumed = produced = 0;
    BeginMember();
  }
  void BeginMember() {
    isal_inflate_reset(&inflate);  // keeps next_in and avail_in: what is left over belongs to the next member
    inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&header);
    in_body = false;
    header_begun = false;
  }

  // False when more input is needed.
  Result<bool> ReadHeader() {
    if (!header_begun && members > 0 && *inflate.next_in != kFirstMagicByte) return TrailingGarbage();
    header_begun = true;
    const int fault = isal_read_gzip_header(&inflate, &header);
    if (fault == ISAL_END_INPUT) return false;
    if (fault == ISAL_INVALID_WRAPPER && members > 0) return TrailingGarbage();
    if (fault != ISAL_DECOMP_OK) return Damaged(fault);
    inflate.crc = 0;
    in_body = true;
    return true;
  }

  Result<size_t> InflateBody(std::span<std::byte> out, const GzipLimits& limits) {
    const auto room = static_cast<uint32_t>(std::min<size_t>(out.size(), UINT32_MAX));
    inflate.next_out = reinterpret_cast<uint8_t*>(out.data());
    inflate.avail_out = room;
    const int fault = isal_inflate(&inflate);
    if (fault < 0 || fault == ISAL_NEED_DICT) return Damaged(fault);
    const size_t filled = room - inflate.avail_out;
    produced += filled;
    if (filled > 0) text_member = members;
    if (produced > limits.free_bytes && produced / limits.max_ratio > consumed) {
      return Fail(ErrorKind::kBadInput, "gzip stream expands more than {}:1 ({} bytes from {}): refused as a zip bomb",
                  limits.max_ratio, produced, consumed);
    }
    if (inflate.block_state == ISAL_BLOCK_FINISH) {
      ++members;
      BeginMember();
    }
    return filled;
  }

  uint64_t position() const { return consumed - inflate.avail_in; }

  std::unexpected<Error> TrailingGarbage() const {
    return Fail(ErrorKind::kBadInput, "gzip stream is followed by other bytes near byte {}", position());
  }
  std::unexpected<Error> Damaged(int fault) const {
    return Fail(ErrorKind::kBadInput, "gzip stream is damaged near byte {}, in member {}: {}", position(), members + 1,
                FaultText(fault));
  }
};

GzipInflater::GzipInflater(GzipLimits limits) : state_(std::make_unique<State>()), limits_(limits) {}
GzipInflater::~GzipInflater() = default;
GzipInflater::GzipInflater(GzipInflater&&) noexcept = default;
GzipInflater& GzipInflater::operator=(GzipInflater&&) noexcept = default;

void GzipInflater::Reset() { state_->Reset(); }

uint64_t GzipInflater::text_member() const { return state_->text_member; }

void GzipInflater::Give(std::span<const std::byte> compressed) {
  state_->inflate.next_in = reinterpret_cast<uint8_t*>(const_cast<std::byte*>(compressed.data()));
  state_->inflate.avail_in = static_cast<uint32_t>(compressed.size());
  state_->consumed += compressed.size();
}

Result<size_t> GzipInflater::Inflate(std::span<std::byte> out) {
  State& state = *state_;
  for (;;) {
    if (!state.in_body) {
      if (state.inflate.avail_in == 0) return size_t{0};
      LODE_TRY(const bool begun, state.ReadHeader());
      if (!begun) return size_t{0};
    }
    LODE_TRY(const size_t filled, state.InflateBody(out, limits_));
    if (filled > 0) return filled;
    // Nothing came out although there was room: the member is over, or all input is used up.
    if (state.in_body && state.inflate.avail_in == 0) return size_t{0};
  }
}

Status GzipInflater::Feed(std::span<const std::byte> compressed, const std::function<Status(std::string_view)>& take) {
  Give(compressed);
  for (;;) {
    LODE_TRY(const size_t filled, Inflate(std::as_writable_bytes(std::span(state_->text))));
    if (filled == 0) return Ok();
    LODE_TRY(take(std::string_view(state_->text.data(), filled)));
  }
}

Status GzipInflater::End() const {
  if (state_->in_body || state_->header_begun) {
    return Fail(ErrorKind::kBadInput, "gzip stream is cut short inside member {} after {} bytes", state_->members + 1,
                state_->consumed);
  }
  if (state_->members == 0) return Fail(ErrorKind::kBadInput, "gzip stream is empty");
  return Ok();
}

}  // namespace lode::codec
