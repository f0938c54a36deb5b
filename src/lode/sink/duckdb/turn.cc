#include "lode/sink/duckdb/turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace lode::sink {

DuckdbTurn::DuckdbTurn(const lake::LakePaths& paths) {
  std::error_code problem;
  std::filesystem::create_directories(paths.locks(), problem);
  fd_ = ::open((paths.locks() / "_views.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

DuckdbTurn::~DuckdbTurn() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace lode::sink
