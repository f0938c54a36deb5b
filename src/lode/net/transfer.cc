#include "lode/net/transfer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "lode/base/time.h"
#include "lode/net/error_text.h"

namespace lode::net {
namespace {

constexpr size_t kLargestHead = 256 << 10;
constexpr size_t kLargestErrorBody = 64 << 10;
// A refusal is read to its end, so that the connection can be kept, unless it is longer than this.
constexpr uint64_t kLargestRefusal = 1 << 20;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ContentRange {
  uint64_t first = 0, last = 0;
  std::optional<uint64_t> total;
};

// "bytes 100-199/1000", "bytes 100-199/*".
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  if (!EqualIgnoringCase(text.substr(0, 6), "bytes ")) return std::nullopt;
  text = Trim(text.substr(6));
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = ParseNumber(text.substr(0, dash)), last = ParseNumber(text.substr(dash + 1, slash - dash - 1));
  const std::string_view total_text = text.substr(slash + 1);
  const auto total = ParseNumber(total_text);
  if (!first || !last || *first > *last || (!total && total_text != "*") || (total && *last >= *total)) {
    return std::nullopt;
  }
  return ContentRange{*first, *last, total};
}

bool WantsHtml(const Request& request) {
  return std::ranges::any_of(request.headers, [](const Header& header) {
    return EqualIgnoringCase(header.name, "Accept") && header.value.find("text/html") != std::string::npos;
  });
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

TryFailure Transient(std::string what) {
  TryFailure failure;
  failure.what = std::move(what);
  failure.again = true;
  return failure;
}

}  // namespace

std::unique_ptr<Transfer> Transfer::Make() {
  CURL* easy = Curl().easy_init();
  return easy == nullptr ? nullptr : std::unique_ptr<Transfer>(new Transfer(easy));
}

Transfer::~Transfer() {
  Curl().easy_cleanup(easy_);
  Curl().slist_free_all(header_list_);
}

// ---- what the server sends ----

size_t Transfer::OnHeader(char* bytes, size_t one, size_t size, void* self) {
  size *= one;
  return static_cast<Transfer*>(self)->TakeHeaderLine({bytes, size}) ? size : 0;
}

size_t Transfer::OnBody(char* bytes, size_t one, size_t size, void* self) {
  size *= one;
  return static_cast<Transfer*>(self)->TakeBody({bytes, size}) ? size : 0;
}

bool Transfer::GiveUp(TryFailure failure) {
  problem_ = std::move(failure);
  return false;
}

bool Transfer::TakeBodyStatus(Status status) {
  if (status) return true;
  if (status.error().kind == ErrorKind::kCorrupt) return GiveUp(Transient(status.error().ToString()));
  body_status_ = std::move(status);
  return false;
}

bool Transfer::TakeHeaderLine(std::string_view line) {
  if (phase_ != Phase::kHead) return true;  // trailers
  head_bytes_ += line.size();
  if (head_bytes_ > kLargestHead) return GiveUp(Transient("response headers over 256 KiB"));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // also of every 1xx before the response proper
    head_ = {};
    const size_t space = line.find(' ');
    const auto status = ParseNumber(line.substr(std::min(space, line.size() - 1) + 1).substr(0, 3));
    head_.status = status && *status < 1000 ? static_cast<int>(*status) : 0;
    head_.ends_provably = line.starts_with("HTTP/2");
    return true;
  }
  if (line.empty()) return head_.status >= 200 ? TakeHead() : true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  head_.headers.push_back({std::string(Trim(line.substr(0, colon))), std::string(Trim(line.substr(colon + 1)))});
  return true;
}

