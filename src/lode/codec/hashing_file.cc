#include "lode/codec/hashing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lode::codec {
namespace {

constexpr size_t kBufferBytes = size_t{128} << 10;

}  // namespace

HashingFile::HashingFile(Key, std::filesystem::path path, int fd)
    : path_(std::move(path)), fd_(fd), buffer_(kBufferBytes) {}

HashingFile::~HashingFile() {
  if (finished_) return;
  struct stat status{};
  const bool regular = fd_ < 0 || (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode));
  if (fd_ >= 0) ::close(fd_);
  if (regular) ::unlink(path_.c_str());
}

Result<std::shared_ptr<HashingFile>> HashingFile::Create(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return Fail(ErrorKind::kStorage, "cannot create {}: {}", path.string(), std::strerror(errno));
  return std::make_shared<HashingFile>(Key{}, path, fd);
}

std::unexpected<Error> HashingFile::SystemError(std::string_view step) {
  auto error = Fail(ErrorKind::kStorage, "cannot {} {}: {}", step, path_.string(), std::strerror(errno));
  if (!failure_) failure_ = error.error();
  return error;
}

Status HashingFile::WriteAll(const uint8_t* bytes, size_t count) {
  hash_.Update(std::as_bytes(std::span(bytes, count)));
  while (count > 0) {
    const ssize_t written = ::write(fd_, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write");
    bytes += written;
    count -= static_cast<size_t>(written);
  }
  return Ok();
}

Status HashingFile::FlushBuffer() {
  const size_t count = std::exchange(buffered_, 0);
  return WriteAll(buffer_.data(), count);
}

arrow::Status HashingFile::Write(const void* bytes, int64_t count) {
  if (failure_) return arrow::Status::IOError(failure_->message);
  const auto* from = static_cast<const uint8_t*>(bytes);
  const auto size = static_cast<size_t>(count);
  if (buffered_ + size > buffer_.size()) {
    if (auto flushed = FlushBuffer(); !flushed) return arrow::Status::IOError(flushed.error().message);
  }
  if (size > buffer_.size()) {
    if (auto written = WriteAll(from, size); !written) return arrow::Status::IOError(written.error().message);
  } else if (size > 0) {
    std::memcpy(buffer_.data() + buffered_, from, size);
    buffered_ += size;
  }
  position_ += count;
  return arrow::Status::OK();
}

arrow::Status HashingFile::Flush() { return arrow::Status::OK(); }

arrow::Status HashingFile::Close() { return arrow::Status::OK(); }

Result<std::string> HashingFile::Finish() {
  if (failure_) return std::unexpected(*failure_);
  LODE_TRY(FlushBuffer());
  if (::fsync(fd_) != 0) return SystemError("fsync");
  if (::close(std::exchange(fd_, -1)) != 0) return SystemError("close");
  finished_ = true;
  return hash_.HexDigest();
}

}  // namespace lode::codec
