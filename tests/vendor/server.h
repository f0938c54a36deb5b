// The simulator's HTTP server: listeners, a thread a connection, faults on the way out. Knows nothing of vendors.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "connection.h"
#include "faults.h"
#include "http.h"

namespace lode::vendor {

class Server {
 public:
  using Handler = std::function<Response(Request&)>;
  struct Options {
    std::string name = "databento";   // in the Server header
    FaultScript* faults = nullptr;    // none: no faults
    std::function<int64_t()> unix_s;  // the Date header's clock
    std::function<void(const Request&, const Fault&, int status, uint64_t body_bytes, bool whole)> log;
  };

  Server(Options options, Handler handler) : options_(std::move(options)), handler_(std::move(handler)) {}
  ~Server() { Stop(); }

  // Starts to serve on `address`:`port` (0: any free). The port, or 0 when it cannot.
  int Listen(const std::string& address, int port, TlsContext tls);
  // Ends all connections, waits for their threads.
  void Stop();

 private:
  struct Worker {
    int socket = -1;
    std::atomic<bool> finished = false;
    std::thread thread;
  };
  void AcceptLoop(int listener, TlsContext tls);
  void Serve(Worker& worker, SSL_CTX* tls);
  void Answer(Connection& connection, Request& request);
  // Sends the response, damaged as the fault says; true when it went out whole and unharmed.
  bool Send(Connection& connection, const Request& request, Response& response, const Fault& fault,
            uint64_t& body_bytes);

  Options options_;
  Handler handler_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> requests_ = 0;
  std::mutex mutex_;
  std::vector<int> listeners_;
  std::vector<std::thread> accepting_;
  std::list<Worker> workers_;
};

}  // namespace lode::vendor
