// lode logs [-f]
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "lode/base/descriptor.h"
#include "lode/base/stop.h"
#include "lode/cli/commands.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

// Names sort by time.
std::vector<std::string> LogNames(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, problem)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".log")) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

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
    if (follow_) LODE_TRY(Follow(session, folder));
    return 0;
  }

 private:
  // Prints what a file holds beyond what was printed of it.
  Status Print(const Session& session, const fs::path& file) {
    if (file != current_) {
      current_ = file;
      printed_ = 0;
    }
    Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
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

  // Until Ctrl-C.
  Status Follow(const Session& session, const fs::path& folder) {
    Descriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch.get() < 0 || ::inotify_add_watch(watch.get(), folder.c_str(), IN_MODIFY | IN_CREATE) < 0) {
      return Fail(ErrorKind::kStorage, "{}: cannot be followed: {}", folder.string(), std::strerror(errno));
    }
    while (true) {
      LODE_TRY(CheckStop());
      std::vector<std::string> names = LogNames(folder);
      if (!names.empty()) LODE_TRY(Print(session, folder / names.back()));
      struct pollfd ready{.fd = watch.get(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) {
        return Fail(ErrorKind::kStorage, "{}: {}", folder.string(), std::strerror(errno));
      }
      char events[4096];
      while (::read(watch.get(), events, sizeof events) > 0) {
      }
    }
  }

  bool follow_ = false, list_ = false;
  fs::path current_;
  off_t printed_ = 0;
  std::string rest_;
};

}  // namespace

std::unique_ptr<Command> MakeLogs() { return std::make_unique<LogsCommand>(); }

}  // namespace lode::cli
