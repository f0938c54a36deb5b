#include "lode/codec/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/base/stop.h"

namespace lode::codec {
namespace {

// A read() of more than this brings nothing and would delay Ctrl-C.
constexpr size_t kReadBytes = size_t{1} << 20;
// Compressed bytes held at once: stays in the second-level cache.
constexpr size_t kZstdInputBytes = size_t{256} << 10;
constexpr size_t kSniffBytes = 512;

std::string ErrnoText(int error) { return std::strerror(error); }

class FileSource final : public ByteSource {
 public:
  FileSource(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(fd_); }

  Result<size_t> Read(std::span<std::byte> out) override {
    LODE_TRY(CheckStop());
    for (;;) {
      const ssize_t got = ::read(fd_, out.data(), std::min(out.size(), kReadBytes));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) {
        LODE_TRY(CheckStop());
        continue;
      }
      return Fail(ErrorKind::kStorage, "{}: read failed: {}", path_, ErrnoText(errno));
    }
  }

 private:
  int fd_;
  std::string path_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : rest_(bytes) {}

  Result<size_t> Read(std::span<std::byte> out) override {
    const size_t count = std::min(out.size(), rest_.size());
    if (count > 0) std::memcpy(out.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> rest_;
};

uint32_t LittleEndian32(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= std::to_integer<uint32_t>(bytes[i]) << (8 * i);
  return value;
}

bool IsSkippableFrame(std::span<const std::byte> head) {
  return head.size() >= 4 && (LittleEndian32(head) & 0xFFFFFFF0U) == 0x184D2A50U;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> compressed, ZstdLimits limits)
      : compressed_(std::move(compressed)), limits_(limits), context_(ZSTD_createDCtx()), buffer_(kZstdInputBytes) {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, limits.max_window_log);
  }

  Result<size_t> Read(std::span<std::byte> out) override {
    if (!context_) return Fail(ErrorKind::kInternal, "no memory for a zstd context");
    if (out.empty()) return size_t{0};
    size_t filled = 0;
    while (filled == 0) {
      // Output that did not fit last time comes first; only then is more input needed.
      if (input_.pos == input_.size && !output_pending_) {
        LODE_TRY(const bool more, Refill());
        if (!more) return size_t{0};
      }
      LODE_TRY(filled, Decompress(out));
    }
    return filled;
  }

 private:
  // False at the proper end of the compressed stream.
  Result<bool> Refill() {
    size_t held = 0;
    // The first block must be long enough to show what the stream is.
    do {
      LODE_TRY(const size_t got, compressed_->Read(std::span(buffer_).subspan(held)));
      if (got == 0) break;
      held += got;
    } while (consumed_ == 0 && held < kSniffBytes);
    if (held == 0) {
      if (frame_open_)
        return Fail(ErrorKind::kBadInput, "zstd stream is cut short inside a frame after {} bytes", consumed_);
      if (consumed_ == 0) return Fail(ErrorKind::kBadInput, "zstd stream is empty");
      return false;
    }
    if (consumed_ == 0 && LooksLikeDbz(std::span(buffer_).first(held))) return std::unexpected(LegacyDbzError());
    consumed_ += held;
    input_ = {buffer_.data(), held, 0};
    return true;
  }

  Result<size_t> Decompress(std::span<std::byte> out) {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos < output.size && (input_.pos < input_.size || output_pending_)) {
      const size_t before = input_.pos + output.pos;
      const size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(left)) {
        return Fail(ErrorKind::kBadInput, "zstd stream is damaged near byte {}: {}",
                    consumed_ - input_.size + input_.pos, ZSTD_getErrorName(left));
      }
      frame_open_ = left != 0;
      output_pending_ = frame_open_ && output.pos == output.size;
      if (input_.pos + output.pos == before) break;  // wants more input than is here
    }
    produced_ += output.pos;
    if (produced_ > limits_.free_bytes && produced_ / limits_.max_ratio > consumed_) {
      return Fail(ErrorKind::kBadInput, "zstd stream expands more than {}:1 ({} bytes from {}): refused as a zip bomb",
                  limits_.max_ratio, produced_, consumed_);
    }
    return output.pos;
  }

  std::unique_ptr<ByteSource> compressed_;
  ZstdLimits limits_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::vector<std::byte> buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool frame_open_ = false;
  bool output_pending_ = false;  // the last call filled `out`: zstd may hold more
  uint64_t consumed_ = 0;        // compressed bytes read
  uint64_t produced_ = 0;
};

