#include "lode/codec/page_compressor.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace lode::codec {
namespace {

TEST(PageCompressor, EveryFrameOfOneContextDecompressesAndCarriesAChecksum) {
  PageCompressor compressor;
  std::mt19937 random(7);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{300'000}, size_t{17}}) {
    for (const PageContent content : {PageContent::kByteDeltas, PageContent::kByteStreams, PageContent::kWholeValues,
                                      PageContent::kIncompressible, PageContent::kOther}) {
      std::vector<uint8_t> page(size);
      for (uint8_t& byte : page) byte = static_cast<uint8_t>(random() % 7);
      const auto frame = compressor.Compress(page, content);
      std::vector<uint8_t> flipped(frame.begin(), frame.end()), back(size + 1);
      ASSERT_EQ(ZSTD_decompress(back.data(), back.size(), frame.data(), frame.size()), size);
      back.resize(size);
      EXPECT_EQ(back, page);
      back.resize(size + 1);
      flipped.back() ^= 1;  // within the checksum
      EXPECT_NE(ZSTD_isError(ZSTD_decompress(back.data(), back.size(), flipped.data(), flipped.size())), 0u);
    }
  }
}

}  // namespace
}  // namespace lode::codec
