#include "lode/net/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>

#include "lode/base/hashing.h"
#include "lode/base/time.h"
#include "lode/net/url.h"

namespace lode::net {
namespace {

// The digest's bytes.
std::string Hmac(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

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
using Canonical = std::map<std::string, std::string>;
Canonical CanonicalHeaders(const std::vector<Header>& headers) {
  Canonical canonical;
  for (const Header& header : headers) {
    const auto [place, is_new] = canonical.try_emplace(Lower(header.name), TrimAll(header.value));
    if (!is_new) place->second += "," + TrimAll(header.value);
  }
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
  std::string text = request.method + "\n" + (request.path.empty() ? "/" : request.path) + "\n";
  for (size_t i = 0; i < query.size(); ++i) text += (i > 0 ? "&" : "") + query[i].first + "=" + query[i].second;
  text += "\n";
  for (const auto& [name, value] : headers) text += name + ":" + value + "\n";
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

std::string Signer::Authorization(const SignedRequest& request, int64_t unix_s) {
  const std::string date = AmzDate(unix_s), day = date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, key_.region, key_.service);
  const Canonical headers = CanonicalHeaders(request.headers);
  const std::string names = SignedNames(headers);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, Sha256Hex(CanonicalText(request, headers, names)));
  if (day != day_) {
    derived_ = Hmac(Hmac(Hmac(Hmac("AWS4" + key_.secret, day), key_.region), key_.service), "aws4_request");
    day_ = day;
  }
  const std::string signature = Hmac(derived_, to_sign);
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", key_.key_id, scope, names,
                     Hex({bytes, signature.size()}));
}

std::vector<Header> Signer::SignS3(SignedRequest request, std::string_view host, int64_t unix_s) {
  std::vector<Header> added{{"x-amz-content-sha256", request.payload_sha256}, {"x-amz-date", AmzDate(unix_s)}};
  if (!key_.session_token.empty()) added.push_back({"x-amz-security-token", key_.session_token});
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  request.headers.push_back({"host", std::string(host)});
  added.push_back({"Authorization", Authorization(request, unix_s)});
  return added;
}

}  // namespace lode::net
