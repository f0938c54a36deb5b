// The HTTP client every source and store goes through: one event loop on libcurl's multi interface, run by the thread
// that calls Run. It retries, limits rates, resumes, follows redirects only where that is safe, and tells nobody a key.
//
// A request either ends with a success response whose body was taken whole, or with an Error. What counts as whole:
// Content-Length met, chunked encoding or HTTP/2 stream ended properly, the Body's own End() content. Everything else
// is tried again as DESIGN section 8 says: 408, 429 (Retry-After obeyed), 500, 502, 503, 504, resets, timeouts,
// truncated bodies, an HTML page where data was asked for, a Body that answers kCorrupt; exponential backoff with full
// jitter, at most RetryPolicy::attempts tries without progress: a resumed download that went on by a MiB starts
// counting anew.
//
// Threads: one thread calls Run (or Fetch); Post may be called from any. Bodies and callbacks run on Run's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/base/result.h"

namespace lode::net {

struct Header {
  std::string name, value;
};

// A secret that is added to requests and to nothing else: it is sent only to `origin` ("https://host:port"), never
// after a redirect to another, and never appears in an error, a log line or Request::label.
struct Credential {
  enum class Kind { kNone, kBasicUser, kBearer, kQuery } kind = Kind::kNone;  // Basic with an empty password
  std::string secret;
  std::string origin;
  std::string query_name;  // kQuery: the parameter's name, "api_key"
};

struct Request {
  std::string method = "GET";
  std::string url;  // without secrets
  // Without secrets. A Range of the caller's own turns resuming off and is not checked.
  std::vector<Header> headers;
  // Called before every try for headers that age, such as a signature; sent to the URL's own origin only.
  std::function<std::vector<Header>()> fresh_headers;
  std::string body;  // sent as it is; the caller sets Content-Type
  Credential credential;
  std::string label;  // for errors and logs: "timeseries.get_range ZL.FUT 2024-01-01..2024-01-07"
  // False: the server may act on it twice (a submitted job), so it is tried again only when it surely was not received:
  // the connection was refused, or the answer was 429 or 503.
  bool repeatable = true;
  std::vector<int> transient_statuses;               // tried again besides the usual ones: 409 of a conditional PUT
  uint64_t max_response_bytes = uint64_t{64} << 20;  // of one try
  std::chrono::milliseconds idle_timeout{100'000};   // without a byte
  // Times out twice (504, 408 or idle): give up at once with kTimeout instead of more tries, because the caller makes
  // the request smaller.
  bool halvable = false;
};

struct ResponseHead {
  int status = 0;
  std::vector<Header> headers;
  std::optional<uint64_t> content_length;  // of what follows, when the server said it
  // The protocol proves the body's end (Content-Length, chunks, HTTP/2). False: it ends when the connection does, and
  // only the Body can tell whether it is whole.
  bool ends_provably = false;
  // First value of a header by name, without regard to case; empty when absent.
  std::string_view Find(std::string_view name) const;
};

// Where a success response's body goes. One Body serves all tries of its request.
class Body {
 public:
  virtual ~Body() = default;
  // Bytes held from an earlier try (or run) that the next may continue: the client asks for `Range: bytes=held-` and
  // checks that the server honoured it and that the ETag is still the same. 0: start anew.
  virtual uint64_t held() const { return 0; }
  // A success response begins; its bytes continue at `offset`: held(), or 0 when the server sent everything.
  virtual Status Begin(const ResponseHead& head, uint64_t offset) = 0;
  virtual Status Write(std::span<const std::byte> bytes) = 0;
  // The response ended whole. kCorrupt: not what was asked for, try again.
  virtual Status End() = 0;
  // After a response that broke off: what came of it is of use, so that the caller asks for the rest itself. The
  // request ends with kBroken instead of another try.
  virtual bool keeps_part() const { return false; }
};

// Keeps the body in memory. No resume.
class TextBody : public Body {
 public:
  Status Begin(const ResponseHead& head, uint64_t offset) override;
  Status Write(std::span<const std::byte> bytes) override;
  Status End() override { return Ok(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Why a request did not succeed, for those who must act on it beyond ErrorKind.
enum class FailureClass {
  kNone,
  kTimeout,       // 504, 408 or silence, often enough that a smaller request is the answer
  kTransient,     // tries used up on 429, 5xx, resets, truncated or corrupt bodies
  kBroken,        // broke off, and the Body keeps a part of it
  kBadRequest,    // 400, 409, 416, 422
  kUnauthorized,  // 401
  kPayment,       // 402
  kForbidden,     // 403
  kNotFound,      // 404
  kUnreachable,   // DNS, TLS, connection refused after all tries
  kTooLarge,      // over max_response_bytes
  kRedirected,    // to a host that is not allowed
  kStopped,       // Ctrl-C, or the Body said no
};

struct Response {
  ResponseHead head;  // of the last try
  int tries = 0;
  FailureClass failure = FailureClass::kNone;
  std::string error_body;  // of a failed response: at most 64 KiB, secrets blotted out
};

// The outcome of a request: `status` is the Error when it failed (kRefused for 401, 402, 403; kNotFound; kBadInput for
// other final refusals; kConfig for a certificate that is not trusted; kPartial for used-up tries; kInterrupted; or the
// Body's own).
struct Outcome {
  Status status;
  Response response;
};

struct RetryPolicy {
  int attempts = 8;
  std::chrono::milliseconds first_wait{500}, longest_wait{30'000};
  std::chrono::milliseconds longest_retry_after{300'000};  // a longer Retry-After fails at once
};

// Limits of one origin.
struct HostLimits {
  int connections = 16;       // requests at once, so at most as many connections
  double requests_per_s = 0;  // in any second, redirects and tries included; 0: none
};

struct ClientOptions {
  RetryPolicy retry;
  HostLimits limits;                                      // of every origin
  std::optional<std::chrono::milliseconds> idle_timeout;  // instead of every request's own
  double rate_factor = 1;                                 // on every LimitPath: a test's vendor has no limits
  std::vector<std::string> allowed_origins;  // redirects may lead there, without credentials; empty: same origin only
  uint64_t seed = 0;                         // of the jitter; 0: random
  std::string ca_file;                       // empty: the system's
  std::string user_agent;                    // empty: "lode/VERSION"
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> Make(ClientOptions options);
  virtual ~Client() = default;

  using Done = std::function<void(Outcome)>;
  // Adds a request; `done` is called once, from Run, and may add more. Queued requests of one origin and path limit
  // start in order.
  virtual void Add(Request request, std::shared_ptr<Body> body, Done done) = 0;
  // Runs until nothing is left to do and nobody holds the loop open. kInterrupted when a stop was asked for: all
  // transfers were ended, their callbacks called with kStopped.
  virtual Status Run() = 0;
  // From any thread: has `task` called on Run's thread; wakes the loop.
  virtual void Post(std::function<void()> task) = 0;
  // From any thread: while held, Run waits for Post instead of returning when idle. Holds add up: every true wants its
  // false.
  virtual void HoldOpen(bool hold) = 0;
  // From any thread: ends everything as a stop would; Run returns kInterrupted.
  virtual void Cancel() = 0;
  // Requests started but not ended, those waiting for a retry included.
  virtual size_t in_flight() const = 0;
  // A limit of its own for requests whose URL path begins with `path_prefix` ("/v0/metadata."): the vendor's documented
  // requests per second (below 1: one every 1 / rate seconds), on top of the origin's. The longest prefix counts. With
  // a longer `window` bursts are allowed: requests_per_s × window of them in any window.
  virtual void LimitPath(std::string path_prefix, double requests_per_s,
                         std::chrono::seconds window = std::chrono::seconds(1)) = 0;

  // One request to its end, on the calling thread; not while Run runs. Others that are queued go on meanwhile.
  Outcome Fetch(Request request, std::shared_ptr<Body> body);
  // Several side by side, until all have ended; outcomes in the order of the requests. Bodies may be nullptr.
  std::vector<Outcome> FetchAll(std::vector<std::pair<Request, std::shared_ptr<Body>>> requests);
  // One, body as text.
  Result<std::string> FetchText(Request request);

 protected:
  // As Run, but ends as soon as `ended()`, whatever else is left to do or holds the loop.
  virtual Status RunUntil(const std::function<bool()>& ended) = 0;
};

// ASCII only, as header names want it.
bool EqualIgnoringCase(std::string_view a, std::string_view b);
// "a=1&b=x%20y" in the order given, percent-encoded as application/x-www-form-urlencoded wants ('+' never used).
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& fields);
// "https://host:port" of a URL, lower case, default port left out; kConfig when it is no http(s) URL.
Result<std::string> OriginOf(std::string_view url);

}  // namespace lode::net
