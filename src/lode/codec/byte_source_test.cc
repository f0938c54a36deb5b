#include "lode/codec/byte_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>
#include <string>

#include "lode/codec/testing/dbn_writer.h"

namespace lode::codec {
namespace {

using fixture::CompressZstd;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

Result<std::string> ReadAll(ByteSource& source, size_t chunk = 1000) {
  std::string all, buffer(chunk, '\0');
  for (;;) {
    LODE_TRY(const size_t got, source.Read(std::as_writable_bytes(std::span(buffer))));
    if (got == 0) return all;
    all.append(buffer, 0, got);
  }
}

Result<std::string> Decompress(std::string_view compressed, ZstdLimits limits = {}, size_t chunk = 1000) {
  return ReadAll(*OpenZstd(FromMemory(Bytes(compressed)), limits), chunk);
}

// Text that zstd can shrink a little, the same for every run.
std::string Sample(size_t size) {
  std::mt19937_64 random(7);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 100'000) + ",";
  text.resize(size);
  return text;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) : path_(::testing::TempDir() + "lode_byte_source_XXXXXX") {
    ::close(::mkstemp(path_.data()));
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ByteSource, FileGivesItsBytesThenZero) {
  const std::string content = Sample(3'000'000);
  const TemporaryFile file(content);
  auto source = OpenFile(file.path());
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(*ReadAll(**source, 700'000), content);
}

TEST(ByteSource, NamesWhatCannotBeOpened) {
  EXPECT_EQ(OpenFile("/nonexistent/file").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(OpenFile(::testing::TempDir()).error().kind, ErrorKind::kBadInput);
  const std::string fifo = ::testing::TempDir() + "lode_fifo_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(OpenFile(fifo).error().kind, ErrorKind::kBadInput) << "a FIFO must not hang";
  ::unlink(fifo.c_str());
}

TEST(Zstd, ReadsFramesOfAnyShape) {
  const std::string content = Sample(600'000);
  for (const size_t frame_bytes : {size_t{0}, size_t{1}, size_t{4'000}, size_t{65'536}}) {
    const std::string_view part = frame_bytes == 1 ? std::string_view(content).substr(0, 300) : content;
    for (const bool skippable : {false, true}) {
      for (const size_t chunk : {size_t{1}, size_t{997}, size_t{1'048'576}}) {
        if (chunk == 1 && frame_bytes != 1) continue;
        const std::string compressed = CompressZstd(part, {.frame_bytes = frame_bytes, .skippable = skippable});
        const auto read = Decompress(compressed, {}, chunk);
        ASSERT_TRUE(read.has_value()) << read.error().ToString();
        EXPECT_TRUE(*read == part) << frame_bytes << " " << skippable << " " << chunk;
      }
    }
  }
}

TEST(Zstd, EmptyContentIsAStreamAndNothingIsNot) {
  EXPECT_EQ(*Decompress(CompressZstd("")), "");
  EXPECT_EQ(*Decompress(CompressZstd("", {.skippable = true})), "");
  EXPECT_EQ(Decompress("").error().kind, ErrorKind::kBadInput);
}

TEST(Zstd, CutAnywhereIsAnErrorUnlessBetweenFrames) {
  const std::string content = Sample(2'000);
  const std::string first = CompressZstd(std::string_view(content).substr(0, 1'000));
  const std::string both = first + CompressZstd(std::string_view(content).substr(1'000));
  for (size_t size = 0; size < both.size(); ++size) {
    const auto read = Decompress(std::string_view(both).substr(0, size));
    if (size == first.size()) {
      EXPECT_EQ(*read, content.substr(0, 1'000));
    } else {
      ASSERT_FALSE(read.has_value()) << "cut at " << size;
      EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
    }
  }
}

TEST(Zstd, EveryFlippedBitIsFoundOrHarmless) {
  const std::string content = Sample(500);
  const std::string compressed = CompressZstd(content);
  for (size_t bit = 0; bit < compressed.size() * 8; ++bit) {
    std::string damaged = compressed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto read = Decompress(damaged);
    // The frame header has a bit whose meaning is reserved for encoders: the content is still the same.
    if (read.has_value()) {
      EXPECT_EQ(*read, content) << "bit " << bit;
    }
  }
}

TEST(Zstd, TrailingGarbageIsAnError) {
  const std::string compressed = CompressZstd("abc");
  for (const std::string_view tail : {"x", "garbage behind the frame", "\x28\xB5"}) {
    const auto read = Decompress(compressed + std::string(tail));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
  }
}

TEST(Zstd, ABombIsRefusedAndAnHonestConstantIsNot) {
  const std::string zeros(std::size_t{8} << 20, '\0');
  const std::string bomb = CompressZstd(zeros, {.level = 19});
  ASSERT_LT(bomb.size(), 2'000U);
  const auto refused = Decompress(bomb, {.max_ratio = 1'000, .free_bytes = 1 << 20}, 65'536);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("zip bomb"), std::string::npos);
  EXPECT_TRUE(Decompress(bomb, {}, 65'536).has_value()) << "below the free bytes";
}

TEST(Zstd, AWindowBeyondTheLimitIsRefused) {
  const std::string content = Sample(1 << 20);
  const auto refused = Decompress(CompressZstd(content), {.max_window_log = 15});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kBadInput);
}

std::string DbzBytes() { return std::string("\x50\x2A\x4D\x18\x08\0\0\0DBZ\x01\0\0\0\0", 16) + CompressZstd("rest"); }

TEST(Zstd, LegacyDbzIsRefusedByNameNotSkipped) {
  const std::string dbz = DbzBytes();
  const auto read = Decompress(dbz);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(read.error().message.find("DBZ"), std::string::npos);
  const TemporaryFile file(dbz);
  EXPECT_EQ(*SniffFile(file.path()), Magic::kDbz);
  EXPECT_EQ(OpenDecompressed(file.path()).error().kind, ErrorKind::kUnsupported);
}

TEST(Sniff, TellsWhatAFileIs) {
  const std::pair<std::string, Magic> cases[] = {
      {"", Magic::kEmpty},
      {CompressZstd("x"), Magic::kZstd},
      {CompressZstd("x", {.skippable = true}), Magic::kSkippableZstd},
      {"\x1F\x8B\x08", Magic::kGzip},
      {std::string("DBN\x03\x64\0\0\0", 8), Magic::kDbn},
      {"PAR1....", Magic::kParquet},
      {"{\"hd\":{}}\n", Magic::kJson},
      {"\xEF\xBB\xBF [1]", Magic::kJson},
      {"ts_event,rtype\n", Magic::kText},
      {"DBN is a format\n", Magic::kText},
      {std::string("\x0E\x20\x01\0", 4), Magic::kUnknown},
  };
  for (const auto& [content, magic] : cases) {
    const TemporaryFile file(content);
    EXPECT_EQ(*SniffFile(file.path()), magic) << content;
  }
}

TEST(OpenDecompressed, LooksInsideZstdAndLeavesPlainFilesAlone) {
  const std::string content = Sample(5'000);
  const TemporaryFile plain(content), compressed(CompressZstd(content, {.skippable = true}));
  for (const TemporaryFile* file : {&plain, &compressed}) {
    auto source = OpenDecompressed(file->path());
    ASSERT_TRUE(source.has_value());
    EXPECT_EQ(*ReadAll(**source), content);
  }
}

}  // namespace
}  // namespace lode::codec
