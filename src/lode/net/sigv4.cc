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

std::string Hmac(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
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
std::map<std::string, std::string> CanonicalHeaders(const std::vector<Header>& headers) {
  std::map<std::string, std::string> canonical;
  for (const Header& header : headers) {
    const auto [place, is_new] = canonical.try_emplace(Lower(header.name), TrimAll(header.value));
    if (!is_new) place->second += "," + TrimAll(header.value);
  }
  return canonical;
}

std::string SignedNames(const std::vector<Header>& headers) {
  std::string names;
  for (const auto& [name, value] : CanonicalHeaders(headers)) names += (names.empty() ? "" : ";") + name;
  return names;
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
  std::vector<std::pair<std::string, std::string>> query;
  for (const auto& [name, value] : request.query) query.emplace_back(PercentEncode(name), PercentEncode(value));
  std::ranges::sort(query);  // after encoding, as the specification says
  std::string text = request.method + "\n" + (request.path.empty() ? "/" : request.path) + "\n";
  for (size_t i = 0; i < query.size(); ++i) text += (i > 0 ? "&" : "") + query[i].first + "=" + query[i].second;
  text += "\n";
  for (const auto& [name, value] : CanonicalHeaders(request.headers)) text += name + ":" + value + "\n";
  return text + "\n" + SignedNames(request.headers) + "\n" + request.payload_sha256;
}

std::string Authorization(const SigningKey& key, const SignedRequest& request, int64_t unix_s) {
  const std::string date = AmzDate(unix_s), day = date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, key.region, key.service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, Sha256Hex(CanonicalRequest(request)));
  const std::string derived = Hmac(Hmac(Hmac(Hmac("AWS4" + key.secret, day), key.region), key.service), "aws4_request");
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", key.key_id, scope,
                     SignedNames(request.headers), Hex(Hmac(derived, to_sign)));
}

std::vector<Header> SignS3(const SigningKey& key, SignedRequest request, std::string_view host, int64_t unix_s) {
  std::vector<Header> added{{"x-amz-content-sha256", request.payload_sha256}, {"x-amz-date", AmzDate(unix_s)}};
  if (!key.session_token.empty()) added.push_back({"x-amz-security-token", key.session_token});
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  request.headers.push_back({"host", std::string(host)});
  added.push_back({"Authorization", Authorization(key, request, unix_s)});
  return added;
}

}  // namespace lode::net
