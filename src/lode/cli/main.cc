#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string_view>

#include "lode/base/log.h"
#include "lode/base/result.h"
#include "lode/cli/run.h"

namespace {

// Libraries may throw where nothing can be caught: DuckDB when the disk fails while it closes a database. What lode
// itself publishes is whole at any instant, so the run ends with the error's own exit code instead of a core dump.
[[noreturn]] void EndWithMessage() {
  lode::ErrorKind kind = lode::ErrorKind::kInternal;
  std::string_view what = "a library gave up";
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    what = error.what();
    if (what.find("\"exception_type\":\"IO\"") != std::string_view::npos) kind = lode::ErrorKind::kStorage;
    lode::log::Failure("{}; run again", what);
    _exit(lode::ExitCode(kind));
  } catch (...) {
  }
  lode::log::Failure("{}", what);
  _exit(lode::ExitCode(kind));
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(EndWithMessage);
  // Arrow's default pool keeps what it frees; the system's gives large blocks back, which is half the peak of an import
  // at the same CPU time. The user's own choice stays.
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", 0);
  return lode::cli::Run(argc, argv);
}