bool Transfer::TakeHead() {
  head_.content_length = ParseNumber(head_.Find("Content-Length"));
  if (!head_.Find("Transfer-Encoding").empty()) head_.content_length.reset();
  if (head_.content_length || !head_.Find("Transfer-Encoding").empty()) head_.ends_provably = true;
  if (!IsSuccess()) {
    phase_ = Phase::kRefusal;
    return true;
  }
  phase_ = Phase::kSniff;
  if (job_->method == "HEAD") return true;
  const Request& request = job_->request;
  if (WantsHtml(request)) {
    phase_ = Phase::kBody;
  } else if (EqualIgnoringCase(head_.Find("Content-Type").substr(0, 9), "text/html")) {
    is_html_ = true;  // when a byte of it comes: some servers call an empty answer HTML
  }
  if (head_.content_length.value_or(0) > request.max_response_bytes) {
    TryFailure failure{FailureClass::kTooLarge, ErrorKind::kBadInput};
    failure.what =
        fmt::format("a response of {} bytes, over the limit of {}", *head_.content_length, request.max_response_bytes);
    return GiveUp(std::move(failure));
  }
  return CheckRange();
}

bool Transfer::CheckRange() {
  if (asked_offset_ == 0) {
    job_->etag = head_.Find("ETag");
    return true;
  }
  if (head_.status != 206) {  // the server sends everything
    job_->etag = head_.Find("ETag");
    return true;
  }
  const auto range = ParseContentRange(head_.Find("Content-Range"));
  const bool same = job_->etag.empty() || head_.Find("ETag").empty() || head_.Find("ETag") == job_->etag;
  if (!range || range->first != asked_offset_ || !same) {
    job_->restart = true;
    TryFailure failure =
        Transient(!same ? "the file changed between two tries" : "another range than the one asked for");
    failure.at_once = true;
    return GiveUp(std::move(failure));
  }
  begin_offset_ = asked_offset_;
  if (range->total) missing_after_ = *range->total - range->last - 1;
  return true;
}

bool Transfer::TakeBody(std::string_view bytes) {
  switch (phase_) {
    case Phase::kRefusal:
      error_body_.append(bytes.substr(0, kLargestErrorBody - error_body_.size()));
      refusal_bytes_ += bytes.size();
      return refusal_bytes_ <= kLargestRefusal;
    case Phase::kSniff: return Sniff(bytes);
    case Phase::kBody: return WriteBody(bytes);
    case Phase::kHead: return false;  // a body before its head: not HTTP
  }
  return false;
}

// Holds the first bytes back until they are surely no HTML page: mostly the first byte says so.
bool Transfer::Sniff(std::string_view bytes) {
  if (!sniffed_.empty()) {
    sniffed_ += bytes;
    bytes = sniffed_;
  }
  switch (is_html_ ? HtmlGuess::kYes : GuessHtml(bytes)) {
    case HtmlGuess::kYes:
      return GiveUp(Transient(fmt::format("HTTP {} with an HTML page instead of data", head_.status)));
    case HtmlGuess::kUndecided:
      if (sniffed_.empty()) sniffed_ = bytes;
      return true;
    case HtmlGuess::kNo: break;
  }
  phase_ = Phase::kBody;
  return WriteBody(bytes);
}

bool Transfer::BeginBody() {
  begun_ = true;
  if (begin_offset_ == 0) job_->restart = false;
  return TakeBodyStatus(job_->body->Begin(head_, begin_offset_));
}

bool Transfer::WriteBody(std::string_view bytes) {
  if (!begun_ && !BeginBody()) return false;
  received_ += bytes.size();
  if (received_ > job_->request.max_response_bytes) {
    TryFailure failure{FailureClass::kTooLarge, ErrorKind::kBadInput};
    failure.what = fmt::format("a response over the limit of {} bytes", job_->request.max_response_bytes);
    return GiveUp(std::move(failure));
  }
  return TakeBodyStatus(job_->body->Write(std::as_bytes(std::span(bytes))));
}

// ---- how it ended ----

int64_t Transfer::MovedBytes() const {
  curl_off_t up = 0, down = 0;
  long head = 0, request = 0;
  Curl().easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &up);
  Curl().easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &down);
  Curl().easy_getinfo(easy_, CURLINFO_HEADER_SIZE, &head);
  Curl().easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request);
  return up + down + head + request;
}

bool Transfer::IsIdle(TimePoint now, TimePoint::duration late) {
  const int64_t moved = MovedBytes();
  if (moved != moved_) {
    moved_ = moved;
    moved_at_ = now;
    return false;
  }
  moved_at_ = std::min(now, moved_at_ + late);
  return now - moved_at_ >= job_->request.idle_timeout;
}

