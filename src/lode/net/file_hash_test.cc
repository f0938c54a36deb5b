#include "lode/net/file_hash.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "lode/base/descriptor.h"

namespace lode::net {
namespace {

namespace fs = std::filesystem;

// Larger than what is hashed by the writer.
constexpr size_t kLarge = (9 << 20) + 12'345;

class FileHashTest : public ::testing::Test {
 protected:
  FileHashTest()
      : path_(fs::temp_directory_path() / fmt::format("lode_file_hash_{}", ::getpid())),
        file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~FileHashTest() override { fs::remove(path_); }

  static std::string Noise(size_t size) {
    std::mt19937_64 random(7);
    std::string text(size, '\0');
    std::ranges::generate(text, [&] { return static_cast<char>(random()); });
    return text;
  }
  void Append(FileHash& hash, std::string_view bytes) const {
    ASSERT_EQ(::write(file_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    hash.Take(std::as_bytes(std::span(bytes)), file_.get());
  }

  const fs::path path_;
  Descriptor file_;
};

TEST_F(FileHashTest, EqualsTheHashInOnePieceWhateverThePieces) {
  const std::string all = Noise(kLarge);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4} << 20, (size_t{4} << 20) + 1, kLarge}) {
    for (const size_t piece : {size_t{1} << 16, size_t{3'000'001}}) {
      ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
      ASSERT_EQ(::lseek(file_.get(), 0, SEEK_SET), 0);
      FileHash hash;
      for (size_t at = 0; at < size; at += piece) Append(hash, all.substr(at, std::min(piece, size - at)));
      EXPECT_EQ(hash.Finish().value(), Sha256Hex(all.substr(0, size))) << size << " in pieces of " << piece;
    }
  }
}

TEST_F(FileHashTest, GoesOnWhenTheDescriptorItBeganWithIsClosed) {
  const std::string all = Noise(kLarge);
  FileHash hash;
  Append(hash, all.substr(0, kLarge - 1000));
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  Append(hash, all.substr(kLarge - 1000));
  EXPECT_EQ(hash.Finish().value(), Sha256Hex(all));
}

TEST_F(FileHashTest, BeginsAnew) {
  FileHash hash;
  Append(hash, Noise(kLarge));
  ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
  ASSERT_EQ(::lseek(file_.get(), 0, SEEK_SET), 0);
  hash.Reset();
  Append(hash, "abc");
  EXPECT_EQ(hash.Finish().value(), Sha256Hex("abc"));
}

TEST_F(FileHashTest, AFileThatSomebodyCutIsAnError) {
  FileHash hash;
  const std::string all = Noise(kLarge);
  Append(hash, all.substr(0, 5 << 20));
  ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
  hash.Take(std::as_bytes(std::span(all).subspan(5 << 20)), file_.get());
  const auto digest = hash.Finish();
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().kind, ErrorKind::kStorage);
}

}  // namespace
}  // namespace lode::net
