// Blots secrets out of texts that others wrote: error bodies, curl's error messages, URLs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lode::net {

std::string Base64(std::string_view bytes);

// Knows a secret in every form it may come back in: plain, percent-encoded (either case of the digits), as a form
// field ('+' for spaces), in JSON text, and inside base64 at any offset (an echoed Authorization header), also
// URL-safe.
class Redactor {
 public:
  Redactor() = default;
  // Secrets shorter than four characters are ignored: blotting them out would hide nothing and destroy the text.
  void Add(std::string_view secret);
  // Every form replaced by "***".
  std::string Clean(std::string_view text) const;

 private:
  std::vector<std::string> forms_;  // longest first
};

}  // namespace lode::net
