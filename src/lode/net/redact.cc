#include "lode/net/redact.h"

#include <openssl/evp.h>

#include <algorithm>

#include "lode/net/url.h"

namespace lode::net {
namespace {

constexpr size_t kShortestSecret = 4;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string LowerHexDigits(std::string text) {
  for (size_t at = 0; (at = text.find('%', at)) != std::string::npos; ++at) {
    for (size_t digit = at + 1; digit <= at + 2 && digit < text.size(); ++digit) {
      if (text[digit] >= 'A' && text[digit] <= 'F') text[digit] = static_cast<char>(text[digit] + ('a' - 'A'));
    }
  }
  return text;
}

// The characters of base64(prefix + secret + anything) that the secret alone decides, for a prefix of `shift` bytes.
std::string InnerBase64(std::string_view secret, size_t shift) {
  const std::string whole = Base64(std::string(shift, '\0') + std::string(secret));
  const size_t begin = (shift * 8 + 5) / 6, end = (shift + secret.size()) * 8 / 6;
  return whole.substr(begin, end - begin);
}

std::string JsonEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '/') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

void Redactor::Add(std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  const std::string encoded = PercentEncode(secret);
  std::vector<std::string> forms{std::string(secret),     encoded,
                                 LowerHexDigits(encoded), Replaced(encoded, "%20", "+"),
                                 JsonEscaped(secret),     Replaced(JsonEscaped(secret), "\\/", "/")};
  for (size_t shift = 0; shift < 3; ++shift) {
    std::string inner = InnerBase64(secret, shift);
    if (inner.size() < kShortestSecret) continue;
    forms.push_back(Replaced(Replaced(inner, "+", "-"), "/", "_"));
    forms.push_back(std::move(inner));
  }
  forms_.insert(forms_.end(), std::make_move_iterator(forms.begin()), std::make_move_iterator(forms.end()));
  std::ranges::sort(forms_, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  const auto repeated = std::ranges::unique(forms_);
  forms_.erase(repeated.begin(), repeated.end());
}

std::string Redactor::Clean(std::string_view text) const {
  std::string clean(text);
  for (const std::string& form : forms_) clean = Replaced(std::move(clean), form, "***");
  return clean;
}

}  // namespace lode::net
