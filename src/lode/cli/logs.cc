// lode logs [-f]
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "lode/base/descriptor.h"
#include "lode/base/stop.h"
#include "lode/cli/commands.h"
#include "lode/cli/run_log.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kLongestWaitMs = 1000;  // a signal that comes right before the wait does not end it

class LogsCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Flag("-f,--follow", follow_, "go on as the log grows, and with the next run's log");
    arguments.Flag("--list", list_, "names of all run logs, oldest first");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::LakePaths paths, session.lake());
    fs::path folder = paths.logs();
    std::vector<std::string> names = LogNames(folder);
    if (list_) {
      for (const std::string& name : names) {
        session.out().Event(JsonObject().Text("type", "log").Text("name", name));
        session.out().Text(name + "\n");
      }
      return 0;
    }
    if (names.empty() && !follow_) {
      session.out().Text("no run has changed anything yet\n");
      return 0;
    }
    if (!names.empty()) LODE_TRY(Print(session, folder / names.back()));
    if (!follow_) return 0;
    LODE_TRY(Follow(session, folder));
    return StopRequested() ? ExitCode(ErrorKind::kInterrupted) : 0;
  }

 private:
  // Prints what a file holds beyond what was printed of it.
  Status Print(const Session& session, const fs::path& file) {
    if (file != current_) {
      current_ = file;
      printed_ = 0;
      rest_.clear();
    }
    Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0 && errno == ENOENT) return Ok();  // pruned since it was listed
    if (fd.get() < 0) return Fail(ErrorKind::kStorage, "{}: {}", file.string(), std::strerror(errno));
    char block[16384];
    while (true) {
      ssize_t got = ::pread(fd.get(), block, sizeof block, printed_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Fail(ErrorKind::kStorage, "{}: {}", file.string(), std::strerror(errno));
      if (got == 0) break;
      printed_ += got;
      Tell(session, std::string_view(block, static_cast<size_t>(got)));
    }
    return session.out().Finish();
  }

  void Tell(const Session& session, std::string_view bytes) {
    session.out().Text(bytes);
    if (!session.out().json()) return;
    rest_ += bytes;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      session.out().Event(JsonObject().Text("type", "log_line").Text("line", rest_.substr(0, end)));
      rest_.erase(0, end + 1);
    }
  }

  // Until Ctrl-C, or until whoever reads goes away.
  Status Follow(const Session& session, const fs::path& folder) {
    std::error_code problem;
    if (!fs::exists(folder, problem)) {
      return Fail(ErrorKind::kNotFound, "no run has changed anything yet: there is no log to follow");
    }
    Descriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch.get() < 0 || ::inotify_add_watch(watch.get(), folder.c_str(), IN_MODIFY | IN_CREATE) < 0) {
      return Fail(ErrorKind::kStorage, "{}: cannot be followed: {}", folder.string(), std::strerror(errno));
    }
    while (!StopRequested()) {
      // The end of the log at hand, then every one made since: short runs may have followed each other.
      const std::string shown = current_.filename().string();
      for (const std::string& name : LogNames(folder)) {
        if (name >= shown) LODE_TRY(Print(session, folder / name));
      }
      if (ReaderIsGone()) return Ok();
      std::array<struct pollfd, 2> ready = {{{watch.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
      if (::poll(ready.data(), ready.size(), kLongestWaitMs) < 0 && errno != EINTR) {
        return Fail(ErrorKind::kStorage, "{}: {}", folder.string(), std::strerror(errno));
      }
      if (ready[1].revents != 0) return Ok();
      char events[4096];
      while (::read(watch.get(), events, sizeof events) > 0) {
      }
    }
    return Ok();
  }

  bool follow_ = false, list_ = false;
  fs::path current_;
  off_t printed_ = 0;
  std::string rest_;
};

}  // namespace

std::unique_ptr<Command> MakeLogs() { return std::make_unique<LogsCommand>(); }

}  // namespace lode::cli
