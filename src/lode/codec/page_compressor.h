// zstd for Parquet pages: one context for all pages of a file, with settings fitted to what a page holds.
#pragma once

#include <zstd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lode::codec {

// What repeats in a page: price differences on byte borders repeat as four bytes, which the cheaper search finds as
// well (NQ bars: a fifth less time for 6 % more bytes); bytes split into streams repeat in long runs or not at all
// (volumes: a third less time, 2 % fewer bytes); whole eight-byte values do not repeat four bytes alone; two-byte
// indices of many instruments' prices seldom repeat in a row, but each instrument has few of them; random bits have
// nothing to find, and the search costs as much as parsing them did; everything else gets the thorough one.
enum class PageContent { kByteDeltas, kByteStreams, kWholeValues, kNearIndices, kIncompressible, kOther };

// Not thread-safe. Frames carry a content checksum: without it a flipped bit in a literal decompresses to a wrong
// value.
class PageCompressor {
 public:
  PageCompressor();
  // The page as one zstd frame; lives until the next call. Throws parquet::ParquetException when zstd fails.
  std::span<const uint8_t> Compress(std::span<const uint8_t> page, PageContent content);

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::vector<uint8_t> frame_;
};

}  // namespace lode::codec
