#include "lode/store/local_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "lode/base/hashing.h"
#include "lode/base/stop.h"
#include "lode/store/os_error_internal.h"

namespace lode::store {

namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;

// Opens for reading; the caller sees errno. Never blocks on a pipe, never follows a link in the last part when told.
int OpenForReading(const fs::path& path, int extra_flags) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | extra_flags);
}

Result<Descriptor> OpenRegular(const fs::path& path, int extra_flags, struct stat* info) {
  Descriptor file(OpenForReading(path, extra_flags));
  if (file.get() < 0) {
    const int error = errno;
    if (error == ELOOP) return Fail(ErrorKind::kBadInput, "{} is a symbolic link", path.string());
    const bool absent = error == ENOENT || error == ENOTDIR;
    return OsError(error, "open", path, absent ? ErrorKind::kNotFound : ErrorKind::kStorage);
  }
  if (::fstat(file.get(), info) != 0) return OsError(errno, "look at", path);
  if (!S_ISREG(info->st_mode)) return Fail(ErrorKind::kBadInput, "{} is not a regular file", path.string());
  return file;
}

Status WriteAll(int fd, const char* bytes, size_t size, const fs::path& path) {
  while (size > 0) {
    const ssize_t written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return OsError(errno, "write", path);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return Ok();
}

Status WriteWith(int flags, const fs::path& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, kFileMode));
  if (file.get() < 0) return OsError(errno, "create", path);
  LODE_TRY(WriteAll(file.get(), bytes.data(), bytes.size(), path));
  if (::close(file.Release()) != 0) return OsError(errno, "write", path);
  return Ok();
}

// Reads up to `size` bytes, fewer only at the end of the file.
Result<size_t> ReadBlock(int fd, char* bytes, size_t size, const fs::path& path) {
  size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(fd, bytes + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError(errno, "read", path);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  return filled;
}

Status SyncAndClose(Descriptor file, const fs::path& path) {
  if (::fsync(file.get()) != 0) return OsError(errno, "write", path);
  if (::close(file.Release()) != 0) return OsError(errno, "write", path);
  return Ok();
}

// Hashes what `from` holds and, when `to` is a descriptor, writes it there.
Result<Digest> Drain(int from, const fs::path& from_path, int to, const fs::path& to_path) {
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  Sha256 hash;
  Digest digest;
  while (true) {
    LODE_TRY(const size_t count, ReadBlock(from, block.get(), kBlockBytes, from_path));
    if (count == 0) break;
    hash.Update(std::string_view(block.get(), count));
    digest.size += count;
    if (to >= 0) LODE_TRY(WriteAll(to, block.get(), count, to_path));
  }
  digest.sha256 = hash.HexDigest();
  return digest;
}

Status ReadBlocks(const fs::path& path, const std::function<Status(std::string_view)>& take) {
  struct stat info{};
  LODE_TRY(const Descriptor file, OpenRegular(path, O_NOFOLLOW, &info));
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  while (true) {
    LODE_TRY(const size_t count, ReadBlock(file.get(), block.get(), kBlockBytes, path));
    if (count == 0) return Ok();
    LODE_TRY(take(std::string_view(block.get(), count)));
  }
}

struct DirectoryCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// Adds the entries of one folder; subfolders go to `pending` with their path relative to the listing's root. Things
// that vanish meanwhile are skipped.
Status ListFolder(const fs::path& root, const std::string& relative, bool everything, std::vector<FileInfo>* files,
                  std::vector<std::string>* pending) {
  const fs::path path = relative.empty() ? root : root / relative;
  const std::unique_ptr<DIR, DirectoryCloser> dir(::opendir(path.c_str()));
  if (dir == nullptr) {
    if (errno == ENOENT) return Ok();
    return OsError(errno, "list", path);
  }
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return OsError(errno, "list", path);
      return Ok();
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info{};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return OsError(errno, "look at", path / name);
    }
    std::string child = relative.empty() ? std::string(name) : fmt::format("{}/{}", relative, name);
    if (S_ISDIR(info.st_mode)) {
      pending->push_back(std::move(child));
    } else if (S_ISREG(info.st_mode)) {
      files->push_back({std::move(child), static_cast<uint64_t>(info.st_size), true});
    } else if (everything) {
      files->push_back({std::move(child), 0, false});
    }
  }
}

