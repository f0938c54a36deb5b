// TLS for test servers: a self-signed identity for 127.0.0.1 made on the spot, and the server's side of a session.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace lode::net::testing {

class TlsIdentity {
 public:
  TlsIdentity();  // aborts when OpenSSL fails
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ssl_ctx_st* context() const { return context_; }
  // What a client must trust, as PEM.
  const std::string& certificate() const { return certificate_; }

 private:
  ssl_ctx_st* context_;
  std::string certificate_;
};

class TlsSession {
 public:
  TlsSession() = default;
  // Empty when the handshake fails.
  static TlsSession Accept(const TlsIdentity& identity, int fd);
  explicit operator bool() const { return session_ != nullptr; }
  ssize_t Send(std::string_view bytes);
  ssize_t Receive(char* bytes, size_t size);
  // Says goodbye as TLS wants it.
  void Shutdown();
  // Ends it without a word.
  void Forget() { session_.reset(); }

 private:
  struct Closer {
    void operator()(ssl_st* session) const;
  };
  std::unique_ptr<ssl_st, Closer> session_;
};

}  // namespace lode::net::testing
