#include "lode/sink/duckdb/turn.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace lode::sink {

DuckdbTurn::DuckdbTurn(const lake::LakePaths& paths) {
  std::error_code problem;
  std::filesystem::create_directories(paths.locks(), problem);
  file_ = Descriptor(::open((paths.locks() / "_views.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  while (file_.get() >= 0 && ::flock(file_.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
}

}  // namespace lode::sink
