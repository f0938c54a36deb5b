#include "server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

namespace lode::vendor {
namespace {

constexpr std::string_view kHtml =
    "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><h1>Checking your "
    "browser</h1></body></html>\n";

// Lets a body through to the connection, framed, and does to it what the fault says.
class FaultySink : public BodySink {
 public:
  enum class State { kOpen, kCut, kReset, kSilent, kGone };

  FaultySink(Connection& connection, const Fault& fault, bool chunked)
      : connection_(connection), fault_(fault), chunked_(chunked) {}

  bool Write(std::string_view bytes) override {
    while (!bytes.empty() && state_ == State::kOpen) {
      size_t take = bytes.size();
      const auto stop_at = [&](int64_t limit) {
        if (limit >= 0)
          take = std::min(take, limit > static_cast<int64_t>(sent_) ? static_cast<size_t>(limit) - sent_ : 0);
      };
      stop_at(fault_.reset_at);
      stop_at(fault_.truncate_at);
      stop_at(fault_.hang_after);
      if (fault_.drip_bytes_per_s > 0) {
        take = std::min<size_t>(take, static_cast<size_t>(std::max<int64_t>(fault_.drip_bytes_per_s / 10, 1)));
      }
      if (take == 0) {
        state_ = fault_.reset_at >= 0 && static_cast<int64_t>(sent_) >= fault_.reset_at       ? State::kReset
                 : fault_.hang_after >= 0 && static_cast<int64_t>(sent_) >= fault_.hang_after ? State::kSilent
                                                                                              : State::kCut;
        break;
      }
      // Before the bytes: when the client has the last one, the message is over and counted.
      if (fault_.drip_bytes_per_s > 0) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(1000 * take / static_cast<size_t>(fault_.drip_bytes_per_s)));
      }
      Pass(bytes.substr(0, take));
      bytes.remove_prefix(take);
    }
    return state_ == State::kOpen;
  }

  State state() const { return state_; }
  uint64_t sent() const { return sent_; }
  bool flipped() const { return flipped_; }

 private:
  void Pass(std::string_view bytes) {
    std::string changed;
    const auto at = static_cast<uint64_t>(fault_.flip_at);
    if (fault_.flip_at >= 0 && at >= sent_ && at < sent_ + bytes.size()) {
      changed = bytes;
      changed[at - sent_] = static_cast<char>(changed[at - sent_] ^ 0x10);
      bytes = changed;
      flipped_ = true;
    }
    bool ok = true;
    if (chunked_) ok = connection_.Write(fmt::format("{:x}\r\n", bytes.size()));
    ok = ok && connection_.Write(bytes);
    if (chunked_) ok = ok && connection_.Write("\r\n");
    sent_ += bytes.size();
    if (!ok) state_ = State::kGone;
  }

  Connection& connection_;
  const Fault& fault_;
  const bool chunked_;
  State state_ = State::kOpen;
  uint64_t sent_ = 0;
  bool flipped_ = false;
};

class StringSink : public BodySink {
 public:
  bool Write(std::string_view bytes) override {
    text += bytes;
    return true;
  }
  std::string text;
};

// The response an endpoint never got to give.
void Replace(Response& response, const Fault& fault) {
  if (fault.status) {
    response.status = *fault.status;
    response.stream = nullptr;
    response.body = fault.body;
    response.headers.clear();
    if (!fault.content_type.empty()) response.content_type = fault.content_type;
  }
  if (fault.html) {
    response.status = 200;
    response.stream = nullptr;
    response.body = kHtml;
    response.content_type = "text/html; charset=utf-8";
  }
  if (fault.empty) {
    response.stream = nullptr;
    response.body.clear();
  }
  for (const auto& header : fault.headers) response.headers.push_back(header);
  if (!fault.redirect.empty()) response.headers.emplace_back("Location", fault.redirect);
}

bool ReplacesEndpoint(const Fault& fault) {
  return !fault.after && (fault.status || fault.html || fault.hang || fault.reset_at == 0);
}

}  // namespace

int Server::Listen(const std::string& address, int port, TlsContext tls) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1 ||
      bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || listen(listener, 256) != 0) {
    close(listener);
    return 0;
  }
  socklen_t size = sizeof where;
  getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size);
  const std::lock_guard lock(mutex_);
  listeners_.push_back(listener);
  accepting_.emplace_back([this, listener, tls] { AcceptLoop(listener, tls); });
  return ntohs(where.sin_port);
}

void Server::AcceptLoop(int listener, TlsContext tls) {
  while (!stopping_) {
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
      if (stopping_) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      close(socket);
      return;
    }
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      if (worker->finished) {
        worker->thread.join();
        worker = workers_.erase(worker);
      } else {
        ++worker;
      }
    }
    Worker& worker = workers_.emplace_back();
    worker.socket = socket;
    worker.thread = std::thread([this, &worker, tls] { Serve(worker, tls.get()); });
  }
}

