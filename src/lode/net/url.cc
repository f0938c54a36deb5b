#include "lode/net/url.h"

#include <algorithm>
#include <memory>

#include "lode/net/curl.h"
#include "lode/net/http.h"

namespace lode::net {
namespace {

struct UrlCloser {
  void operator()(CURLU* url) const { Curl().url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, UrlCloser>;

// Paths stay as they are spelled: a signature covers the spelling, and an object's key may hold "//".
constexpr unsigned kParseFlags = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;

std::string Part(CURLU* url, CURLUPart what) {
  char* text = nullptr;
  if (Curl().url_get(url, what, &text, 0) != CURLUE_OK) return "";
  std::string part(text);
  Curl().free(text);
  return part;
}

void LowerCase(std::string* text) {
  std::ranges::transform(*text, text->begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
}

// The text may hold a secret somebody pasted: it is never repeated.
std::unexpected<Error> NotAUrl(std::string_view why) {
  return Fail(ErrorKind::kConfig, "not an http:// or https:// URL: {}", why);
}

bool HasControlOrSpace(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

// RFC 3986, 2.3.
bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

Result<Url> Describe(CURLU* handle) {
  Curl().url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.scheme = Part(handle, CURLUPART_SCHEME);
  LowerCase(&url.scheme);
  if (url.scheme != "http" && url.scheme != "https") return NotAUrl("another scheme");
  url.host = Part(handle, CURLUPART_HOST);
  LowerCase(&url.host);
  if (url.host.empty()) return NotAUrl("no host");
  if (!Part(handle, CURLUPART_USER).empty() || !Part(handle, CURLUPART_PASSWORD).empty()) {
    return NotAUrl("it names a user");
  }
  const std::string port = Part(handle, CURLUPART_PORT);
  const bool is_default = port.empty() || port == (url.scheme == "https" ? "443" : "80");
  url.origin =
      is_default ? fmt::format("{}://{}", url.scheme, url.host) : fmt::format("{}://{}:{}", url.scheme, url.host, port);
  url.path = Part(handle, CURLUPART_PATH);
  url.query = Part(handle, CURLUPART_QUERY);
  url.text = Part(handle, CURLUPART_URL);
  if (url.path.empty() || url.text.empty()) return NotAUrl("libcurl cannot spell it");
  return url;
}

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  // curl_url_set also accepts "host/path"; a scheme must be said here.
  if (text.find("://") == std::string_view::npos) return NotAUrl("no scheme");
  if (HasControlOrSpace(text)) return NotAUrl("it holds a space or a control character");
  LODE_TRY(const CurlApi* curl, LoadCurl());
  const Handle handle(curl->url());
  if (handle == nullptr) return Fail(ErrorKind::kInternal, "out of memory");
  const CURLUcode code = Curl().url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), kParseFlags);
  if (code != CURLUE_OK) return NotAUrl(Curl().url_strerror(code));
  return Describe(handle.get());
}

std::optional<Url> UrlOfSameOrigin(const Url& known, std::string_view text) {
  if (known.origin.empty() || !text.starts_with(known.origin)) return std::nullopt;
  const std::string_view path = text.substr(known.origin.size());
  const auto is_plain = [](char c) { return c == '/' || IsUnreserved(c); };
  if (!path.starts_with('/') || !std::ranges::all_of(path, is_plain)) return std::nullopt;
  return Url{.text = std::string(text),
             .scheme = known.scheme,
             .host = known.host,
             .origin = known.origin,
             .path = std::string(path),
             .query = ""};
}

Result<Url> ParseBaseUrl(std::string_view text) {
  LODE_TRY(Url base, ParseUrl(text));
  if (!base.query.empty()) return Fail(ErrorKind::kConfig, "it holds a query");
  while (base.path.ends_with('/')) base.path.pop_back();
  base.text = base.origin + base.path;
  return base;
}

Result<Url> ResolveLocation(const Url& base, std::string_view location) {
  if (location.empty() || HasControlOrSpace(location)) return NotAUrl("an empty or malformed Location");
  LODE_TRY(const CurlApi* curl, LoadCurl());
  const Handle handle(curl->url());
  if (handle == nullptr) return Fail(ErrorKind::kInternal, "out of memory");
  CURLUcode code = Curl().url_set(handle.get(), CURLUPART_URL, base.text.c_str(), kParseFlags);
  if (code == CURLUE_OK) code = Curl().url_set(handle.get(), CURLUPART_URL, std::string(location).c_str(), kParseFlags);
  if (code != CURLUE_OK) return NotAUrl(Curl().url_strerror(code));
  return Describe(handle.get());
}

bool IsLoopback(const Url& url) {
  return url.host == "localhost" || url.host == "[::1]" ||
         (url.host.starts_with("127.") && url.host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string PercentEncode(std::string_view text, bool keep_slash) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size() + 16);
  for (const char c : text) {
    if (IsUnreserved(c) || (keep_slash && c == '/')) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[static_cast<unsigned char>(c) >> 4];
      encoded += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return encoded;
}

std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    text += PercentEncode(name) + "=" + PercentEncode(value);
  }
  return text;
}

Result<std::string> OriginOf(std::string_view url) {
  LODE_TRY(Url parsed, ParseUrl(url));
  return std::move(parsed.origin);
}

}  // namespace lode::net
