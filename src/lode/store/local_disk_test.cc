#include "lode/store/local_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "lode/base/hashing.h"

namespace lode::store {
namespace {

class LocalDiskTest : public testing::Test {
 protected:
  LocalDiskTest() {
    std::string name = (fs::temp_directory_path() / "lode-store-XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
  }
  ~LocalDiskTest() override { fs::remove_all(dir_); }
  fs::path dir_;
};

TEST_F(LocalDiskTest, WritesAndReadsBack) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(WriteDurable(dir_ / "x", bytes));
  EXPECT_EQ(ReadFile(dir_ / "x", 4).value(), bytes);
  EXPECT_EQ(ReadFile(dir_ / "x", 3).error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(ReadFile(dir_ / "y", 3).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadFile(dir_, 3).error().kind, ErrorKind::kBadInput);
}

TEST_F(LocalDiskTest, ReplaceLeavesNoTemporary) {
  ASSERT_TRUE(MakeDirectories(dir_ / "tmp"));
  ASSERT_TRUE(ReplaceDurable(dir_ / "x", "one", dir_ / "tmp"));
  ASSERT_TRUE(ReplaceDurable(dir_ / "x", "two", dir_ / "tmp"));
  EXPECT_EQ(ReadFile(dir_ / "x", 100).value(), "two");
  EXPECT_TRUE(List(dir_ / "tmp").value().empty());
  EXPECT_EQ(ReplaceDurable(dir_ / "no/x", "three", dir_ / "tmp").error().kind, ErrorKind::kStorage);
  EXPECT_TRUE(List(dir_ / "tmp").value().empty());
}

TEST_F(LocalDiskTest, WritesAnewAndFollowsNoLink) {
  ASSERT_TRUE(Write(dir_ / "x", "one and more"));
  ASSERT_TRUE(Write(dir_ / "x", "two"));
  EXPECT_EQ(ReadFile(dir_ / "x", 100).value(), "two");
  fs::create_symlink(dir_ / "x", dir_ / "link");
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  for (const char* name : {"link", "pipe", "no/x"}) {
    EXPECT_EQ(Write(dir_ / name, "three").error().kind, ErrorKind::kStorage) << name;
  }
  EXPECT_EQ(ReadFile(dir_ / "x", 100).value(), "two");
}

// What cannot be synced is never passed over, wherever in a long list it is.
TEST_F(LocalDiskTest, SyncsManyFilesAtOnce) {
  std::vector<fs::path> paths;
  for (int i = 0; i < 100; ++i) {
    paths.push_back(dir_ / fmt::format("{}", i));
    ASSERT_TRUE(Append(paths.back(), "x"));
  }
  EXPECT_TRUE(SyncFiles(paths));
  EXPECT_TRUE(SyncFiles(std::span(paths).first(3)));
  fs::create_directory(dir_ / "folder");
  for (const size_t bad : {size_t{0}, size_t{55}, size_t{99}}) {
    std::vector<fs::path> some = paths;
    some[bad] = dir_ / "folder";
    const Status status = SyncFiles(some);
    ASSERT_FALSE(status) << bad;
    EXPECT_THAT(status.error().message, testing::HasSubstr("folder"));
  }
}

TEST_F(LocalDiskTest, RenamesAndExchanges) {
  ASSERT_TRUE(WriteDurable(dir_ / "a", "a"));
  ASSERT_TRUE(WriteDurable(dir_ / "b", "b"));
  EXPECT_EQ(RenameNew(dir_ / "a", dir_ / "b").error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(ReadFile(dir_ / "b", 9).value(), "b");
  const Result<bool> exchanged = Exchange(dir_ / "a", dir_ / "b");
  ASSERT_TRUE(exchanged);
  if (*exchanged) {
    EXPECT_EQ(ReadFile(dir_ / "b", 9).value(), "a");
    EXPECT_EQ(ReadFile(dir_ / "a", 9).value(), "b");
  }
  EXPECT_FALSE(Exchange(dir_ / "a", dir_ / "gone"));
  ASSERT_TRUE(RenameNew(dir_ / "a", dir_ / "c"));
  ASSERT_TRUE(Rename(dir_ / "c", dir_ / "b"));
  EXPECT_EQ(List(dir_).value().size(), 1U);
}

TEST_F(LocalDiskTest, MakesFoldersOnce) {
  ASSERT_TRUE(MakeDirectories(dir_ / "a/b/c/"));
  ASSERT_TRUE(MakeDirectories(dir_ / "a/b/c"));
  ASSERT_TRUE(WriteDurable(dir_ / "a/file", ""));
  EXPECT_EQ(MakeDirectories(dir_ / "a/file").error().kind, ErrorKind::kStorage);
  EXPECT_EQ(MakeDirectories(dir_ / "a/file/x").error().kind, ErrorKind::kStorage);
}

TEST_F(LocalDiskTest, ListsSortedWithoutFollowingLinks) {
  ASSERT_TRUE(MakeDirectories(dir_ / "b/c"));
  ASSERT_TRUE(WriteDurable(dir_ / "b/c/2", "22"));
  ASSERT_TRUE(WriteDurable(dir_ / "b-1", "1"));
  ASSERT_TRUE(WriteDurable(dir_ / "a", ""));
  fs::create_symlink(dir_, dir_ / "b/loop");
  std::vector<std::string> paths;
  const std::vector<FileInfo> files = List(dir_).value();
  for (const FileInfo& file : files) paths.push_back(fmt::format("{}:{}", file.path, file.size));
  EXPECT_THAT(paths, testing::ElementsAre("a:0", "b-1:1", "b/c/2:2"));
  const auto everything = ListEverything(dir_).value();
  ASSERT_EQ(everything.size(), 4U);
  EXPECT_EQ(everything[3].path, "b/loop");
  EXPECT_FALSE(everything[3].regular);
  EXPECT_TRUE(List(dir_ / "gone").value().empty());
}

TEST_F(LocalDiskTest, CopiesAndHashes) {
  std::string bytes;
  for (int i = 0; i < 700'000; ++i) bytes += fmt::format("{:x}", i);
  ASSERT_TRUE(WriteDurable(dir_ / "from", bytes));
  const Digest digest = CopyDurable(dir_ / "from", dir_ / "to").value();
  EXPECT_EQ(digest.size, bytes.size());
  EXPECT_EQ(digest.sha256, Sha256Hex(bytes));
  EXPECT_EQ(ReadFile(dir_ / "to", bytes.size()).value(), bytes);
  uint32_t crc32c = 0;
  EXPECT_EQ(HashLargeFile(dir_ / "to", &crc32c).value().sha256, digest.sha256);
  EXPECT_EQ(crc32c, Crc32c(bytes));
  EXPECT_EQ(Crc32cOfFile(dir_ / "to").value(), crc32c);
  struct stat from{}, to{};
  ASSERT_EQ(::stat((dir_ / "from").c_str(), &from), 0);
  ASSERT_EQ(::stat((dir_ / "to").c_str(), &to), 0);
  EXPECT_NE(from.st_ino, to.st_ino);
  EXPECT_EQ(CopyDurable(dir_ / "gone", dir_ / "to2").error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(dir_ / "to2"));
}

TEST_F(LocalDiskTest, RefusesWhatIsNotARegularFile) {
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  ASSERT_TRUE(WriteDurable(dir_ / "a", "a"));
  fs::create_symlink(dir_ / "a", dir_ / "link");
  EXPECT_FALSE(HashFile(dir_ / "pipe"));
  EXPECT_FALSE(HashFile(dir_ / "link"));
  EXPECT_FALSE(FileSize(dir_ / "link"));
  EXPECT_EQ(HashFile(dir_ / "gone").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Crc32cOfFile(dir_ / "gone").error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(Crc32cOfFile(dir_ / "link"));
  EXPECT_EQ(FileSize(dir_ / "gone").value(), std::nullopt);
  EXPECT_EQ(FileSize(dir_ / "a").value(), 1U);
}

TEST_F(LocalDiskTest, NamesAFullDisk) {
  // /dev/full answers every write with ENOSPC.
  const Status status = WriteDurable("/dev/full", "x");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(status.error().message, "cannot write /dev/full: disk full");
}

TEST(PlainRelativePath, StaysBelow) {
  for (const char* good : {"a", "a/b", "..a/b..", "month=2024-01/data.parquet"}) EXPECT_TRUE(IsPlainRelativePath(good));
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "./a"}) {
    EXPECT_FALSE(IsPlainRelativePath(bad)) << bad;
  }
  EXPECT_FALSE(IsPlainRelativePath(std::string_view("a\0b", 3)));
}

TEST_F(LocalDiskTest, LockIsExclusiveAndNamesItsHolder) {
  Result<FileLock> lock = FileLock::Acquire(dir_ / "lock", "dataset x");
  ASSERT_TRUE(lock);
  const Result<FileLock> second = FileLock::Acquire(dir_ / "lock", "dataset x");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBusy);
  EXPECT_THAT(second.error().message, testing::StartsWith("dataset x is being written by another run"));
  EXPECT_EQ(FileSize(dir_ / "lock").value(), 0U);
  FileLock moved = *std::move(lock);
  EXPECT_FALSE(FileLock::Acquire(dir_ / "lock", "dataset x"));
  {
    const FileLock released = std::move(moved);
  }
  EXPECT_TRUE(FileLock::Acquire(dir_ / "lock", "dataset x"));
}

TEST_F(LocalDiskTest, KilledHolderReleasesTheLock) {
  const fs::path file = dir_ / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<FileLock> lock = FileLock::Acquire(file, "x");
    const char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(FileLock::Acquire(file, "x").error().kind, ErrorKind::kBusy);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(FileLock::Acquire(file, "x"));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace lode::store
