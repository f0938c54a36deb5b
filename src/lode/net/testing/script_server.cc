#include "lode/net/testing/script_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace lode::net::testing {
namespace {

void PauseMs(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Reads until `text` holds `size` bytes or the peer is gone.
bool Fill(Connection& connection, std::string* text, size_t size) {
  char buffer[16384];
  while (text->size() < size) {
    const ssize_t count = connection.Receive(buffer, sizeof buffer);
    if (count <= 0) return false;
    text->append(buffer, static_cast<size_t>(count));
  }
  return true;
}

bool ReadHead(Connection& connection, std::string* buffer, std::string* head) {
  size_t end;
  while ((end = buffer->find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(connection, buffer, buffer->size() + 1)) return false;
  }
  *head = buffer->substr(0, end + 2);
  buffer->erase(0, end + 4);
  return true;
}

ReceivedRequest ParseHead(const std::string& head) {
  ReceivedRequest request;
  const size_t line_end = head.find("\r\n"), space = head.find(' '), second = head.find(' ', space + 1);
  request.method = head.substr(0, space);
  request.target = head.substr(space + 1, second - space - 1);
  for (size_t at = line_end + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at), colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers[name] =
        head.substr(head.find_first_not_of(' ', colon + 1), end - head.find_first_not_of(' ', colon + 1));
    at = end + 2;
  }
  return request;
}

}  // namespace

Connection::Connection(int fd, const TlsIdentity* identity) : fd_(fd) {
  if (identity == nullptr) return;
  tls_ = TlsSession::Accept(*identity, fd);
  if (!tls_) Close();
}

ssize_t Connection::Receive(char* bytes, size_t size) {
  return tls_ ? tls_.Receive(bytes, size) : ::recv(fd_.get(), bytes, size, 0);
}

void Connection::Send(std::string_view bytes) {
  while (!bytes.empty() && open()) {
    const ssize_t count = tls_ ? tls_.Send(bytes) : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void Connection::Drip(std::string_view bytes, size_t piece, int pause_ms) {
  for (size_t at = 0; at < bytes.size(); at += piece) {
    PauseMs(pause_ms);
    Send(bytes.substr(at, piece));
  }
}

void Connection::Reset() {
  tls_.Forget();
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  Close();
}

void Connection::Close() {
  tls_.Shutdown();
  fd_ = Descriptor();
}

std::string Answer(int status, std::string_view body, std::initializer_list<std::string> headers) {
  std::string text = fmt::format("HTTP/1.1 {} Word\r\nContent-Length: {}\r\n", status, body.size());
  for (const std::string& header : headers) text += header + "\r\n";
  return text + "\r\n" + std::string(body);
}

ScriptServer::ScriptServer(Script script, const TlsIdentity* identity)
    : script_(std::move(script)), identity_(identity) {
  listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 128) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
}

ScriptServer::~ScriptServer() {
  accepting_.request_stop();
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, fd] : open_) ::shutdown(fd, SHUT_RDWR);
  }
  serving_.clear();
}

std::string ScriptServer::origin() const {
  return fmt::format("{}://127.0.0.1:{}", identity_ == nullptr ? "http" : "https", port_);
}

std::vector<ReceivedRequest> ScriptServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptServer::Accept(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd ready{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int number = connections_++;
    {
      const std::lock_guard lock(mutex_);
      open_[number] = fd;
    }
    serving_.emplace_back([this, fd, number] { Serve(fd, number); });
  }
}

void ScriptServer::Serve(int fd, int number) {
  Connection connection(fd, identity_);
  std::string buffer, head;
  while (connection.open() && ReadHead(connection, &buffer, &head)) {
    ReceivedRequest request = ParseHead(head);
    request.connection = number;
    const size_t length = std::strtoul(request.Header("content-length").c_str(), nullptr, 10);
    if (!Fill(connection, &buffer, length)) break;
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    {
      const std::lock_guard lock(mutex_);
      request.number = static_cast<int>(requests_.size());
      requests_.push_back(request);
    }
    script_(request, connection);
    if (!connection.open()) {
      const std::lock_guard lock(mutex_);
      open_.erase(number);
    }
  }
  if (connection.open()) {
    const std::lock_guard lock(mutex_);
    open_.erase(number);
    connection.Close();
  }
}

}  // namespace lode::net::testing
