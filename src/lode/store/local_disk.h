// The local disk: durable writes, listings, copies and locks. Every function is one or a few system calls; errors are
// kStorage with path and errno text ("disk full" and "read-only" are named), kNotFound where said.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::store {

namespace fs = std::filesystem;

// Whole file; kNotFound when absent, kBadInput when larger than `limit_bytes`.
Result<std::string> ReadFile(const fs::path& path, uint64_t limit_bytes);
// Creates (replacing) and fsyncs a file. Not atomic: for temporaries.
Status WriteDurable(const fs::path& path, std::string_view bytes);
// Temporary in `temporary_dir`, fsync, rename onto `path`, fsync of the folder.
Status ReplaceDurable(const fs::path& path, std::string_view bytes, const fs::path& temporary_dir);
Status Rename(const fs::path& from, const fs::path& to);
Status SyncDirectory(const fs::path& dir);
Status SyncFile(const fs::path& path);
// mkdir -p that fsyncs the parent of every folder it makes.
Status MakeDirectories(const fs::path& dir);
// Removes a file; absent is fine.
Status Remove(const fs::path& path);

struct FileInfo {
  std::string path;  // relative to the listed folder, '/' separated
  uint64_t size = 0;
};
// Regular files below `dir`, sorted by path; an absent folder is empty. Symbolic links are not followed.
Result<std::vector<FileInfo>> List(const fs::path& dir);

// Size of a regular file, nullopt when absent.
Result<std::optional<uint64_t>> FileSize(const fs::path& path);
Result<uint64_t> FreeBytes(const fs::path& dir);

struct Digest {
  uint64_t size = 0;
  std::string sha256;
};
Result<Digest> HashFile(const fs::path& path);
// Copies by reflink where the file system can, else by bytes; fsyncs the copy. Never a hard link: the source may be
// appended to. The digest is of the copy.
Result<Digest> CopyDurable(const fs::path& from, const fs::path& to);

// Exclusive advisory lock on a file (flock): released by the kernel when the process dies, however it dies.
class FileLock {
 public:
  // kBusy (with the owner's text) when another process holds it.
  static Result<FileLock> Acquire(const fs::path& path, std::string_view owner);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace lode::store
