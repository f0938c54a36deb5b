// Shared by the files of this folder: errno as an Error, and file descriptors that close themselves.
#pragma once

#include <unistd.h>

#include <string_view>
#include <utility>

#include "lode/base/result.h"
#include "lode/store/local_disk.h"

namespace lode::store {

// "cannot <verb> <path>: <errno text>". Disk full, quota and read-only are said in plain words.
std::unexpected<Error> OsError(int error, std::string_view verb, const fs::path& path,
                               ErrorKind kind = ErrorKind::kStorage);

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace lode::store
