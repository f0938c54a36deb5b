// A server on a loopback port that says exactly the bytes its script tells it to, when it tells it to: for tests of
// what a client makes of a server that stalls, lies or dies. HTTP/1.1, one thread a connection.
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lode/base/descriptor.h"
#include "lode/net/testing/tls.h"

namespace lode::net::testing {

struct ReceivedRequest {
  int number = 0;      // of all requests of the server, from 0
  int connection = 0;  // of all connections, from 0
  std::string method, target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// One open connection, in the hands of the script.
class Connection {
 public:
  // With an identity the handshake comes first; when it fails the connection is closed.
  Connection(int fd, const TlsIdentity* identity);
  void Send(std::string_view bytes);
  // One piece after the other, with a pause before each.
  void Drip(std::string_view bytes, size_t piece, int pause_ms);
  // Ends it with a TCP reset, or in order.
  void Reset();
  void Close();
  bool open() const { return fd_.get() >= 0; }
  // At most `size` bytes; 0 or less: the peer is gone.
  ssize_t Receive(char* bytes, size_t size);

 private:
  Descriptor fd_;
  TlsSession tls_;
};

// A whole response with Content-Length; `headers` are lines without line ends.
std::string Answer(int status, std::string_view body, std::initializer_list<std::string> headers = {});

class ScriptServer {
 public:
  using Script = std::function<void(const ReceivedRequest&, Connection&)>;
  // `identity` must outlive the server; nullptr: plain HTTP.
  explicit ScriptServer(Script script, const TlsIdentity* identity = nullptr);
  // Every connection is closed; scripts that sleep are waited for.
  ~ScriptServer();

  int port() const { return port_; }
  std::string origin() const;
  std::string Url(std::string_view path) const { return origin() + std::string(path); }
  std::vector<ReceivedRequest> requests() const;
  int connections() const { return connections_; }

 private:
  void Accept(const std::stop_token& stop);
  void Serve(int fd, int number);

  Script script_;
  const TlsIdentity* identity_;
  Descriptor listener_;
  int port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;  // guarded by mutex_
  std::map<int, int> open_;            // guarded by mutex_: descriptors that a destructor must shut down, by connection
  std::vector<std::jthread> serving_;  // touched by the accepting thread only
  std::jthread accepting_;
};

}  // namespace lode::net::testing
