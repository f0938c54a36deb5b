// lode status [DATASET..] [--files] [--symbols] [--to SINK] [--watch]
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

#include "lode/base/stop.h"
#include "lode/cli/commands.h"
#include "lode/cli/progress.h"
#include "lode/cli/sink_view.h"
#include "lode/cli/status_view.h"

namespace lode::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J\x1b[3J";
constexpr int64_t kLongestInterval_s = 24 * 3600;
// Looking takes at most a tenth of the time, however large the lake is.
constexpr int kShareOfTime = 10;

// Of the ledger's file: another one after it was made anew, 0 without one.
ino_t LedgerFile(const lake::LakePaths& paths) {
  struct stat info{};
  return ::stat(paths.ledger().c_str(), &info) == 0 ? info.st_ino : 0;
}

// Waits. False when there is nobody to wait for any more: a stop was asked for, or whoever read the output went away.
bool WaitFor(std::chrono::milliseconds time) {
  for (auto left = time; left.count() > 0; left -= std::chrono::seconds(1)) {
    if (StopRequested()) return false;
    // In slices: a signal that comes right before the wait does not end it.
    struct pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    const int slice_ms = static_cast<int>(std::min<int64_t>(left.count(), 1000));
    if (::poll(&output, 1, slice_ms) > 0) return false;
  }
  return !StopRequested();
}

class StatusCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", request_.names, 0, 0, "datasets; all when none is named");
    arguments.Flag("--files", request_.files, "what lies where, by symbol, and one line a partition file");
    arguments.Flag("--symbols", request_.symbols, "one line a symbol, declared ones without data too");
    arguments.Option("--to", "SINK", request_.sink, "the tables of a sink too: duckdb");
    arguments.Flag("--watch", watch_, "go on: drawn again on a terminal, else told again when something changed");
    arguments.Option("--interval", "SECONDS", interval_, "of --watch; 2");
  }

  Result<int> Run(Session& session) override {
    if (!request_.sink.empty()) LODE_TRY(CheckSink(request_.sink));
    if (!interval_.empty() && !watch_) return Fail(ErrorKind::kUsage, "status: --interval is for --watch");
    LODE_TRY(const std::chrono::milliseconds interval, Interval());
    if (watch_) return Watch(session, interval);
    LODE_TRY(const StatusView view, ViewStatus(session, request_));
    Print(session, view);
    return 0;
  }

 private:
  Result<std::chrono::milliseconds> Interval() const {
    if (interval_.empty()) return std::chrono::milliseconds(2000);
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(interval_.data(), interval_.data() + interval_.size(), seconds);
    if (error != std::errc() || end != interval_.data() + interval_.size() || seconds < 1 ||
        seconds > kLongestInterval_s) {
      return Fail(ErrorKind::kUsage, "status: --interval {}: whole seconds from 1 to {}", interval_,
                  kLongestInterval_s);
    }
    return std::chrono::milliseconds(seconds * 1000);
  }

  static void Print(const Session& session, const StatusView& view) {
    for (const std::string& event : view.events) session.out().EventLine(event);
    session.out().Text(view.text);
    session.out().Summary(view.moment);
  }

  // Until Ctrl-C, which ends it as it ends anything else: 130. A ledger that comes, or is made anew, is opened by a
  // session of its own.
  Result<int> Watch(Session& session, std::chrono::milliseconds interval) {
    LODE_TRY(const lake::LakePaths paths, session.lake());
    const bool draws = ::isatty(STDOUT_FILENO) != 0 && !session.out().json();
    std::optional<Session> newer;
    ino_t ledger_file = LedgerFile(paths);
    std::optional<std::string> shown;
    while (true) {
      const Clock::time_point began = Clock::now();
      if (const ino_t now = LedgerFile(paths); now != ledger_file) {
        ledger_file = now;
        newer.reset();
        LODE_TRY(Session again, Session::Create(session.options(), session.command()));
        newer.emplace(std::move(again));
      }
      LODE_TRY(const StatusView view, ViewStatus(newer ? *newer : session, request_));
      const std::string text = session.out().json() ? fmt::format("{}", fmt::join(view.events, "\n")) : view.text;
      if (draws) session.out().Text(kClearScreen);
      if (draws || text != shown) {
        if (!draws && shown) session.out().Text("\n");
        Print(session, view);
        LODE_TRY(session.out().Finish());
        shown = text;
      }
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
      if (!ReaderIsGone() && WaitFor(std::max(interval, took * kShareOfTime))) continue;
      return StopRequested() ? ExitCode(ErrorKind::kInterrupted) : 0;
    }
  }

  StatusRequest request_;
  bool watch_ = false;
  std::string interval_;
};

}  // namespace

std::unique_ptr<Command> MakeStatus() { return std::make_unique<StatusCommand>(); }

}  // namespace lode::cli
