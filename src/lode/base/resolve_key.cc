#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "lode/base/descriptor.h"
#include "lode/base/log.h"
#include "lode/base/secrets.h"
#include "lode/base/stop.h"

namespace lode {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kLongestKey = 64 << 10;
constexpr milliseconds kTick{50};

std::unexpected<Error> NoKey(const KeyReference& reference, std::string_view why) {
  return Fail(ErrorKind::kConfig, "no key from {}: {}", reference.Shown(), why);
}

// Reads to the end, at most kLongestKey + 1 bytes; nullopt when `ends` came first or a stop was asked for.
std::optional<std::string> ReadUntil(int fd, Clock::time_point ends) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() <= kLongestKey) {
    if (Clock::now() >= ends || StopRequested()) return std::nullopt;
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(kTick.count())) <= 0) continue;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return text;
}

// Starts the shell in a process group of its own, so that all it starts can be ended with it.
Result<pid_t> Spawn(const KeyReference& reference, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh", option = "-c", command = reference.target;
  std::array<char*, 4> arguments{shell.data(), option.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return NoKey(reference, std::strerror(error));
  return pid;
}

// The exit status, or nullopt when the command had to be killed.
std::optional<int> WaitFor(pid_t pid, bool kill_now, Clock::time_point ends) {
  int status = 0;
  while (true) {
    if (kill_now || Clock::now() >= ends) {
      ::kill(-pid, SIGKILL);
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
      return std::nullopt;
    }
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    ::poll(nullptr, 0, 5);
  }
}

Result<std::string> RunCommand(const KeyReference& reference, milliseconds time_limit) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return NoKey(reference, std::strerror(errno));
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const Clock::time_point deadline = Clock::now() + time_limit;
  LODE_TRY(const pid_t pid, Spawn(reference, writing.get()));
  writing = Descriptor();
  std::optional<std::string> text = ReadUntil(reading.get(), deadline);
  const bool too_long = text && text->size() > kLongestKey;
  const std::optional<int> status = WaitFor(pid, !text || too_long, deadline);
  if (StopRequested()) return std::unexpected(CheckStop().error());
  if (too_long) return NoKey(reference, "its output is too long for a key");
  if (!text || !status) return NoKey(reference, fmt::format("it did not end within {} ms", time_limit.count()));
  if (WIFSIGNALED(*status)) return NoKey(reference, fmt::format("it was ended by signal {}", WTERMSIG(*status)));
  if (WEXITSTATUS(*status) != 0) return NoKey(reference, fmt::format("it ended with {}", WEXITSTATUS(*status)));
  return text->substr(0, text->find('\n'));
}

Result<std::string> ReadKeyFile(const KeyReference& reference) {
  if (Status checked = CheckKeyFile(reference.target); !checked) {
    return Fail(ErrorKind::kConfig, "{}", checked.error().message);
  }
  const Descriptor file(::open(reference.target.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return NoKey(reference, std::strerror(errno));
  const std::optional<std::string> text = ReadUntil(file.get(), Clock::time_point::max());
  if (!text) return std::unexpected(CheckStop().error());
  if (text->size() > kLongestKey) return NoKey(reference, "the file is too long for a key");
  return *text;
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
