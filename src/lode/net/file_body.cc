#include "lode/net/file_body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "lode/base/hashing.h"

namespace lode::net {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

}  // namespace

std::unexpected<Error> FileBody::OsError(const char* verb) const {
  const int error = errno;
  const char* words = error == ENOSPC ? "disk full" : error == EROFS ? "read-only file system" : std::strerror(error);
  return Fail(ErrorKind::kStorage, "cannot {} {}: {}", verb, options_.path.string(), words);
}

Result<std::shared_ptr<FileBody>> FileBody::Open(FileBodyOptions options) {
  std::shared_ptr<FileBody> body(new FileBody(std::move(options)));
  if (body->options_.resume) LODE_TRY(body->TakePresent());
  return body;
}

Status FileBody::OpenFile(int flags) {
  // No link is followed, no pipe waited for.
  file_ = Descriptor(::open(options_.path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0644));
  if (file_.get() < 0) return OsError("open");
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return OsError("look at");
  if (!S_ISREG(info.st_mode)) {
    file_ = Descriptor();
    return Fail(ErrorKind::kStorage, "{} is not a regular file", options_.path.string());
  }
  return Ok();
}

Status FileBody::TakePresent() {
  std::error_code problem;
  if (!std::filesystem::exists(std::filesystem::symlink_status(options_.path, problem))) return Ok();
  LODE_TRY(OpenFile(0));
  std::vector<char> block(kBlockBytes);
  const uint64_t expected = options_.expected_size.value_or(UINT64_MAX);
  while (size_ <= expected) {
    const ssize_t count = ::read(file_.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError("read");
    if (count == 0) break;
    crc32c_ = Crc32c(std::string_view(block.data(), static_cast<size_t>(count)), crc32c_);
    size_ += static_cast<uint64_t>(count);
  }
  if (size_ == expected && !options_.expected_sha256.empty()) {
    LODE_TRY(const std::string sha256, HashAll());
    whole_ = sha256 == options_.expected_sha256;
  }
  file_ = Descriptor();
  if (whole_ || size_ < expected) return Ok();
  // No beginning of what is expected: a range after its end would only be refused.
  size_ = 0;
  crc32c_ = 0;
  return Ok();
}

// The file is open.
Result<std::string> FileBody::HashAll() const {
  std::vector<char> block(kBlockBytes);
  Sha256 hash;
  for (uint64_t at = 0; at < size_;) {
    const ssize_t count = ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError("read");
    if (count == 0) return Fail(ErrorKind::kStorage, "{} was cut off by somebody else", options_.path.string());
    hash.Update(std::string_view(block.data(), static_cast<size_t>(count)));
    at += static_cast<uint64_t>(count);
  }
  return hash.HexDigest();
}

Status FileBody::StartAnew() {
  if (file_.get() < 0) {
    LODE_TRY(OpenFile(O_CREAT | O_TRUNC));
  } else if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) {
    return OsError("write");
  }
  size_ = 0;
  crc32c_ = 0;
  whole_ = false;
  return Ok();
}

Status FileBody::Begin(const ResponseHead& head, uint64_t offset) {
  if (offset == 0) {
    LODE_TRY(StartAnew());
  } else {
    if (offset != size_) {
      return Fail(ErrorKind::kInternal, "a response at {} for a file of {} bytes", offset, size_);
    }
    if (file_.get() < 0) LODE_TRY(OpenFile(0));
    if (::lseek(file_.get(), 0, SEEK_END) != static_cast<off_t>(size_)) {
      return Fail(ErrorKind::kStorage, "{} was changed by somebody else", options_.path.string());
    }
  }
  if (options_.expected_size && head.content_length && offset + *head.content_length > *options_.expected_size) {
    LODE_TRY(StartAnew());
    return Fail(ErrorKind::kCorrupt, "{} bytes instead of {}", offset + *head.content_length, *options_.expected_size);
  }
  return Ok();
}

Status FileBody::Write(std::span<const std::byte> bytes) {
  if (options_.expected_size && size_ + bytes.size() > *options_.expected_size) {
    LODE_TRY(StartAnew());
    return Fail(ErrorKind::kCorrupt, "more than {} bytes", *options_.expected_size);
  }
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError("write");
    crc32c_ = Crc32c(bytes.first(static_cast<size_t>(count)), crc32c_);
    bytes = bytes.subspan(static_cast<size_t>(count));
    size_ += static_cast<uint64_t>(count);
  }
  return Ok();
}

Status FileBody::End() {
  if (options_.expected_size && size_ != *options_.expected_size) {
    const uint64_t size = size_;
    LODE_TRY(StartAnew());
    return Fail(ErrorKind::kCorrupt, "{} bytes instead of {}", size, *options_.expected_size);
  }
  if (!options_.expected_sha256.empty()) {
    LODE_TRY(const std::string sha256, HashAll());
    if (sha256 != options_.expected_sha256) {
      LODE_TRY(StartAnew());
      return Fail(ErrorKind::kCorrupt, "another SHA-256 than the expected {}", options_.expected_sha256);
    }
  }
  if (options_.sync && ::fsync(file_.get()) != 0) return OsError("write");
  if (::close(file_.Release()) != 0) return OsError("write");
  return Ok();
}

}  // namespace lode::net
