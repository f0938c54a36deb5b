#include "lode/codec/appended_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace lode::codec {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// A file that is gone when it is closed.
int OpenUnnamed(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = (folder / "text.XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

AppendedText::~AppendedText() {
  if (base_ != nullptr) ::munmap(base_, size_t{kMaxNumbers} * kUnit);
  if (fd_ >= 0) ::close(fd_);
}

Status AppendedText::SpillTo(const std::filesystem::path& folder, size_t kept_bytes) {
  kept_bytes_ = kept_bytes;
  if (fd_ >= 0) return Ok();
  fd_ = OpenUnnamed(folder);
  if (fd_ >= 0) return Ok();
  return Fail(ErrorKind::kStorage, "{}: cannot make a temporary file: {}", folder.string(), std::strerror(errno));
}

Status AppendedText::NextChunk() {
  static_assert(kMaxTextBytes + kHeadBytes + kUnit < kChunkBytes);
  if (end_ > 0) full_.push_back({end_ - kChunkBytes, chunks_begun_});
  if (free_.empty()) {
    while (fd_ >= 0 && full_.size() * kChunkBytes > kept_bytes_) {
      LODE_TRY(Spill(full_.front().begin));
      full_.pop_front();
    }
    LODE_TRY(Extend());
  }
  const size_t begin = free_.back();
  if (::mprotect(base_ + begin, kChunkBytes, PROT_READ | PROT_WRITE) != 0) {
    return Fail(ErrorKind::kInternal, "no memory for text: {}", std::strerror(errno));
  }
  free_.pop_back();
  filled_ = begin;
  end_ = begin + kChunkBytes;
  ++chunks_begun_;
  return Ok();
}

Status AppendedText::Extend() {
  if (base_ == nullptr) {
    void* const space =
        ::mmap(nullptr, size_t{kMaxNumbers} * kUnit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) return Fail(ErrorKind::kInternal, "no address space for text: {}", std::strerror(errno));
    base_ = static_cast<char*>(space);
  }
  if (size_t{kMaxNumbers} * kUnit - writable_ < kChunkBytes) {
    return Fail(ErrorKind::kBadInput, "more than 8 GiB of distinct text in one import");
  }
  free_.push_back(writable_);
  writable_ += kChunkBytes;
  return Ok();
}

Status AppendedText::Spill(size_t begin) {
  char* const chunk = base_ + begin;
  for (size_t done = 0; done < kChunkBytes;) {
    const ssize_t wrote = ::pwrite(fd_, chunk + done, kChunkBytes - done, static_cast<off_t>(begin + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return Fail(ErrorKind::kStorage, "cannot write temporary text: {}", std::strerror(errno));
    done += static_cast<size_t>(wrote);
  }
  if (::mmap(chunk, kChunkBytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd_, static_cast<off_t>(begin)) == MAP_FAILED) {
    return Fail(ErrorKind::kInternal, "cannot map temporary text: {}", std::strerror(errno));
  }
  if (spilled_.empty() || spilled_.back().end != begin) spilled_.push_back({begin, begin});
  spilled_.back().end += kChunkBytes;
  spilled_bytes_ += kChunkBytes;
  return Ok();
}

void AppendedText::Forget(uint64_t mark) {
  for (; !full_.empty() && full_.front().number < mark; full_.pop_front()) {
    const size_t begin = full_.front().begin;
    // Who asks all the same is found by the tests.
    if (LODE_SANITIZED) ::mprotect(base_ + begin, kChunkBytes, PROT_NONE);
    free_.push_back(begin);
  }
}

void AppendedText::ReleasePages() const {
  for (const Range& range : spilled_) ::madvise(base_ + range.begin, range.end - range.begin, MADV_DONTNEED);
}

}  // namespace lode::codec
