// One try of one request on one libcurl easy handle: sets it up, takes the response apart, feeds the Body and says how
// it ended. Knows nothing of queues, waits and further tries.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "lode/net/curl.h"
#include "lode/net/http.h"
#include "lode/net/retry.h"
#include "lode/net/url.h"

namespace lode::net {

// A request on its way through tries and redirects.
struct Job {
  uint64_t sequence = 0;
  Request request;
  std::shared_ptr<Body> body;
  Client::Done done;
  std::string credential_origin;  // as OriginOf spells it; empty: none
  Url first;                      // of the request
  RetryState retry;
  int tries = 0;
  // The present try:
  Url target;
  std::string method;
  bool send_body = true;
  int hops = 0;
  bool left_origin = false;  // a redirect led away: no credential, no signature, also if another leads back
  // Resuming:
  bool restart = false;    // the next try asks for everything
  std::string etag;        // of the response whose bytes the Body holds; empty: unknown
  uint64_t most_held = 0;  // bytes held when progress was last credited
};

struct TransferSettings {
  std::string user_agent;
  std::string ca_file;
};

// How a try ended.
struct TryEnd {
  enum class Kind { kWhole, kRedirect, kFailed, kBodyRefused } kind = Kind::kFailed;
  TryFailure failure;    // kFailed
  Status body_status;    // kBodyRefused: the Body's own words
  std::string location;  // kRedirect
  std::string message;   // of the vendor, secrets not yet blotted out
  ResponseHead head;
  std::string error_body;  // the same
};

class Transfer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // nullptr when libcurl has no memory.
  static std::unique_ptr<Transfer> Make();
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Owns the job until TakeJob. The handle may then be added to a multi handle.
  Status Start(std::unique_ptr<Job> job, const TransferSettings& settings, TimePoint now);
  // Looks whether bytes moved since the last look; true when they have not for the request's idle timeout, `late` not
  // counted: since then nobody could have seen them. The caller then ends the transfer with ConcludeIdle.
  bool IsIdle(TimePoint now, TimePoint::duration late);
  // After libcurl said it is done and the handle was taken out of the multi handle.
  TryEnd Conclude(CURLcode code);
  TryEnd ConcludeIdle();
  std::unique_ptr<Job> TakeJob() { return std::move(job_); }
  CURL* easy() const { return easy_; }

 private:
  enum class Phase { kHead, kSniff, kBody, kRefusal };

  explicit Transfer(CURL* easy) : easy_(easy) {}
  static size_t OnHeader(char* bytes, size_t one, size_t size, void* self);
  static size_t OnBody(char* bytes, size_t one, size_t size, void* self);
  Status SetHeaders();
  Status AddHeaderLine(const std::string& line);
  void SetMethod();
  std::string_view SentBody() const;
  bool IsPost() const;  // to libcurl, whatever the method is called
  bool TakeHeaderLine(std::string_view line);
  bool TakeHead();
  bool CheckRange();
  bool TakeBody(std::string_view bytes);
  bool Sniff(std::string_view bytes);
  bool BeginBody();
  bool WriteBody(std::string_view bytes);
  bool GiveUp(TryFailure failure);
  // Keeps what the Body said; a kCorrupt answer is a failure worth another try.
  bool TakeBodyStatus(Status status);
  bool IsSuccess() const { return head_.status >= 200 && head_.status < 300; }
  TryEnd Fail(TryFailure failure);
  TryEnd ConcludeSuccess();
  TryFailure JudgeCurl(CURLcode code) const;
  int64_t MovedBytes() const;

  CURL* easy_;
  curl_slist* header_list_ = nullptr;
  std::unique_ptr<Job> job_;
  char error_[CURL_ERROR_SIZE] = {};
  Phase phase_ = Phase::kHead;
  ResponseHead head_;
  size_t head_bytes_ = 0;
  uint64_t asked_offset_ = 0;   // of our Range; 0: none asked
  uint64_t begin_offset_ = 0;   // where the response begins
  uint64_t missing_after_ = 0;  // bytes the object has after the range that the server sent
  uint64_t received_ = 0;
  bool begun_ = false;
  bool is_html_ = false;  // the head says so
  std::string sniffed_;
  std::string error_body_;
  uint64_t refusal_bytes_ = 0;
  std::optional<TryFailure> problem_;
  Status body_status_;
  int64_t moved_ = 0;
  TimePoint moved_at_;
};

}  // namespace lode::net
