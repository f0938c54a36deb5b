#include "lode/base/host_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "lode/base/descriptor.h"
#include "lode/base/stop.h"

namespace lode {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How late a stop may be noticed.
constexpr milliseconds kTick{50};

struct Pipe {
  Descriptor reading, writing;
};

Result<Pipe> OpenPipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Fail(ErrorKind::kInternal, "pipe: {}", std::strerror(errno));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// A program that runs, in a process group of its own.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (id_ <= 0) return;
    ::kill(-id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  // After it closed its outputs; true when it ended in time.
  bool Wait(Clock::time_point deadline, int* code) {
    constexpr milliseconds kLook{5};
    while (true) {
      int status = 0;
      const pid_t ended = ::waitpid(id_, &status, WNOHANG);
      if (ended == id_) {
        id_ = 0;
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
      }
      if ((ended < 0 && errno != EINTR) || Clock::now() >= deadline || StopRequested()) return false;
      std::this_thread::sleep_for(kLook);
    }
  }

 private:
  pid_t id_;
};

Result<pid_t> Start(const std::vector<std::string>& words, int in, int out, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (errors >= 0) posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return child;
  const ErrorKind kind = error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kConfig;
  return Fail(kind, "cannot run {}: {}", words[0], std::strerror(error));
}

// Takes what there is; closes the descriptor at its end.
Status Take(Descriptor* from, std::string* text, const std::string& program, size_t most) {
  char block[65536];
  const ssize_t got = ::read(from->get(), block, sizeof block);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return Ok();
  if (got <= 0) {
    *from = Descriptor();
    return Ok();
  }
  if (text->size() + static_cast<size_t>(got) > most) {
    return Fail(ErrorKind::kStorage, "{} says more than {} KiB", program, most >> 10);
  }
  text->append(block, static_cast<size_t>(got));
  return Ok();
}

// Gives what it takes; closes the descriptor at the end of the input, or when nobody reads any more.
void Give(Descriptor* to, std::string_view* input) {
  const ssize_t given = ::write(to->get(), input->data(), input->size());
  if (given < 0 && (errno == EINTR || errno == EAGAIN)) return;
  input->remove_prefix(given < 0 ? input->size() : static_cast<size_t>(given));
  if (input->empty()) *to = Descriptor();
}

}  // namespace

Result<ProgramEnd> RunProgram(const std::vector<std::string>& words, const ProgramOptions& options) {
  const Clock::time_point deadline = Clock::now() + options.timeout;
  LODE_TRY(Pipe in, OpenPipe());
  LODE_TRY(Pipe out, OpenPipe());
  Pipe errors;
  if (!options.show_errors) {
    LODE_TRY(errors, OpenPipe());
  }
  LODE_TRY(const pid_t id, Start(words, in.reading.get(), out.writing.get(), errors.writing.get()));
  Child child(id);
  for (Descriptor* end : {&in.reading, &out.writing, &errors.writing}) *end = Descriptor();
  ::fcntl(in.writing.get(), F_SETFL, O_NONBLOCK);
  std::string_view input = options.input;
  if (input.empty()) in.writing = Descriptor();
  const auto late = [&]() -> Result<ProgramEnd> {
    LODE_TRY(CheckStop());
    return Fail(ErrorKind::kPartial, "{} did not end within {} ms", words[0], options.timeout.count());
  };
  ProgramEnd end;
  while (in.writing.get() >= 0 || out.reading.get() >= 0 || errors.reading.get() >= 0) {
    pollfd waits[] = {
        {in.writing.get(), POLLOUT, 0}, {out.reading.get(), POLLIN, 0}, {errors.reading.get(), POLLIN, 0}};
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 || StopRequested()) return late();
    const int ready = ::poll(waits, 3, static_cast<int>(std::min(left, kTick).count()));
    if (ready < 0 && errno != EINTR) return Fail(ErrorKind::kInternal, "poll: {}", std::strerror(errno));
    if (ready <= 0) continue;
    if (waits[0].revents != 0) Give(&in.writing, &input);
    if (waits[1].revents != 0) LODE_TRY(Take(&out.reading, &end.output, words[0], options.most_output));
    if (waits[2].revents != 0) LODE_TRY(Take(&errors.reading, &end.errors, words[0], options.most_output));
  }
  if (!child.Wait(deadline, &end.code)) return late();
  return end;
}

}  // namespace lode
