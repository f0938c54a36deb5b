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
                                      PageContent::kNearIndices, PageContent::kIncompressible, PageContent::kOther}) {
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

// Pages of two-byte indices of instruments one after the other. Drawn: each row's is near its instrument's; else each
// row's is mostly the one before.
TEST(PageCompressor, IndicesOfManyInstrumentsAreSmallerByBlocks) {
  PageCompressor compressor;
  std::minstd_rand random(8);
  for (const bool drawn : {true, false}) {
    std::vector<uint8_t> page;
    uint64_t index = 0;
    for (uint32_t row = 0; row < 65'536; ++row) {
      if (row % 250 == 0) index = 100 + random() % 30'000;
      const uint64_t here = drawn ? index + random() % 40 : random() % 5 == 0 ? ++index : index;
      page.insert(page.end(), {static_cast<uint8_t>(here), static_cast<uint8_t>(here >> 8)});
    }
    const size_t near_size = compressor.Compress(page, PageContent::kNearIndices).size();
    const size_t other_size = compressor.Compress(page, PageContent::kOther).size();
    EXPECT_EQ(near_size < other_size, drawn) << near_size << " " << other_size;
  }
}

}  // namespace
}  // namespace lode::codec
