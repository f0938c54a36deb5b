#include "lode/net/socket_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lode::net {
namespace {

using std::chrono::milliseconds;

constexpr size_t kEvents = 64;

}  // namespace

Result<std::unique_ptr<SocketLoop>> SocketLoop::Make() {
  std::unique_ptr<SocketLoop> loop(new SocketLoop());
  loop->multi_ = Curl().multi_init();
  if (loop->multi_ == nullptr) return Fail(ErrorKind::kInternal, "libcurl: out of memory");
  loop->epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  loop->wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = loop->wake_.get();
  if (::epoll_ctl(loop->epoll_.get(), EPOLL_CTL_ADD, loop->wake_.get(), &event) != 0) {
    return Fail(ErrorKind::kInternal, "cannot wait for sockets: {}", std::strerror(errno));
  }
  Curl().multi_setopt(loop->multi_, CURLMOPT_SOCKETFUNCTION, &SocketLoop::OnSocket);
  Curl().multi_setopt(loop->multi_, CURLMOPT_SOCKETDATA, loop.get());
  Curl().multi_setopt(loop->multi_, CURLMOPT_TIMERFUNCTION, &SocketLoop::OnTimer);
  Curl().multi_setopt(loop->multi_, CURLMOPT_TIMERDATA, loop.get());
  return loop;
}

SocketLoop::~SocketLoop() {
  if (multi_ != nullptr) Curl().multi_cleanup(multi_);
}

int SocketLoop::OnSocket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* watched) {
  auto* loop = static_cast<SocketLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(loop->epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.fd = socket;
  const bool is_new = watched == nullptr;
  if (is_new) Curl().multi_assign(loop->multi_, socket, loop);
  return ::epoll_ctl(loop->epoll_.get(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
}

int SocketLoop::OnTimer(CURLM* /*multi*/, long timeout_ms, void* self) {
  auto* loop = static_cast<SocketLoop*>(self);
  loop->timer_.reset();
  if (timeout_ms >= 0) loop->timer_ = Clock::now() + milliseconds(timeout_ms);
  return 0;
}

int SocketLoop::WaitMs(milliseconds longest) const {
  if (timer_) longest = std::min(longest, std::chrono::ceil<milliseconds>(*timer_ - Clock::now()));
  return static_cast<int>(std::max(longest, milliseconds(0)).count());
}

void SocketLoop::Turn(milliseconds longest) {
  std::array<epoll_event, kEvents> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), WaitMs(longest));
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == wake_.get()) {
      eventfd_t wakes = 0;
      ::eventfd_read(wake_.get(), &wakes);
      continue;
    }
    int ready = 0;
    if ((event.events & EPOLLIN) != 0) ready |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) ready |= CURL_CSELECT_OUT;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) ready |= CURL_CSELECT_ERR;
    Curl().multi_socket_action(multi_, event.data.fd, ready, &running);
  }
  if (timer_ && *timer_ <= Clock::now()) {
    timer_.reset();
    Curl().multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void SocketLoop::Wake() { ::eventfd_write(wake_.get(), 1); }

}  // namespace lode::net
