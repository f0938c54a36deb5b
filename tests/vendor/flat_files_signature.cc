// Source: "Signature Version 4 signing process", AWS General Reference. Written for itself: what lode signs with must
// not be its own judge.
#include <fmt/format.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "flat_files.h"
#include "lode/base/hashing.h"
#include "lode/base/time.h"

namespace lode::vendor {
namespace {

constexpr int64_t kMostSkew_s = 15 * 60;

std::string Hmac(const std::string& key, const std::string& message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::vector<std::string> Split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (true) {
    const size_t at = text.find(by);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// RFC 3986, as AWS wants it.
std::string Encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

std::string CanonicalQuery(std::string_view query) {
  std::vector<std::string> pairs;
  for (const std::string& pair : Split(query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs.push_back(
        Encode(PercentDecode(pair.substr(0, equals), false)) + "=" +
        Encode(PercentDecode(equals < pair.size() ? std::string_view(pair).substr(equals + 1) : "", false)));
  }
  std::ranges::sort(pairs);
  return fmt::format("{}", fmt::join(pairs, "&"));
}

std::string Trimmed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

// "Name=VALUE" of the header's comma-separated parts.
std::string PartOf(const std::string& header, const std::string& name) {
  for (const std::string& part : Split(header.substr(std::min(header.find(' '), header.size())), ',')) {
    const std::string trimmed = Trimmed(part);
    if (trimmed.starts_with(name + "=")) return trimmed.substr(name.size() + 1);
  }
  return "";
}

// "20130524T000000Z" in seconds.
std::optional<int64_t> ParseAmzDate(const std::string& text) {
  if (text.size() != 16) return std::nullopt;
  const auto ns = ParseIsoNs(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                                         text.substr(9, 2), text.substr(11, 2), text.substr(13, 2)));
  return ns ? std::optional(*ns / kNsPerSecond) : std::nullopt;
}

}  // namespace

std::optional<S3Refusal> CheckSignature(const Request& request, const S3Key& key, int64_t unix_s) {
  if (key.secret.empty()) return std::nullopt;
  const std::string header = request.Header("authorization");
  if (header.empty()) return S3Refusal{403, "AccessDenied", "Access Denied"};
  const std::vector<std::string> scope = Split(PartOf(header, "Credential"), '/');
  if (!header.starts_with("AWS4-HMAC-SHA256 ") || scope.size() != 5 || scope[3] != "s3" || scope[4] != "aws4_request") {
    return S3Refusal{400, "AuthorizationHeaderMalformed", "The authorization header is malformed."};
  }
  if (scope[0] != key.id) {
    return S3Refusal{403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."};
  }
  const std::string date = request.Header("x-amz-date");
  const auto signed_s = ParseAmzDate(date);
  if (!signed_s || !date.starts_with(scope[1])) return S3Refusal{403, "AccessDenied", "Invalid date in the signature."};
  if (std::abs(*signed_s - unix_s) > kMostSkew_s) {
    return S3Refusal{403, "RequestTimeTooSkewed",
                     "The difference between the request time and the current time is too large."};
  }
  const std::string names = PartOf(header, "SignedHeaders");
  const std::vector<std::string> signed_names = Split(names, ';');
  std::string headers;
  for (const std::string& name : signed_names) headers += name + ":" + Trimmed(request.Header(name)) + "\n";
  const bool covers = std::ranges::find(signed_names, "host") != signed_names.end() &&
                      std::ranges::find(signed_names, "x-amz-date") != signed_names.end();
  const std::string payload = request.Header("x-amz-content-sha256");
  if (!covers || payload.empty()) return S3Refusal{400, "InvalidRequest", "Missing required header for this request."};
  const size_t question = std::min(request.target.find('?'), request.target.size());
  const std::string canonical =
      request.method + "\n" + request.target.substr(0, question) + "\n" +
      CanonicalQuery(std::string_view(request.target).substr(std::min(question + 1, request.target.size()))) + "\n" +
      headers + "\n" + names + "\n" + payload;
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + date + "\n" + scope[1] + "/" + scope[2] + "/s3/aws4_request\n" + Sha256Hex(canonical);
  const std::string signing = Hmac(Hmac(Hmac(Hmac("AWS4" + key.secret, scope[1]), scope[2]), "s3"), "aws4_request");
  if (ToHex(Hmac(signing, to_sign)) != PartOf(header, "Signature")) {
    return S3Refusal{403, "SignatureDoesNotMatch",
                     "The request signature we calculated does not match the signature you provided."};
  }
  if (payload != "UNSIGNED-PAYLOAD" && payload != Sha256Hex(request.body)) {
    return S3Refusal{400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match."};
  }
  return std::nullopt;
}

}  // namespace lode::vendor
