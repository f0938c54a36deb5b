// Ctrl-C and SIGTERM end a running query at once: a thread waits for the signals and interrupts the connection.
#pragma once

#include <signal.h>

#include <thread>

#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

// Make it before the connection, so that DuckDB's threads inherit a mask without the signals; one at a time. They are
// this object's until it goes; a second one kills the process.
class SignalWatch {
 public:
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  // From now on a signal asks for a stop (base/stop.h) and interrupts `connection`, which must outlive Stop.
  void Start(const Connection& connection);
  void Stop();

 private:
  sigset_t watched_, before_;
  std::thread waiter_;
};

}  // namespace lode::sink
