#include <gtest/gtest.h>
#include <isa-l/crc.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>
#include <string>

#include "lode/codec/byte_source.h"
#include "lode/codec/testing/deflate.h"

namespace lode::codec {
namespace {

// Gives at most `step` bytes a read, so that anything may be split between two inputs.
class Dribble final : public ByteSource {
 public:
  Dribble(std::string_view bytes, size_t step) : rest_(bytes), step_(step) {}
  Result<size_t> Read(std::span<std::byte> out) override {
    const size_t count = std::min({out.size(), rest_.size(), step_});
    std::memcpy(out.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  size_t step_;
};

std::string LittleEndian(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

uint32_t Crc(std::string_view text) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

using fixture::Deflate;

struct Header {
  bool text = false, header_crc = false;
  std::string extra = {}, name = {}, comment = {};
};

// One member (RFC 1952), its header written by hand.
std::string Member(std::string_view content, const Header& header = {}) {
  std::string head = "\x1F\x8B\x08";
  head += static_cast<char>((header.text ? 1 : 0) | (header.header_crc ? 2 : 0) | (header.extra.empty() ? 0 : 4) |
                            (header.name.empty() ? 0 : 8) | (header.comment.empty() ? 0 : 16));
  head += LittleEndian(1'700'000'000, 4) + std::string("\x00\x03", 2);
  if (!header.extra.empty()) head += LittleEndian(header.extra.size(), 2) + header.extra;
  for (const std::string& text : {header.name, header.comment}) {
    if (!text.empty()) head += text + '\0';
  }
  if (header.header_crc) head += LittleEndian(Crc(head) & 0xFFFF, 2);
  return head + Deflate(content) + LittleEndian(Crc(content), 4) + LittleEndian(content.size(), 4);
}

std::string Sample(size_t size, uint64_t seed = 7) {
  std::mt19937_64 random(seed);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 100'000) + ",";
  text.resize(size);
  return text;
}

Result<std::string> Read(std::string_view compressed, size_t step = 1 << 20, size_t chunk = 1 << 18,
                         GzipLimits limits = {}) {
  const auto source = OpenGzip(std::make_unique<Dribble>(compressed, step), limits);
  std::string all, buffer(chunk, '\0');
  for (;;) {
    LODE_TRY(const size_t got, source->Read(std::as_writable_bytes(std::span(buffer))));
    if (got == 0) break;
    all.append(buffer, 0, got);
  }
  LODE_TRY(const size_t again, source->Read(std::as_writable_bytes(std::span(buffer))));
  EXPECT_EQ(again, 0U) << "the end stays the end";
  return all;
}

// The message of what must fail.
std::string Fault(std::string_view compressed, size_t step = 1 << 20, GzipLimits limits = {}) {
  const auto read = Read(compressed, step, 1 << 18, limits);
  if (read) return "no error";
  EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
  return read.error().message;
}

TEST(Gzip, ReadsOneMember) {
  const std::string content = Sample(3'000'000);
  for (const size_t chunk : {size_t{997}, size_t{65'536}, size_t{5'000'000}}) {
    const auto read = Read(Member(content), 1 << 20, chunk);
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_TRUE(*read == content) << chunk;
  }
}

TEST(Gzip, ReadsMembersWhateverTheirSizesAndTheReads) {
  std::mt19937_64 random(11);
  std::string compressed, content;
  for (int i = 0; i < 300; ++i) {
    const std::string part = Sample(i % 5 == 0 ? 0 : random() % 3000, random());
    compressed += Member(part);
    content += part;
  }
  for (const size_t step : {1, 2, 7, 8, 9, 100, 4096, 1 << 20}) {
    for (const size_t chunk : {1, 3, 1000, 1 << 18}) {
      const auto read = Read(compressed, step, chunk);
      ASSERT_TRUE(read) << read.error().ToString() << " " << step << " " << chunk;
      EXPECT_TRUE(*read == content) << step << " " << chunk;
    }
  }
}

TEST(Gzip, HeadersWithEveryFlagMayBeSplitAnywhere) {
  const Header all{.text = true,
                   .header_crc = true,
                   .extra = std::string(300, 'x'),
                   .name = "2024-01-02.csv",
                   .comment = "made by hand"};
  for (const Header& header : {Header{.name = "a.csv"}, Header{.extra = "ab"}, Header{.comment = "c"},
                               Header{.header_crc = true}, Header{.header_crc = true, .name = "n"}, all}) {
    const std::string compressed = Member("first,", header) + Member("second", header);
    for (const size_t step : {1, 2, 3, 5, 10, 11, 12, 13, 64, 1 << 20}) {
      const auto read = Read(compressed, step);
      ASSERT_TRUE(read) << read.error().ToString() << " " << step;
      EXPECT_EQ(*read, "first,second") << step;
    }
  }
}

TEST(Gzip, EmptyContentIsAStreamAndNothingIsNot) {
  EXPECT_EQ(*Read(Member("")), "");
  EXPECT_EQ(*Read(Member("") + Member("") + Member("x") + Member("")), "x");
  EXPECT_EQ(Fault(""), "gzip stream is empty");
}

TEST(Gzip, EveryTruncationIsNoticed) {
  const std::string first = Member(Sample(500)), second = Member(Sample(700), {.name = "x"});
  const std::string compressed = first + second;
  for (size_t size = 1; size < compressed.size(); ++size) {
    if (size == first.size()) continue;  // whole members
    for (const size_t step : {1, 1 << 20}) {
      const std::string fault = Fault(compressed.substr(0, size), step);
      EXPECT_TRUE(
          fault.starts_with("gzip stream is cut short inside member " + std::string(size < first.size() ? "1" : "2")))
          << size << ": " << fault;
    }
  }
}

TEST(Gzip, ChecksumAndLengthOfEveryMemberAreChecked) {
  const std::string first = Member(Sample(500)), second = Member(Sample(700)), third = Member("");
  const std::string compressed = first + second + third;
  for (const size_t end : {first.size(), first.size() + second.size(), compressed.size()}) {
    for (size_t back = 1; back <= 8; ++back) {
      for (const size_t step : {1, 5, 1 << 20}) {
        std::string damaged = compressed;
        damaged[end - back] ^= 0x10;
        EXPECT_NE(Fault(damaged, step).find("the checksum or the length is not the trailer's"), std::string::npos)
            << end << " " << back << " " << step;
      }
    }
  }
}

TEST(Gzip, AnyFlippedBitOfTheDataIsNoticedOrWithoutEffect) {
  const std::string twice = Sample(400) + Sample(400), noise = Sample(400);
  for (const std::string& content : {twice, noise}) {
    const std::string compressed = Member(content);
    size_t without_effect = 0;
    for (size_t bit = 10 * 8; bit < compressed.size() * 8; ++bit) {
      std::string damaged = compressed;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const auto read = Read(damaged);
      if (!read) continue;
      ++without_effect;
      EXPECT_TRUE(*read == content) << bit;
    }
    EXPECT_LT(without_effect, 16U) << "padding to a byte";
  }
}

TEST(Gzip, OtherBytesBehindTheLastMember) {
  for (const std::string& tail : {std::string("x"), std::string("garbage, garbage"), std::string(1, '\0'),
                                  std::string(512, '\0'), std::string("\x1F\x8C_more_bytes")}) {
    for (const size_t step : {1, 1 << 20}) {
      const std::string fault = Fault(Member("text") + tail, step);
      EXPECT_TRUE(fault.starts_with("gzip stream is followed by other bytes")) << fault;
    }
  }
  EXPECT_NE(Fault("plain text, no gzip at all").find("no gzip header"), std::string::npos);
  EXPECT_NE(Fault(std::string("\x1F\x8B\x07\0\0\0\0\0\0\0", 10)).find("other than deflate"), std::string::npos);
}

TEST(Gzip, BombsAreRefused) {
  const std::string zeros(3'000'000, '0');
  const std::string compressed = Member(zeros);
  EXPECT_EQ(Read(compressed)->size(), zeros.size()) << "small enough to be free";
  EXPECT_NE(Fault(compressed, 1 << 20, {.max_ratio = 100, .free_bytes = 1'000'000}).find("refused as a zip bomb"),
            std::string::npos);
}

TEST(Gzip, OpenDecompressedKnowsTheMagic) {
  std::string path = ::testing::TempDir() + "lode_gzip_XXXXXX";
  ::close(::mkstemp(path.data()));
  std::ofstream(path, std::ios::binary) << Member("a,b\n1,2\n");
  const auto source = OpenDecompressed(path);
  ::unlink(path.c_str());
  ASSERT_TRUE(source);
  std::string buffer(100, '\0');
  EXPECT_EQ((*source)->Read(std::as_writable_bytes(std::span(buffer))), 8U);
  EXPECT_EQ(buffer.substr(0, 8), "a,b\n1,2\n");
}

}  // namespace
}  // namespace lode::codec
