#include "lode/sink/duckdb/pins.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> Storage(const char* what, const fs::path& path) {
  return Fail(ErrorKind::kStorage, "{} {}: {}", what, path.string(), std::strerror(errno));
}

bool IsPartition(std::string_view path) { return path.ends_with(".parquet"); }

}  // namespace

Result<Pins> Pins::Create(const lake::LakePaths& paths) {
  std::error_code problem;
  if (!fs::is_directory(paths.pins(), problem)) LODE_TRY(store::MakeDirectories(paths.pins()));
  CleanDead(paths);
  // A cleaner may take a folder whose lock is not held yet for a dead one: then a new name is tried.
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::string name = (paths.pins() / fmt::format("{}-XXXXXX", ::getpid())).string();
    if (::mkdtemp(name.data()) == nullptr) return Storage("pins", paths.pins());
    Result<store::FileLock> lock = store::FileLock::Acquire(fs::path(name) / "lock", "pins");
    if (lock && fs::exists(fs::path(name) / "lock", problem)) return Pins(name, *std::move(lock));
    fs::remove_all(name, problem);
  }
  return Fail(ErrorKind::kStorage, "pins {}: no folder of our own", paths.pins().string());
}

Pins::Pins(Pins&& other) noexcept : folder_(std::exchange(other.folder_, {})), lock_(std::move(other.lock_)) {}

Pins::~Pins() {
  std::error_code problem;
  if (!folder_.empty()) fs::remove_all(folder_, problem);
}

Result<fs::path> Pins::Pin(const lake::LakePaths& paths, std::string_view dataset) {
  fs::path from = paths.bronze(dataset);
  fs::path to = folder_ / dataset;
  LODE_TRY(std::vector<store::FileInfo> files, store::List(from));
  fs::path last_made;
  std::error_code problem;
  for (const store::FileInfo& file : files) {
    if (!IsPartition(file.path)) continue;
    fs::path link = to / file.path;
    if (link.parent_path() != last_made) {
      last_made = link.parent_path();
      fs::create_directories(last_made, problem);
      if (problem) return Fail(ErrorKind::kStorage, "pins {}: {}", last_made.string(), problem.message());
    }
    if (::link((from / file.path).c_str(), link.c_str()) == 0) continue;
    if (errno != ENOENT) return Storage("pin", link);  // ENOENT: removed since the listing
  }
  return to;
}

Result<fs::path> Pins::PinFile(const lake::LakePaths& paths, std::string_view dataset, std::string_view file) {
  fs::path link = folder_ / dataset / file;
  std::error_code problem;
  fs::create_directories(link.parent_path(), problem);
  fs::path from = paths.bronze(dataset) / file;
  if (::link(from.c_str(), link.c_str()) == 0 || errno == EEXIST) return link;
  if (errno == ENOENT) return Fail(ErrorKind::kNotFound, "{} is gone", from.string());
  return Storage("pin", link);
}

void Pins::CleanDead(const lake::LakePaths& paths) {
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(paths.pins(), problem)) {
    std::error_code ignored;
    if (!entry.is_directory(ignored)) continue;
    Result<store::FileLock> lock = store::FileLock::Acquire(entry.path() / "lock", "pins");
    if (lock) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace lode::sink
