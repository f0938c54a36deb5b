// Pull streams of bytes: files, zstd and gzip. A stream that ends without its proper end is an error, never a short
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "lode/base/result.h"

namespace lode::codec {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills up to out.size() bytes and returns how many; 0 only at the proper end. Errors: kStorage (I/O), kBadInput
  // (truncated or damaged compression), kInterrupted.
  virtual Result<size_t> Read(std::span<std::byte> out) = 0;
};

// Plain file, read sequentially in large blocks.
Result<std::unique_ptr<ByteSource>> OpenFile(const std::filesystem::path& path);
// Bytes in memory (tests, fuzzing). The bytes must outlive the source.
std::unique_ptr<ByteSource> FromMemory(std::span<const std::byte> bytes);

struct ZstdLimits {
  // A zip bomb expands without bound: more than `max_ratio` output bytes for an input byte, once past `free_bytes`
  // of output, is refused. Real Databento files reach about 12, constant columns up to several hundred.
  uint64_t max_ratio = 4096;
  uint64_t free_bytes = uint64_t{64} << 20;
  int max_window_log = 27;  // 128 MiB window
};

// Zstd: any number of frames, skippable frames passed over; no frame at all, a frame cut short, a bad checksum,
// trailing garbage or a bomb is kBadInput; legacy DBZ (which hides in a skippable frame) is LegacyDbzError.
std::unique_ptr<ByteSource> OpenZstd(std::unique_ptr<ByteSource> compressed, ZstdLimits limits = {});

struct GzipLimits {
  // As ZstdLimits. Deflate cannot expand more than 1032:1; tables of changing times stay below 50:1.
  uint64_t max_ratio = 256;
  uint64_t free_bytes = uint64_t{64} << 20;
};

// Gzip: any number of members, empty ones too; checksum and length of each member's trailer are checked. No member at
// all, a member cut short (its trailer included), damage, other bytes behind the last member or a bomb is kBadInput.
std::unique_ptr<ByteSource> OpenGzip(std::unique_ptr<ByteSource> compressed, GzipLimits limits = {});

// Whether a stream begins like legacy DBZ: a skippable zstd frame with "DBZ" in it.
bool LooksLikeDbz(std::span<const std::byte> head);
// kUnsupported: names DBZ and what to do about it.
Error LegacyDbzError();

// What a file's first bytes say it is, whatever its name.
enum class Magic { kEmpty, kZstd, kSkippableZstd, kGzip, kDbn, kDbz, kParquet, kJson, kText, kUnknown };

// Looks at the first bytes of a plain file (and not inside compression).
Result<Magic> SniffFile(const std::filesystem::path& path);

// Opens a file and, when its magic says zstd or gzip, the stream inside. `limits` are for zstd.
Result<std::unique_ptr<ByteSource>> OpenDecompressed(const std::filesystem::path& path, ZstdLimits limits = {});

}  // namespace lode::codec
