#include "lode/base/stop.h"

#include <atomic>
#include <csignal>

namespace lode {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler must be async-signal-safe");

void OnSignal(int signal) {
  stop_requested.store(true, std::memory_order_relaxed);
  std::signal(signal, SIG_DFL);  // the next one ends the process: nothing is published half
}

}  // namespace

void InstallStopHandlers() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
}

void RequestStop() { stop_requested.store(true, std::memory_order_relaxed); }

void ForgetStop() { stop_requested.store(false, std::memory_order_relaxed); }

bool StopRequested() { return stop_requested.load(std::memory_order_relaxed); }

Status CheckStop() {
  if (StopRequested()) return Fail(ErrorKind::kInterrupted, "interrupted; the unit in hand was dropped, run again");
  return Ok();
}

}  // namespace lode
