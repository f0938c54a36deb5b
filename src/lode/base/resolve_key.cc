#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lode/base/descriptor.h"
#include "lode/base/host_program.h"
#include "lode/base/log.h"
#include "lode/base/secrets.h"
#include "lode/base/stop.h"

namespace lode {
namespace {

using std::chrono::milliseconds;

constexpr size_t kLongestKey = 64 << 10;
constexpr milliseconds kTick{50};

std::unexpected<Error> NoKey(const KeyReference& reference, std::string_view why) {
  return Fail(ErrorKind::kConfig, "no key from {}: {}", reference.Shown(), why);
}

Result<std::string> RunCommand(const KeyReference& reference, milliseconds time_limit) {
  // A password manager asks on the terminal: its stderr is ours.
  const Result<ProgramEnd> end = RunProgram({"/bin/sh", "-c", reference.target},
                                            {.timeout = time_limit, .most_output = kLongestKey, .show_errors = true});
  if (!end) {
    switch (end.error().kind) {
      case ErrorKind::kInterrupted: return std::unexpected(end.error());
      case ErrorKind::kStorage: return NoKey(reference, "its output is too long for a key");
      case ErrorKind::kPartial: return NoKey(reference, fmt::format("it did not end within {} ms", time_limit.count()));
      default: return NoKey(reference, end.error().message);
    }
  }
  if (end->code > 128) return NoKey(reference, fmt::format("it was ended by signal {}", end->code - 128));
  if (end->code != 0) return NoKey(reference, fmt::format("it ended with {}", end->code));
  return end->output.substr(0, end->output.find('\n'));
}

// Waits for a pipe's other end too, until a stop is asked for.
Result<std::string> ReadKeyFile(const KeyReference& reference) {
  if (Status checked = CheckKeyFile(reference.target); !checked) {
    return Fail(ErrorKind::kConfig, "{}", checked.error().message);
  }
  const Descriptor file(::open(reference.target.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return NoKey(reference, std::strerror(errno));
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() <= kLongestKey) {
    LODE_TRY(CheckStop());
    pollfd ready{.fd = file.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(kTick.count())) <= 0) continue;
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return NoKey(reference, "the file is too long for a key");
}

}  // namespace

Result<std::string> ResolveKey(const KeyReference& reference, const std::map<std::string, std::string>& env_file,
                               milliseconds time_limit) {
  std::string key;
  switch (reference.kind) {
    case KeyReference::Kind::kEnvironment: {
      const char* variable = std::getenv(reference.target.c_str());
      const auto in_file = env_file.find(reference.target);
      if (variable == nullptr && in_file == env_file.end()) return NoKey(reference, "the variable is not set");
      key = variable != nullptr ? variable : in_file->second;
      break;
    }
    case KeyReference::Kind::kFile: {
      LODE_TRY(key, ReadKeyFile(reference));
      break;
    }
    case KeyReference::Kind::kCommand: {
      LODE_TRY(key, RunCommand(reference, time_limit));
      break;
    }
  }
  if (key.ends_with('\n')) key.pop_back();
  if (key.ends_with('\r')) key.pop_back();
  if (key.empty()) return NoKey(reference, "it is empty");
  const bool is_text =
      std::ranges::none_of(key, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!is_text) return NoKey(reference, "it holds a line break or a control character");
  log::RedactSecret(key);
  return key;
}

}  // namespace lode
