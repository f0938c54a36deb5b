// libcurl's transfers on epoll: a turn costs what the sockets that are ready cost, however many wait.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "lode/base/descriptor.h"
#include "lode/base/result.h"
#include "lode/net/curl.h"

namespace lode::net {

// One thread calls everything but Wake.
class SocketLoop {
 public:
  static Result<std::unique_ptr<SocketLoop>> Make();
  ~SocketLoop();
  SocketLoop(const SocketLoop&) = delete;
  SocketLoop& operator=(const SocketLoop&) = delete;

  // Transfers are added to and taken from it; those that ended are its messages after a Turn.
  CURLM* multi() const { return multi_; }
  // Waits until a socket is ready, a timer of libcurl's ends, Wake is called or `longest` is over, and lets libcurl
  // act.
  void Turn(std::chrono::milliseconds longest);
  // Ends the present Turn, or the next. From any thread.
  void Wake();

 private:
  using Clock = std::chrono::steady_clock;

  SocketLoop() = default;
  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void* watched);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  int WaitMs(std::chrono::milliseconds longest) const;

  CURLM* multi_ = nullptr;
  Descriptor epoll_, wake_;
  std::optional<Clock::time_point> timer_;  // libcurl wants to be called then
};

}  // namespace lode::net
