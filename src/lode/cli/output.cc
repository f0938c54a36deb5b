#include "lode/cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lode::cli {
namespace {

int first_error = 0;  // errno of the first failed write to stdout

}  // namespace

bool WriteStdout(std::string_view bytes) {
  if (first_error != 0) return false;
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return true;
  first_error = errno;
  return false;
}

bool ReaderIsGone() { return first_error == EPIPE; }

void Output::Text(std::string_view text) const {
  if (!json_) WriteStdout(text);
}

void Output::Summary(std::string_view text) const {
  if (!json_ && !quiet_) WriteStdout(text);
}

void Output::Event(JsonObject object) const {
  if (json_) EventLine(object.Take());
}

void Output::EventLine(std::string_view json) const {
  if (!json_) return;
  WriteStdout(json);
  WriteStdout("\n");
  if (std::fflush(stdout) != 0 && first_error == 0) first_error = errno;
}

Status Output::Finish() const {
  if (std::fflush(stdout) != 0 && first_error == 0) first_error = errno;
  if (first_error == 0 || first_error == EPIPE) return Ok();
  return Fail(ErrorKind::kStorage, "stdout: {}", std::strerror(first_error));
}

}  // namespace lode::cli
