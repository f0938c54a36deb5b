// URLs as libcurl reads them: the origin a credential is checked against and the host curl connects to come from one
// parser, so that no odd spelling makes them differ.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/base/result.h"

namespace lode::net {

struct Url {
  std::string text;    // as curl will get it; no fragment
  std::string scheme;  // "http" | "https"
  std::string host;    // lower case; IPv6 in brackets
  std::string origin;  // "https://host:port", default port left out
  std::string path;    // begins with '/', percent-encoded as in the text
  std::string query;   // without '?'; may be empty
};

// kConfig when it is no absolute http(s) URL, names a user or a password, or holds a space or a control character.
Result<Url> ParseUrl(std::string_view text);

// What ParseUrl would say of a text that is `known.origin` and a path without odd characters, without asking libcurl:
// most URLs of a run are of one server. nullopt: any other text.
std::optional<Url> UrlOfSameOrigin(const Url& known, std::string_view text);

// What paths are appended to: no '/' at the end of `text` and `path`. kConfig when it holds a query, too.
Result<Url> ParseBaseUrl(std::string_view text);

// What a Location header of `base` leads to: absolute or relative in every form of RFC 3986.
Result<Url> ResolveLocation(const Url& base, std::string_view location);

// 127.0.0.0/8, ::1 and localhost: never reached through a proxy.
bool IsLoopback(const Url& url);

// Percent-encodes all but A-Z a-z 0-9 - _ . ~ (and '/' when asked).
std::string PercentEncode(std::string_view text, bool keep_slash = false);

}  // namespace lode::net