void Server::Serve(Worker& worker, SSL_CTX* tls) {
  {
    const int socket = worker.socket;
    Connection connection(socket, tls);
    if (connection.Accept()) {
      while (connection.keep_alive && !stopping_) {
        Request request;
        if (!connection.ReadRequest(request)) break;
        request.number = ++requests_;
        Answer(connection, request);
      }
    }
    const std::lock_guard lock(mutex_);  // Stop must not shut down a number that another socket has by now
    worker.socket = -1;
  }
  worker.finished = true;
}

void Server::Answer(Connection& connection, Request& request) {
  const bool exempt = options_.faults == nullptr || request.path.starts_with("/_sim/");
  Fault fault = exempt ? Fault{} : options_.faults->Decide(request);
  request.faults = fault.endpoint;
  if (!fault.path.empty()) request.path = fault.path;
  for (const auto& [name, value] : fault.form) {
    request.parameters.erase(name);
    request.parameters.emplace(name, value);
  }
  if (fault.delay_ms > 0) {
    for (int64_t waited = 0; waited < fault.delay_ms && !stopping_; waited += 20) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(20, fault.delay_ms - waited)));
    }
  }
  Response response;
  if (!ReplacesEndpoint(fault)) {
    try {
      response = handler_(request);
    } catch (const std::exception& error) {
      response = {};
      response.status = 500;
      response.body = Json{{"detail", fmt::format("simulator: {}", error.what())}}.dump();
    }
  }
  uint64_t body_bytes = 0;
  bool whole = false;
  if (fault.hang) {
    connection.WaitForClose(-1);
    connection.keep_alive = false;
  } else if (fault.reset_at == 0) {
    connection.Reset();
  } else {
    const bool damaged = fault.status || fault.html || fault.empty;
    Replace(response, fault);
    whole = Send(connection, request, response, fault, body_bytes) && !damaged;
  }
  if (response.done) response.done(whole, body_bytes);
  if (options_.log) options_.log(request, fault, response.status, body_bytes, whole);
}

bool Server::Send(Connection& connection, const Request& request, Response& response, const Fault& fault,
                  uint64_t& body_bytes) {
  using Framing = Fault::Framing;
  const bool wants_length =
      (fault.truncate_at >= 0 && (fault.framing == Framing::kLength || fault.framing == Framing::kShortLength)) ||
      fault.flip_at < -1 || fault.duplicate;
  const bool wants_chunks = fault.truncate_at >= 0 && !wants_length;
  if (response.stream && wants_length) {
    StringSink all;
    response.stream(all);
    response.body = std::move(all.text);
    response.stream = nullptr;
  }
  if (fault.duplicate) response.body += response.body;
  Fault applied = fault;
  if (fault.flip_at < -1)
    applied.flip_at = std::max<int64_t>(static_cast<int64_t>(response.body.size()) + fault.flip_at + 1, 0);
  const bool chunked = (response.stream && !response.stream_length) || wants_chunks;
  const bool no_body = request.method == "HEAD" || response.status == 204 || response.status == 304;

  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonOf(response.status));
  head += fmt::format("Date: {}\r\nServer: {}\r\n", HttpDate(options_.unix_s() + fault.clock_skew_s), options_.name);
  if (!response.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", response.content_type);
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else {
    const size_t declared = applied.truncate_at >= 0 && fault.framing == Framing::kShortLength
                                ? std::min<size_t>(response.body.size(), static_cast<size_t>(applied.truncate_at))
                            : response.stream ? *response.stream_length
                                              : response.body.size();
    head += fmt::format("Content-Length: {}\r\n", declared);
  }
  if (!connection.keep_alive) head += "Connection: close\r\n";
  if (!connection.Write(head + "\r\n")) {
    connection.keep_alive = false;
    return false;
  }
  if (no_body) return true;
  FaultySink sink(connection, applied, chunked);
  if (response.stream) {
    response.stream(sink);
  } else {
    sink.Write(response.body);
  }
  body_bytes = sink.sent();
  switch (sink.state()) {
    case FaultySink::State::kOpen:
      if (chunked && !connection.Write("0\r\n\r\n")) break;
      return !sink.flipped() && !fault.duplicate;
    case FaultySink::State::kReset: connection.Reset(); return false;
    case FaultySink::State::kSilent: connection.WaitForClose(-1); break;
    case FaultySink::State::kCut:
      if (fault.framing == Framing::kShortLength) return false;  // looks like a proper end
      if (fault.framing == Framing::kEndChunk) {
        connection.Write("0\r\n\r\n");
        return false;
      }
      break;
    case FaultySink::State::kGone: break;
  }
  connection.keep_alive = false;
  return false;
}

void Server::Stop() {
  if (stopping_.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    for (const int listener : listeners_) shutdown(listener, SHUT_RDWR);
    for (const Worker& worker : workers_) {
      if (worker.socket >= 0) shutdown(worker.socket, SHUT_RDWR);
    }
  }
  for (std::thread& thread : accepting_) thread.join();
  for (Worker& worker : workers_) worker.thread.join();
  for (const int listener : listeners_) close(listener);
}

}  // namespace lode::vendor
