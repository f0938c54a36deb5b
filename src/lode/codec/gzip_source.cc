#include <utility>

#include "lode/base/raw_buffer.h"
#include "lode/codec/byte_source.h"
#include "lode/codec/gzip_inflater.h"

namespace lode::codec {
namespace {

// Compressed bytes held at once: stays in the second-level cache.
constexpr size_t kInputBytes = size_t{256} << 10;

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> compressed, GzipLimits limits)
      : compressed_(std::move(compressed)), inflater_(limits), buffer_(kInputBytes) {}

  Result<size_t> Read(std::span<std::byte> out) override {
    if (out.empty()) return size_t{0};
    for (;;) {
      LODE_TRY(const size_t filled, inflater_.Inflate(out));
      if (filled > 0) return filled;
      LODE_TRY(const size_t got, compressed_->Read({buffer_.data(), buffer_.size()}));
      if (got == 0) {
        LODE_TRY(inflater_.End());
        return size_t{0};
      }
      inflater_.Give({buffer_.data(), got});
    }
  }

 private:
  std::unique_ptr<ByteSource> compressed_;
  GzipInflater inflater_;
  RawBuffer<std::byte> buffer_;
};

}  // namespace

std::unique_ptr<ByteSource> OpenGzip(std::unique_ptr<ByteSource> compressed, GzipLimits limits) {
  return std::make_unique<GzipSource>(std::move(compressed), limits);
}

}  // namespace lode::codec
