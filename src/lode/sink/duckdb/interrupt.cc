#include "lode/sink/duckdb/interrupt.h"

#include <pthread.h>

#include "lode/base/stop.h"

namespace lode::sink {
namespace {

constexpr int kWakeUp = SIGUSR1;  // from Stop to the waiting thread alone

void Wait(sigset_t watched, const Connection* connection) {
  int signal = 0;
  while (::sigwait(&watched, &signal) != 0) {
  }
  if (signal == kWakeUp) return;
  RequestStop();
  connection->Interrupt();
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  sigset_t again;
  ::sigemptyset(&again);
  ::sigaddset(&again, SIGINT);
  ::sigaddset(&again, SIGTERM);
  ::pthread_sigmask(SIG_UNBLOCK, &again, nullptr);
  sigset_t wake_up;
  ::sigemptyset(&wake_up);
  ::sigaddset(&wake_up, kWakeUp);
  while (::sigwait(&wake_up, &signal) != 0) {
  }
}

}  // namespace

SignalWatch::SignalWatch() {
  ::sigemptyset(&watched_);
  ::sigaddset(&watched_, SIGINT);
  ::sigaddset(&watched_, SIGTERM);
  ::sigaddset(&watched_, kWakeUp);
  ::pthread_sigmask(SIG_BLOCK, &watched_, &before_);
}

SignalWatch::~SignalWatch() {
  Stop();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::Start(const Connection& connection) { waiter_ = std::thread(Wait, watched_, &connection); }

void SignalWatch::Stop() {
  if (!waiter_.joinable()) return;
  ::pthread_kill(waiter_.native_handle(), kWakeUp);
  waiter_.join();
}

}  // namespace lode::sink
