#include "lode/net/file_body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

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
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  body->file_ = Descriptor(::open(body->options_.path.c_str(), flags, 0644));
  if (body->file_.get() < 0) return body->OsError("open");
  struct stat info{};
  if (::fstat(body->file_.get(), &info) != 0) return body->OsError("look at");
  if (!S_ISREG(info.st_mode)) {
    return Fail(ErrorKind::kStorage, "{} is not a regular file", body->options_.path.string());
  }
  const auto present = static_cast<uint64_t>(info.st_size);
  if (!body->options_.resume || (body->options_.expected_size && present > *body->options_.expected_size)) {
    LODE_TRY(body->StartAnew());
    return body;
  }
  LODE_TRY(body->HashPresent());
  if (body->options_.expected_size == body->size_ && body->size_ > 0) {
    body->sha256_ = body->hash_.HexDigest();
    body->whole_ = body->sha256_ == body->options_.expected_sha256;
    // As long as expected, but nothing says it is the same: a range after its end would only be refused.
    if (!body->whole_) LODE_TRY(body->StartAnew());
  }
  return body;
}

Status FileBody::HashPresent() {
  std::vector<char> block(kBlockBytes);
  while (true) {
    const ssize_t count = ::read(file_.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError("read");
    if (count == 0) return Ok();
    hash_.Update(std::string_view(block.data(), static_cast<size_t>(count)));
    size_ += static_cast<uint64_t>(count);
  }
}

Status FileBody::StartAnew() {
  if (::ftruncate(file_.get(), 0) != 0) return OsError("write");
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) return OsError("write");
  hash_ = Sha256();
  size_ = 0;
  sha256_.clear();
  whole_ = false;
  return Ok();
}

Status FileBody::Begin(const ResponseHead& head, uint64_t offset) {
  if (offset != 0 && offset != size_) {
    return Fail(ErrorKind::kInternal, "a response at {} for a file of {} bytes", offset, size_);
  }
  if (offset == 0) LODE_TRY(StartAnew());
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
  hash_.Update(bytes);
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return OsError("write");
    bytes = bytes.subspan(static_cast<size_t>(count));
    size_ += static_cast<uint64_t>(count);
  }
  return Ok();
}

Status FileBody::End() {
  sha256_ = hash_.HexDigest();
  if (options_.expected_size && size_ != *options_.expected_size) {
    const uint64_t size = size_;
    LODE_TRY(StartAnew());
    return Fail(ErrorKind::kCorrupt, "{} bytes instead of {}", size, *options_.expected_size);
  }
  if (!options_.expected_sha256.empty() && sha256_ != options_.expected_sha256) {
    LODE_TRY(StartAnew());
    return Fail(ErrorKind::kCorrupt, "another SHA-256 than the expected {}", options_.expected_sha256);
  }
  if (options_.sync && ::fsync(file_.get()) != 0) return OsError("write");
  return Ok();
}

}  // namespace lode::net