Result<std::vector<FileInfo>> ListTree(const fs::path& dir, bool everything) {
  std::vector<FileInfo> files;
  std::vector<std::string> pending{""};
  while (!pending.empty()) {
    const std::string relative = std::move(pending.back());
    pending.pop_back();
    LODE_TRY(ListFolder(dir, relative, everything, &files, &pending));
  }
  std::ranges::sort(files, {}, &FileInfo::path);
  return files;
}

}  // namespace

std::unexpected<Error> OsError(int error, std::string_view verb, const fs::path& path, ErrorKind kind) {
  std::string_view plain;
  switch (error) {
    case ENOSPC: plain = "disk full"; break;
    case EDQUOT: plain = "disk quota reached"; break;
    case EROFS: plain = "read-only file system"; break;
    case EACCES:
    case EPERM: plain = "permission denied"; break;
    default: plain = std::strerror(error); break;
  }
  return Fail(kind, "cannot {} {}: {}", verb, path.string(), plain);
}

Result<std::string> ReadFile(const fs::path& path, uint64_t limit_bytes) {
  struct stat info{};
  LODE_TRY(const Descriptor file, OpenRegular(path, 0, &info));
  if (static_cast<uint64_t>(info.st_size) > limit_bytes) {
    return Fail(ErrorKind::kBadInput, "{} is larger than {} bytes", path.string(), limit_bytes);
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  LODE_TRY(const size_t count, ReadBlock(file.get(), bytes.data(), bytes.size(), path));
  bytes.resize(count);
  return bytes;
}

Status WriteDurable(const fs::path& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (file.get() < 0) return OsError(errno, "create", path);
  LODE_TRY(WriteAll(file.get(), bytes.data(), bytes.size(), path));
  return SyncAndClose(std::move(file), path);
}

Status Write(const fs::path& path, std::string_view bytes) {
  return WriteWith(O_TRUNC | O_NOFOLLOW | O_NONBLOCK, path, bytes);
}

Status Append(const fs::path& path, std::string_view bytes) { return WriteWith(O_APPEND, path, bytes); }

Status ReplaceDurable(const fs::path& path, std::string_view bytes, const fs::path& temporary_dir) {
  const fs::path temporary = temporary_dir / fmt::format("{}.new", path.filename().string());
  Status written = WriteDurable(temporary, bytes);
  if (written) written = Rename(temporary, path);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return SyncDirectory(path.parent_path());
}

Status Rename(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return OsError(errno, fmt::format("rename {} to", from.string()), to);
  return Ok();
}

Status RenameNew(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Ok();
  const int error = errno;
  if (error == EEXIST) return OsError(error, fmt::format("rename {} to", from.string()), to, ErrorKind::kCorrupt);
  if (error != EINVAL && error != ENOSYS && error != EOPNOTSUPP) {
    return OsError(error, fmt::format("rename {} to", from.string()), to);
  }
  // A file system without the flag: the dataset's lock keeps the gap between look and rename harmless.
  LODE_TRY(const std::optional<uint64_t> there, FileSize(to));
  if (there) return OsError(EEXIST, fmt::format("rename {} to", from.string()), to, ErrorKind::kCorrupt);
  return Rename(from, to);
}

Result<bool> Exchange(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  const int error = errno;
  if (error == EINVAL || error == ENOSYS || error == EOPNOTSUPP) return false;
  return OsError(error, fmt::format("exchange {} and", a.string()), b);
}

Status SyncDirectory(const fs::path& dir) {
  const Descriptor folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return OsError(errno, "open", dir);
  if (::fsync(folder.get()) != 0) return OsError(errno, "write", dir);
  return Ok();
}

Status SyncFiles(std::span<const fs::path> paths) {
  for (const fs::path& path : paths) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return OsError(errno, "open", path);
    ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // a hint; what counts is below
  }
  // Side by side: a disk that is asked to flush by many flushes once for all of them.
  constexpr size_t kThreads = 16;
  if (paths.size() < kThreads) {
    for (const fs::path& path : paths) LODE_TRY(SyncFile(path));
    return Ok();
  }
  std::array<Status, kThreads> results;
  {
    std::vector<std::jthread> threads;
    for (size_t first = 0; first < kThreads; ++first) {
      threads.emplace_back([paths, first, &result = results[first]] {
        for (size_t i = first; i < paths.size() && result; i += kThreads) result = SyncFile(paths[i]);
      });
    }
  }
  for (Status& result : results) LODE_TRY(std::move(result));
  return Ok();
}

