// Requests and responses of the simulator's HTTP/1.1 server, and the percent-decoding and form parsing they need.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/base/text.h"

namespace lode::vendor {

using Parameters = std::multimap<std::string, std::string>;

// What a fault rule asks of the endpoint itself; all other faults are the server's.
struct EndpointFaults {
  bool ignore_range = false;
  bool wrong_hash = false;
};

struct Request {
  std::string method, target, path;
  Parameters parameters;                       // of the query, and of a form in the body
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  uint64_t number = 0;  // of all requests since the start, from 1
  EndpointFaults faults;

  std::optional<std::string> Find(const std::string& name) const;  // a parameter; absent when empty
  std::string Header(const std::string& name) const;               // by lower-case name, empty when absent
};

// Takes a body's bytes; false: the client is gone, stop.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual bool Write(std::string_view bytes) = 0;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  std::string body;
  // Instead of `body`: writes it piece by piece; sent in chunks.
  std::function<void(BodySink&)> stream;
  std::optional<uint64_t> stream_length;  // of `stream`, where it is known: sent with Content-Length instead
  // Called once after sending; `whole`: every byte went out as it was made, and the message ended properly.
  std::function<void(bool whole, uint64_t body_bytes)> done;
};

std::string_view ReasonOf(int status);
// First and last byte of "bytes=FROM-" or "bytes=FROM-TO" of a file; nullopt: no range, or one to be ignored.
std::optional<std::pair<uint64_t, uint64_t>> ParseRange(const std::string& header, uint64_t size);
// `form`: '+' is a space.
std::string PercentDecode(std::string_view text, bool form);
Parameters ParseForm(std::string_view text);
// In lower case.
std::string ToHex(std::string_view bytes);
// For text and attributes.
std::string EscapeXml(std::string_view text);
// "Tue, 15 Nov 1994 08:12:31 GMT".
std::string HttpDate(int64_t unix_s);
// Base64 without line breaks; empty when malformed.
std::string DecodeBase64(std::string_view text);

}  // namespace lode::vendor
