#include "lode/net/testing/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdlib>

namespace lode::net::testing {
namespace {

void Require(bool fine) {
  if (!fine) std::abort();
}

X509* SelfSigned(EVP_PKEY* key) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("lode test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "IP:127.0.0.1");
  Require(names != nullptr);
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  Require(X509_sign(certificate, key, EVP_sha256()) > 0);
  return certificate;
}

}  // namespace

TlsIdentity::TlsIdentity() : context_(SSL_CTX_new(TLS_server_method())) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  Require(context_ != nullptr && key != nullptr);
  X509* certificate = SelfSigned(key);
  Require(SSL_CTX_use_certificate(context_, certificate) == 1 && SSL_CTX_use_PrivateKey(context_, key) == 1);
  BIO* text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(text, certificate);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  certificate_.assign(bytes, static_cast<size_t>(size));
  BIO_free(text);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TlsIdentity::~TlsIdentity() { SSL_CTX_free(context_); }

void TlsSession::Closer::operator()(ssl_st* session) const { SSL_free(session); }

TlsSession TlsSession::Accept(const TlsIdentity& identity, int fd) {
  TlsSession session;
  session.session_.reset(SSL_new(identity.context()));
  SSL_set_fd(session.session_.get(), fd);
  if (SSL_accept(session.session_.get()) != 1) session.session_.reset();
  return session;
}

ssize_t TlsSession::Send(std::string_view bytes) {
  return SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

ssize_t TlsSession::Receive(char* bytes, size_t size) {
  return SSL_read(session_.get(), bytes, static_cast<int>(size));
}

void TlsSession::Shutdown() {
  if (session_ != nullptr) SSL_shutdown(session_.get());
  session_.reset();
}

}  // namespace lode::net::testing