Status SyncFile(const fs::path& path) {
  struct stat info{};
  LODE_TRY(const Descriptor file, OpenRegular(path, 0, &info));
  if (::fsync(file.get()) != 0) return OsError(errno, "write", path);
  return Ok();
}

Status MakeDirectories(const fs::path& dir) {
  struct stat info{};
  if (::stat(dir.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return Ok();
    return OsError(ENOTDIR, "use", dir);
  }
  if (errno != ENOENT) return OsError(errno, "look at", dir);
  fs::path path = dir.is_absolute() ? fs::path("/") : fs::path();
  for (const fs::path& part : dir.relative_path()) {
    if (part.empty()) continue;  // a trailing slash
    const fs::path parent = path.empty() ? fs::path(".") : path;
    path /= part;
    if (::mkdir(path.c_str(), kFolderMode) == 0) {
      LODE_TRY(SyncDirectory(parent));
      continue;
    }
    const int error = errno;
    // Read-only file systems say EROFS, unreadable parents EACCES, also for folders that exist.
    if (::stat(path.c_str(), &info) != 0) return OsError(error, "create folder", path);
    if (!S_ISDIR(info.st_mode)) return OsError(ENOTDIR, "use", path);
  }
  return Ok();
}

Status Remove(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return OsError(errno, "remove", path);
  return Ok();
}

Result<bool> RemoveIfEmpty(const fs::path& dir) {
  if (::rmdir(dir.c_str()) == 0) return true;
  if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return false;
  return OsError(errno, "remove folder", dir);
}

Result<std::vector<FileInfo>> List(const fs::path& dir) { return ListTree(dir, false); }

Result<std::vector<FileInfo>> ListEverything(const fs::path& dir) { return ListTree(dir, true); }

bool IsPlainRelativePath(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::optional<uint64_t>> FileSize(const fs::path& path) { return FileSizeAt(AT_FDCWD, path.string()); }

Result<std::optional<uint64_t>> FileSizeAt(int folder, const std::string& path) {
  struct stat info{};
  if (::fstatat(folder, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return OsError(errno, "look at", path);
  }
  if (!S_ISREG(info.st_mode)) return Fail(ErrorKind::kBadInput, "{} is not a regular file", path);
  return static_cast<uint64_t>(info.st_size);
}

Result<uint64_t> FreeBytes(const fs::path& dir) {
  struct statvfs info{};
  if (::statvfs(dir.c_str(), &info) != 0) return OsError(errno, "look at", dir);
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<Digest> HashFile(const fs::path& path) {
  struct stat info{};
  LODE_TRY(const Descriptor file, OpenRegular(path, O_NOFOLLOW, &info));
  return Drain(file.get(), path, -1, {});
}

Result<Digest> HashLargeFile(const fs::path& path, uint32_t* crc32c) {
  Sha256 hash;
  Digest digest;
  *crc32c = 0;
  LODE_TRY(ReadBlocks(path, [&](std::string_view block) {
    hash.Update(block);
    *crc32c = Crc32c(block, *crc32c);
    digest.size += block.size();
    return CheckStop();
  }));
  digest.sha256 = hash.HexDigest();
  return digest;
}

Result<uint32_t> Crc32cOfFile(const fs::path& path) {
  uint32_t crc32c = 0;
  LODE_TRY(ReadBlocks(path, [&](std::string_view block) {
    crc32c = Crc32c(block, crc32c);
    return Status();
  }));
  return crc32c;
}

Result<Digest> CopyDurable(const fs::path& from, const fs::path& to) {
  struct stat info{};
  LODE_TRY(const Descriptor source, OpenRegular(from, 0, &info));
  Descriptor copy(::open(to.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (copy.get() < 0) return OsError(errno, "create", to);
  // A reflink shares blocks, not later changes; the copy is then read back, so the digest is of what is kept.
  const bool linked = ::ioctl(copy.get(), FICLONE, source.get()) == 0;
  Result<Digest> digest = linked ? Drain(copy.get(), to, -1, {}) : Drain(source.get(), from, copy.get(), to);
  if (digest) {
    if (Status synced = SyncAndClose(std::move(copy), to); !synced) digest = std::unexpected(std::move(synced).error());
  }
  if (!digest) ::unlink(to.c_str());
  return digest;
}

}  // namespace lode::store
