#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

#include "lode/store/local_disk.h"
#include "lode/store/lock_holder.h"
#include "lode/store/os_error_internal.h"

namespace lode::store {

namespace {

// Process that holds a flock on the open file, as /proc/locks tells: "1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF".
// Empty when it cannot be told (another machine, another container).
std::string HolderOf(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return "";
  const std::string wanted = fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    std::istringstream words(line);
    std::string number, type, advice, mode, pid, place;
    words >> number >> type >> advice >> mode >> pid >> place;
    if (type == "FLOCK" && place == wanted) return pid;
  }
  return "";
}

}  // namespace

Result<FileLock> FileLock::Acquire(const fs::path& path, std::string_view what) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() < 0) return OsError(errno, "lock", path);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return OsError(errno, "lock", path);
    const std::string pid = HolderOf(file.get());
    return Fail(ErrorKind::kBusy, "{} is being written by another run{}; wait for it to end", what,
                pid.empty() ? "" : fmt::format(" (process {})", pid));
  }
  return FileLock(file.Release());
}

std::optional<int> LockHolder(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return std::nullopt;
  const std::string text = HolderOf(file.get());
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid > 0 ? std::optional(pid) : std::nullopt;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

// Closing the only descriptor releases the lock.
FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace lode::store