Result<int> OpenForReading(const std::filesystem::path& path) {
  // O_NONBLOCK: a FIFO in the folder must not hang the import.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return Fail(ErrorKind::kNotFound, "{}: no such file", path.string());
    return Fail(ErrorKind::kStorage, "{}: cannot open: {}", path.string(), ErrnoText(error));
  }
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Fail(ErrorKind::kBadInput, "{}: not a regular file", path.string());
  }
  return fd;
}

bool StartsWith(std::span<const std::byte> head, std::string_view magic) {
  return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
}

Magic SniffText(std::span<const std::byte> head) {
  std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') return Magic::kUnknown;
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) return Magic::kJson;
  return Magic::kText;
}

Magic Sniff(std::span<const std::byte> head) {
  if (head.empty()) return Magic::kEmpty;
  if (LooksLikeDbz(head)) return Magic::kDbz;
  if (IsSkippableFrame(head)) return Magic::kSkippableZstd;
  if (StartsWith(head, "\x28\xB5\x2F\xFD")) return Magic::kZstd;
  if (StartsWith(head, "\x1F\x8B")) return Magic::kGzip;
  if (StartsWith(head, "PAR1")) return Magic::kParquet;
  // "DBN" begins no CSV header or JSON document of a vendor; the version byte tells it from text.
  if (StartsWith(head, "DBN") && (head.size() == 3 || std::to_integer<int>(head[3]) < 0x20)) return Magic::kDbn;
  return SniffText(head);
}

}  // namespace

// Legacy DBZ hides its metadata in a skippable frame, so a zstd reader would pass over it in silence.
bool LooksLikeDbz(std::span<const std::byte> head) {
  return IsSkippableFrame(head) && head.size() >= 11 && std::memcmp(head.data() + 8, "DBZ", 3) == 0;
}

Error LegacyDbzError() {
  return {ErrorKind::kUnsupported,
          "legacy DBZ (Databento's encoding of 2022) is not read; convert the file to DBN with the vendor's tools "
          "(databento-dbn before 0.70) or download it again as dbn",
          {}};
}

Result<std::unique_ptr<ByteSource>> OpenFile(const std::filesystem::path& path) {
  LODE_TRY(const int fd, OpenForReading(path));
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileSource>(fd, path.string());
}

std::unique_ptr<ByteSource> FromMemory(std::span<const std::byte> bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::unique_ptr<ByteSource> OpenZstd(std::unique_ptr<ByteSource> compressed, ZstdLimits limits) {
  return std::make_unique<ZstdSource>(std::move(compressed), limits);
}

Result<Magic> SniffFile(const std::filesystem::path& path) {
  LODE_TRY(const int fd, OpenForReading(path));
  FileSource file(fd, path.string());
  std::array<std::byte, kSniffBytes> head;
  size_t held = 0;
  while (held < head.size()) {
    LODE_TRY(const size_t got, file.Read(std::span(head).subspan(held)));
    if (got == 0) break;
    held += got;
  }
  return Sniff(std::span(head).first(held));
}

Result<std::unique_ptr<ByteSource>> OpenDecompressed(const std::filesystem::path& path, ZstdLimits limits) {
  LODE_TRY(const Magic magic, SniffFile(path));
  LODE_TRY(std::unique_ptr<ByteSource> file, OpenFile(path));
  if (magic == Magic::kDbz) return std::unexpected(LegacyDbzError());
  if (magic == Magic::kZstd || magic == Magic::kSkippableZstd) return OpenZstd(std::move(file), limits);
  if (magic == Magic::kGzip) return OpenGzip(std::move(file));
  return file;
}

}  // namespace lode::codec
