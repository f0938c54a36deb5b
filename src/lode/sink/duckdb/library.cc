#include "lode/sink/duckdb/library.h"

#include <dlfcn.h>

#include <filesystem>
#include <vector>

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

// Its own symbols first, not those of the whole program: half the time of loading. Sanitizers refuse to load that way.
constexpr int kLoadMode = RTLD_LAZY | RTLD_LOCAL | (LODE_SANITIZED ? 0 : RTLD_DEEPBIND);

std::vector<std::string> Candidates() {
  std::vector<std::string> paths;
  std::error_code problem;
  fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (!problem) {
    paths.push_back((program.parent_path().parent_path() / "lib" / "libduckdb.so").string());
    paths.push_back((program.parent_path() / "libduckdb.so").string());
  }
  paths.emplace_back(LODE_DUCKDB_BUILD_PATH);
  paths.emplace_back("libduckdb.so");
  return paths;
}

Result<DuckdbApi> Load() {
  std::string tried;
  for (const std::string& path : Candidates()) {
    bool is_file = path.find('/') != std::string::npos;
    std::error_code problem;
    if (is_file && !fs::exists(path, problem)) {
      tried += (tried.empty() ? "" : ", ") + path;
      continue;
    }
    void* library = ::dlopen(path.c_str(), kLoadMode);
    if (library == nullptr) {
      const char* why = ::dlerror();
      tried += (tried.empty() ? "" : ", ") + std::string(why == nullptr ? path : why);
      continue;
    }
    DuckdbApi api;
    api.path = path;
#define LODE_RESOLVE(name)                                                                                 \
  api.name = reinterpret_cast<decltype(api.name)>(::dlsym(library, "duckdb_" #name));                      \
  if (api.name == nullptr) {                                                                               \
    return Fail(ErrorKind::kUnsupported, "{} is not the DuckDB lode needs (1.5): no duckdb_" #name, path); \
  }
    LODE_DUCKDB_FUNCTIONS(LODE_RESOLVE)
#undef LODE_RESOLVE
    return api;
  }
  return Fail(ErrorKind::kUnsupported, "libduckdb.so not found; run ./setup (tried {})", tried);
}

}  // namespace

Result<const DuckdbApi*> LoadDuckdb() {
  static const Result<DuckdbApi> loaded = Load();
  if (!loaded) return std::unexpected(loaded.error());
  return &*loaded;
}

}  // namespace lode::sink
