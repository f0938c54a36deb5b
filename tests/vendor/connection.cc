#include "connection.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace lode::vendor {
namespace {

constexpr size_t kMaxHeaders = 64 * 1024, kMaxBody = size_t{64} << 20;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ParseHead(std::string_view head, Request& request) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t first = line.find(' '), second = line.rfind(' ');
  if (first == std::string_view::npos || second <= first || !line.substr(second + 1).starts_with("HTTP/1."))
    return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  const size_t question = request.target.find('?');
  request.path = PercentDecode(std::string_view(request.target).substr(0, question), false);
  if (question != std::string::npos)
    request.parameters = ParseForm(std::string_view(request.target).substr(question + 1));
  head.remove_prefix(std::min(head.size(), line.size() + 2));
  while (!head.empty()) {
    const std::string_view header = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), header.size() + 2));
    const size_t colon = header.find(':');
    if (colon != std::string_view::npos)
      request.headers[Lower(header.substr(0, colon))] = Trim(header.substr(colon + 1));
  }
  return true;
}

}  // namespace

bool TlsContext::Load(const std::string& certificate_file, const std::string& key_file) {
  context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context_.get(), certificate_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context_.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1) {
    return true;
  }
  ERR_print_errors_fp(stderr);
  return false;
}

Connection::Connection(int socket, SSL_CTX* tls) : socket_(socket) {
  if (tls != nullptr) {
    tls_ = SSL_new(tls);
    SSL_set_fd(tls_, socket_);
  }
}

Connection::~Connection() {
  if (tls_ != nullptr) {
    if (SSL_is_init_finished(tls_)) SSL_shutdown(tls_);
    SSL_free(tls_);
  }
  if (socket_ >= 0) close(socket_);
}

bool Connection::Accept() {
  if (tls_ == nullptr) return true;
  ERR_clear_error();
  return SSL_accept(tls_) == 1;
}

bool Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const long written = tls_ != nullptr
                             ? SSL_write(tls_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)))
                             : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

long Connection::ReadSome(char* to, size_t size) {
  ERR_clear_error();
  return tls_ != nullptr ? SSL_read(tls_, to, static_cast<int>(size)) : recv(socket_, to, size, 0);
}

bool Connection::Fill() {
  char bytes[16 * 1024];
  const long got = ReadSome(bytes, sizeof bytes);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

bool Connection::ReadRequest(Request& request) {
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHeaders || !Fill()) return false;
  }
  if (!ParseHead(std::string_view(buffer_).substr(0, end), request)) return false;
  buffer_.erase(0, end + 4);
  if (Lower(request.Header("connection")) == "close") keep_alive = false;
  const std::string length = request.Header("content-length");
  size_t size = 0;
  if (!length.empty()) {
    const auto [rest, error] = std::from_chars(length.data(), length.data() + length.size(), size);
    if (error != std::errc() || rest != length.data() + length.size() || size > kMaxBody) return false;
  } else if (request.headers.contains("transfer-encoding")) {
    return false;  // no client sends it
  }
  if (size > buffer_.size() && Lower(request.Header("expect")) == "100-continue")
    Write("HTTP/1.1 100 Continue\r\n\r\n");
  while (buffer_.size() < size) {
    if (!Fill()) return false;
  }
  request.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  if (request.Header("content-type").starts_with("application/x-www-form-urlencoded")) {
    for (auto& [name, value] : ParseForm(request.body)) request.parameters.emplace(name, value);
  }
  return true;
}

void Connection::WaitForClose(int64_t ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms < 0 ? int64_t{1} << 40 : ms);
  char bytes[4096];
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return;
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000)));
    if (ready < 0 || (ready > 0 && ReadSome(bytes, sizeof bytes) <= 0)) return;
  }
}

void Connection::Reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (tls_ != nullptr) {
    SSL_free(tls_);
    tls_ = nullptr;
  }
  close(socket_);
  socket_ = -1;
  keep_alive = false;
}

}  // namespace lode::vendor