TryFailure Transfer::JudgeCurl(CURLcode code) const {
  TryFailure failure = Transient(error_[0] != '\0' ? error_ : Curl().easy_strerror(code));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:  // the only one set is for connecting
      failure.reason = FailureClass::kUnreachable;
      failure.surely_unreceived = true;
      return failure;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      failure.reason = FailureClass::kUnreachable;
      failure.kind = ErrorKind::kConfig;  // no further try will make it trusted
      failure.again = false;
      return failure;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
      failure.kind = ErrorKind::kInternal;
      failure.again = false;
      return failure;
    default: return failure;  // resets, truncated bodies, garbage instead of HTTP
  }
}

TryEnd Transfer::Fail(TryFailure failure) {
  TryEnd end;
  end.failure = std::move(failure);
  end.head = std::move(head_);
  end.error_body = std::move(error_body_);
  return end;
}

TryEnd Transfer::ConcludeIdle() {
  long connected_us = 0;
  curl_off_t pretransfer_us = 0;
  Curl().easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
  connected_us = static_cast<long>(pretransfer_us);
  TryFailure failure = Transient(fmt::format("no byte for {} ms", job_->request.idle_timeout.count()));
  failure.reason = connected_us > 0 ? FailureClass::kTimeout : FailureClass::kUnreachable;
  failure.surely_unreceived = connected_us == 0;
  return Fail(std::move(failure));
}

TryEnd Transfer::Conclude(CURLcode code) {
  if (!body_status_) {
    TryEnd end = Fail({});
    end.kind = TryEnd::Kind::kBodyRefused;
    end.body_status = std::move(body_status_);
    return end;
  }
  if (problem_) return Fail(*std::move(problem_));
  if (phase_ == Phase::kHead) {
    return Fail(code == CURLE_OK ? Transient("a response without a head") : JudgeCurl(code));
  }
  if (phase_ != Phase::kRefusal) {
    // libcurl has compared lengths; a HEAD has none to compare.
    if (code != CURLE_OK) return Fail(JudgeCurl(code));
    return ConcludeSuccess();
  }
  if (IsRedirect(head_.status) && !head_.Find("Location").empty()) {
    std::string location(head_.Find("Location"));
    TryEnd end = Fail({});
    end.kind = TryEnd::Kind::kRedirect;
    end.location = std::move(location);
    return end;
  }
  TryFailure failure = JudgeStatus(head_.status);
  const std::vector<int>& transient = job_->request.transient_statuses;
  if (std::ranges::find(transient, head_.status) != transient.end()) {
    failure.again = true;
    failure.kind = ErrorKind::kPartial;
    failure.reason = FailureClass::kTransient;
  }
  failure.retry_after = ParseRetryAfter(head_.Find("Retry-After"), NowNs() / kNsPerSecond);
  if (head_.status == 416 && asked_offset_ > 0) {
    // What is held is not a beginning of what the server has.
    job_->restart = true;
    failure.again = failure.at_once = true;
  }
  TryEnd end = Fail(std::move(failure));
  end.message = MessageOf(end.error_body);
  return end;
}

TryEnd Transfer::ConcludeSuccess() {
  if (phase_ == Phase::kSniff && !sniffed_.empty()) {
    phase_ = Phase::kBody;
    const std::string held = std::move(sniffed_);
    if (!WriteBody(held)) return Conclude(CURLE_OK);
  }
  const bool has_body = job_->method != "HEAD" && head_.status != 204;
  if (has_body && head_.content_length && *head_.content_length != received_) {
    return Fail(Transient(fmt::format("{} bytes instead of {}", received_, *head_.content_length)));
  }
  if (!begun_ && !BeginBody()) return Conclude(CURLE_OK);
  if (missing_after_ > 0) {
    return Fail(Transient(fmt::format("a range that ends {} bytes before the file does", missing_after_)));
  }
  if (!TakeBodyStatus(job_->body->End())) return Conclude(CURLE_OK);
  TryEnd end = Fail({});
  end.kind = TryEnd::Kind::kWhole;
  return end;
}

}  // namespace lode::net
