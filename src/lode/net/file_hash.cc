#include "lode/net/file_hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lode/base/descriptor.h"

namespace lode::net {
namespace {

constexpr uint64_t kSmall = 4 << 20;
constexpr size_t kBlockBytes = 64 << 10;
// The thread is woken for no less.
constexpr uint64_t kWorthWaking = 512 << 10;

}  // namespace

class FileHash::Follower {
 public:
  Follower(Sha256 hash, uint64_t hashed, Descriptor file)
      : file_(std::move(file)), hash_(std::move(hash)), hashed_(hashed), woken_for_(hashed) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  void Follow(uint64_t size) {
    if (size < woken_for_ + kWorthWaking) return;
    woken_for_ = size;
    const std::lock_guard lock(mutex_);
    size_ = size;
    changed_.notify_one();
  }

  Result<std::string> Finish(uint64_t size) {
    {
      const std::lock_guard lock(mutex_);
      size_ = size;
      ends_ = true;
      changed_.notify_one();
    }
    thread_.join();
    if (!status_) return std::unexpected(std::move(status_).error());
    return hash_.HexDigest();
  }

 private:
  void Run(const std::stop_token& stop) {
    std::vector<std::byte> block(kBlockBytes);
    while (true) {
      uint64_t size = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [&] { return ends_ || size_ > hashed_; });
        if (stop.stop_requested() || (ends_ && size_ == hashed_)) return;
        size = size_;
      }
      status_ = HashUntil(size, block, stop);
      if (!status_ || stop.stop_requested()) return;
    }
  }

  Status HashUntil(uint64_t size, std::span<std::byte> block, const std::stop_token& stop) {
    while (hashed_ < size && !stop.stop_requested()) {
      const size_t wanted = std::min<uint64_t>(block.size(), size - hashed_);
      const ssize_t count = ::pread(file_.get(), block.data(), wanted, static_cast<off_t>(hashed_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Fail(ErrorKind::kStorage, "cannot read what was fetched: {}", std::strerror(errno));
      if (count == 0) return Fail(ErrorKind::kStorage, "what was fetched was cut off by somebody else");
      hash_.Update(block.first(static_cast<size_t>(count)));
      hashed_ += static_cast<uint64_t>(count);
    }
    return Ok();
  }

  const Descriptor file_;
  Sha256 hash_;         // of the first hashed_ bytes: the thread's, until it has ended
  uint64_t hashed_;     // the thread's
  uint64_t woken_for_;  // the writer's
  Status status_;       // the thread's, until it has ended
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t size_ = 0;  // guarded by mutex_, as the next
  bool ends_ = false;
  std::jthread thread_;
};

FileHash::FileHash() = default;
FileHash::~FileHash() = default;

void FileHash::Take(std::span<const std::byte> bytes, int file) {
  taken_ += bytes.size();
  if (follower_ != nullptr) return follower_->Follow(taken_);
  hash_.Update(bytes);
  if (taken_ < kSmall) return;
  Descriptor own(::fcntl(file, F_DUPFD_CLOEXEC, 0));
  if (own.get() < 0) return;  // no descriptor left: hashed here
  follower_ = std::make_unique<Follower>(std::exchange(hash_, Sha256()), taken_, std::move(own));
}

Result<std::string> FileHash::Finish() {
  if (follower_ == nullptr) return std::exchange(hash_, Sha256()).HexDigest();
  auto digest = follower_->Finish(taken_);
  follower_.reset();
  return digest;
}

void FileHash::Reset() {
  follower_.reset();
  hash_ = Sha256();
  taken_ = 0;
}

}  // namespace lode::net
