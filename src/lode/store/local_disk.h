// The local disk: durable writes, listings, copies and locks. Every function is one or a few system calls; errors are
// kStorage with path and errno text ("disk full" and "read-only" are named), kNotFound where said.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
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
// The same without waiting for the disk; not through a symbolic link.
Status Write(const fs::path& path, std::string_view bytes);
// Adds to a file, creating it; one write, and no waiting for the disk.
Status Append(const fs::path& path, std::string_view bytes);
// Temporary "<name>.new" in `temporary_dir`, fsync, rename onto `path`, fsync of the folder. What a killed run leaves
// is overwritten by the next. Two writers of one path must take turns by a lock.
Status ReplaceDurable(const fs::path& path, std::string_view bytes, const fs::path& temporary_dir);
Status Rename(const fs::path& from, const fs::path& to);
// Renames onto a name that must be free; kCorrupt when something is there already.
Status RenameNew(const fs::path& from, const fs::path& to);
// Atomically swaps two existing files, so that the old version survives under the temporary's name until the caller
// removes it. False where the file system cannot (then nothing has happened).
Result<bool> Exchange(const fs::path& a, const fs::path& b);
Status SyncDirectory(const fs::path& dir);
Status SyncFile(const fs::path& path);
// All of them; the disk has them to write before it is waited for the first time, so that many small ones cost little
// more than one.
Status SyncFiles(std::span<const fs::path> paths);
// mkdir -p that fsyncs the parent of every folder it makes.
Status MakeDirectories(const fs::path& dir);
// Removes a file; absent is fine.
Status Remove(const fs::path& path);
// Removes a folder that is empty. False when it is not, or not there.
Result<bool> RemoveIfEmpty(const fs::path& dir);

struct FileInfo {
  std::string path;  // relative to the listed folder, '/' separated
  uint64_t size = 0;
  bool regular = true;  // false: symbolic link, pipe, device (only from ListEverything)
};
// Regular files below `dir`, sorted by path; an absent folder is empty. Symbolic links are not followed.
Result<std::vector<FileInfo>> List(const fs::path& dir);
// The same with everything else that is not a folder.
Result<std::vector<FileInfo>> ListEverything(const fs::path& dir);

// A path that stays below the folder it is joined to: relative, no empty, "." or ".." part, no NUL.
bool IsPlainRelativePath(std::string_view path);

// Size of a regular file, nullopt when absent.
Result<std::optional<uint64_t>> FileSize(const fs::path& path);
// The same of a path below an open folder.
Result<std::optional<uint64_t>> FileSizeAt(int folder, const std::string& path);
Result<uint64_t> FreeBytes(const fs::path& dir);

struct Digest {
  uint64_t size = 0;
  std::string sha256;
};
// Of a regular file, not through a symbolic link; kNotFound when absent.
Result<Digest> HashFile(const fs::path& path);
// The same, with its CRC-32C in the same reading. A stop ends it (kInterrupted): the file may be as large as vendors
// make them.
Result<Digest> HashLargeFile(const fs::path& path, uint32_t* crc32c);
// The CRC-32C alone.
Result<uint32_t> Crc32cOfFile(const fs::path& path);
// Copies by reflink where the file system can, else by bytes; fsyncs the copy. Never a hard link: the source may be
// appended to. The digest is of the copy.
Result<Digest> CopyDurable(const fs::path& from, const fs::path& to);

// Exclusive advisory lock on a file (flock): released by the kernel when the process dies, however it dies. Nothing is
// written into the file, so that a run without work leaves the lake untouched; the holder is looked up in /proc/locks.
class FileLock {
 public:
  // kBusy, naming `what` is held and by which process, when somebody has it. Creates the file, not its folder.
  static Result<FileLock> Acquire(const fs::path& path, std::string_view what);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace lode::store
