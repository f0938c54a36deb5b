// Fault injection by script: which requests meet which fault. README.md documents the format.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "http.h"
#include "market.h"

namespace lode::vendor {

using Json = nlohmann::ordered_json;

// What happens to one request. Several rules may add up; the first to set a field wins.
struct Fault {
  std::optional<int> status;  // answered instead of the endpoint
  std::string body, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string redirect;     // Location
  bool after = false;       // status, reset and hang strike after the endpoint has done its work
  int64_t delay_ms = 0;     // before anything
  bool hang = false;        // never answers
  int64_t hang_after = -1;  // falls silent after that many body bytes
  int64_t reset_at = -1;    // TCP reset after that many body bytes; 0: instead of an answer
  int64_t drip_bytes_per_s = 0;
  int64_t truncate_at = -1;  // body bytes
  enum class Framing { kLength, kShortLength, kCutChunk, kEndChunk } framing = Framing::kCutChunk;
  int64_t flip_at = -1;  // a bit of that body byte is inverted; negative below -1: from the end
  bool html = false, empty = false, duplicate = false;
  int64_t clock_skew_s = 0;
  std::vector<std::pair<std::string, std::string>> form;  // parameters the endpoint sees instead of the request's
  std::string path;                                       // the endpoint sees instead of the request's
  EndpointFaults endpoint;
  std::vector<std::string> rules;  // that matched, by name
};

class FaultScript {
 public:
  FaultScript();
  ~FaultScript();
  // Replaces (or with {"add": [...]} extends, {"clear": true} empties) the rules. An error's text when the script has
  // a mistake: nothing changes then.
  std::optional<std::string> Load(const Json& script);
  // Decides for a request and counts it.
  Fault Decide(const Request& request);
  // [{"name", "matched", "applied"}]
  Json Report() const;

 private:
  struct Rule;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Rule>> rules_;
  fixtures::Random random_{1};
};

}  // namespace lode::vendor
