// One TCP connection of the server, plain or TLS, with blocking reads and writes.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "http.h"

namespace lode::vendor {

// The certificate a listener shows; nullptr context: plain HTTP.
class TlsContext {
 public:
  TlsContext() = default;
  // False, with a message on stderr, when the files are no certificate and key.
  bool Load(const std::string& certificate_file, const std::string& key_file);
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

class Connection {
 public:
  // Takes the socket. `tls` may be nullptr.
  Connection(int socket, SSL_CTX* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // TLS handshake; true at once without TLS.
  bool Accept();
  // All bytes, or false when the other side is gone.
  bool Write(std::string_view bytes);
  // The next request; false at the end, on garbage and on requests over the limits (64 KiB of headers, 64 MiB of body).
  bool ReadRequest(Request& request);
  // Waits until the other side closes or `ms` are over (negative: no limit).
  void WaitForClose(int64_t ms);
  // Ends it with a TCP reset instead of a proper end.
  void Reset();
  // Whether a request may follow on this connection.
  bool keep_alive = true;

 private:
  long ReadSome(char* to, size_t size);
  bool Fill();

  int socket_;
  SSL* tls_ = nullptr;
  std::string buffer_;
};

}  // namespace lode::vendor
