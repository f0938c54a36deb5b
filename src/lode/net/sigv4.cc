#include "lode/net/sigv4.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "lode/base/hashing.h"
#include "lode/base/time.h"
#include "lode/net/url.h"

namespace lode::net {

// HMAC-SHA-256 with one key. OpenSSL 3 takes longer to look the algorithm up and to take the key in than to sign.
class Signer::Mac {
 public:
  explicit Mac(std::string_view key) : context_(New()) {
    std::string digest = "SHA256";
    const std::array settings{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                              OSSL_PARAM_construct_end()};
    EVP_MAC_init(context_, reinterpret_cast<const unsigned char*>(key.data()), key.size(), settings.data());
  }
  ~Mac() { EVP_MAC_CTX_free(context_); }
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  // The digest's bytes.
  std::string Of(std::string_view message) {
    std::string digest(32, '\0');
    size_t size = 0;
    EVP_MAC_init(context_, nullptr, 0, nullptr);  // anew, with the same key
    EVP_MAC_update(context_, reinterpret_cast<const unsigned char*>(message.data()), message.size());
    EVP_MAC_final(context_, reinterpret_cast<unsigned char*>(digest.data()), &size, digest.size());
    return digest;
  }

 private:
  static EVP_MAC_CTX* New() {
    static EVP_MAC* const kAlgorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return EVP_MAC_CTX_new(kAlgorithm);
  }

  EVP_MAC_CTX* context_;
};

namespace {

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return text;
}

// Without spaces at its ends, runs of spaces as one.
std::string TrimAll(std::string_view text) {
  std::string trimmed;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) trimmed += c;
    if (blank && !trimmed.empty() && trimmed.back() != ' ') trimmed += ' ';
  }
  if (trimmed.ends_with(' ')) trimmed.pop_back();
  return trimmed;
}

// Sorted by name; values of one name joined in the order given.
using Canonical = std::vector<Header>;
Canonical CanonicalHeaders(const std::vector<Header>& headers) {
  Canonical canonical;
  canonical.reserve(headers.size());
  for (const Header& header : headers) canonical.push_back({Lower(header.name), TrimAll(header.value)});
  std::ranges::stable_sort(canonical, {}, &Header::name);
  size_t kept = 0;
  for (size_t i = 1; i < canonical.size(); ++i) {
    if (canonical[i].name == canonical[kept].name) {
      canonical[kept].value += "," + canonical[i].value;
    } else if (++kept != i) {
      canonical[kept] = std::move(canonical[i]);
    }
  }
  if (!canonical.empty()) canonical.resize(kept + 1);
  return canonical;
}

std::string SignedNames(const Canonical& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

std::string CanonicalText(const SignedRequest& request, const Canonical& headers, std::string_view signed_names) {
  std::vector<std::pair<std::string, std::string>> query;
  for (const auto& [name, value] : request.query) query.emplace_back(PercentEncode(name), PercentEncode(value));
  std::ranges::sort(query);  // after encoding, as the specification says
  std::string text;
  text.reserve(512);
  text.append(request.method).append("\n").append(request.path.empty() ? "/" : request.path).append("\n");
  for (size_t i = 0; i < query.size(); ++i) text += (i > 0 ? "&" : "") + query[i].first + "=" + query[i].second;
  text += "\n";
  for (const auto& [name, value] : headers) text.append(name).append(":").append(value).append("\n");
  return text.append("\n").append(signed_names).append("\n").append(request.payload_sha256);
}

}  // namespace

std::string AmzDate(int64_t unix_s) {
  std::string text;
  for (const char c : FormatIsoNs(unix_s * kNsPerSecond).substr(0, 19)) {
    if (c != '-' && c != ':') text += c;
  }
  return text + "Z";
}

std::string CanonicalRequest(const SignedRequest& request) {
  const Canonical headers = CanonicalHeaders(request.headers);
  return CanonicalText(request, headers, SignedNames(headers));
}

Signer::Signer(SigningKey key) : key_(std::move(key)) {}
Signer::~Signer() = default;

void Signer::SetTime(int64_t unix_s) {
  if (mac_ != nullptr && unix_s == unix_s_) return;
  unix_s_ = unix_s;
  const std::string day_before = date_.substr(0, 8);
  date_ = AmzDate(unix_s);
  const std::string day = date_.substr(0, 8);
  if (day == day_before) return;
  scope_ = fmt::format("{}/{}/{}/aws4_request", day, key_.region, key_.service);
  std::string derived = "AWS4" + key_.secret;
  for (const std::string_view part : {std::string_view(day), std::string_view(key_.region),
                                      std::string_view(key_.service), std::string_view("aws4_request")}) {
    derived = Mac(derived).Of(part);
  }
  mac_ = std::make_unique<Mac>(derived);
}

std::string Signer::Authorization(const SignedRequest& request, int64_t unix_s) {
  SetTime(unix_s);
  const Canonical headers = CanonicalHeaders(request.headers);
  const std::string names = SignedNames(headers);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date_, scope_, Sha256Hex(CanonicalText(request, headers, names)));
  const std::string signature = mac_->Of(to_sign);
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", key_.key_id, scope_, names,
                     Hex({bytes, signature.size()}));
}

std::vector<Header> Signer::SignS3(SignedRequest request, std::string_view host, int64_t unix_s) {
  SetTime(unix_s);
  std::vector<Header> added{{"x-amz-content-sha256", request.payload_sha256}, {"x-amz-date", date_}};
  if (!key_.session_token.empty()) added.push_back({"x-amz-security-token", key_.session_token});
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  request.headers.push_back({"host", std::string(host)});
  added.push_back({"Authorization", Authorization(request, unix_s)});
  return added;
}

}  // namespace lode::net
