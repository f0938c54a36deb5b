// The sending half of a Transfer: a job as options of a libcurl easy handle.
#include <algorithm>

#include "lode/net/redact.h"
#include "lode/net/transfer.h"

namespace lode::net {
namespace {

constexpr long kReceiveBuffer = 128 << 10;
constexpr std::chrono::milliseconds kLongestConnect{30'000};

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  Curl().easy_setopt(easy, option, value);
}

bool HasHeader(const std::vector<Header>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const Header& header) { return EqualIgnoringCase(header.name, name); });
}

// Headers that prove who asks; they stay with the origin they were made for.
bool IsPersonal(std::string_view name) {
  constexpr std::string_view kNames[] = {"Authorization", "Cookie", "Proxy-Authorization", "x-api-key"};
  return EqualIgnoringCase(name.substr(0, 6), "x-amz-") ||
         std::ranges::any_of(kNames, [&](std::string_view known) { return EqualIgnoringCase(name, known); });
}

}  // namespace

Status Transfer::Start(std::unique_ptr<Job> job, const TransferSettings& settings, TimePoint now) {
  job_ = std::move(job);
  error_[0] = '\0';
  phase_ = Phase::kHead;
  head_ = {};
  head_bytes_ = 0;
  begin_offset_ = missing_after_ = received_ = refusal_bytes_ = 0;
  begun_ = is_html_ = false;
  sniffed_.clear();
  error_body_.clear();
  problem_.reset();
  body_status_ = Ok();
  moved_ = 0;
  moved_at_ = now;
  const Request& request = job_->request;
  asked_offset_ = job_->restart || HasHeader(request.headers, "Range") ? 0 : job_->body->held();

  Curl().easy_reset(easy_);
  Set(easy_, CURLOPT_PRIVATE, this);
  Set(easy_, CURLOPT_ERRORBUFFER, error_);
  Set(easy_, CURLOPT_NOSIGNAL, 1L);
  Set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  Set(easy_, CURLOPT_PATH_AS_IS, 1L);
  Set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(easy_, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  Set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(kLongestConnect, request.idle_timeout).count()));
  Set(easy_, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  Set(easy_, CURLOPT_HEADERDATA, this);
  Set(easy_, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  Set(easy_, CURLOPT_WRITEDATA, this);
  Set(easy_, CURLOPT_USERAGENT, settings.user_agent.c_str());
  if (!settings.ca_file.empty()) Set(easy_, CURLOPT_CAINFO, settings.ca_file.c_str());
  if (IsLoopback(job_->target)) Set(easy_, CURLOPT_PROXY, "");
  // libcurl itself repeats a request when a kept connection turns out dead; a fresh one never is.
  if (!request.repeatable) Set(easy_, CURLOPT_FRESH_CONNECT, 1L);

  std::string url = job_->target.text;
  const Credential& credential = request.credential;
  if (credential.kind == Credential::Kind::kQuery && !job_->left_origin &&
      job_->target.origin == job_->credential_origin) {
    url += (job_->target.query.empty() ? "?" : "&") + PercentEncode(credential.query_name) + "=" +
           PercentEncode(credential.secret);
  }
  Set(easy_, CURLOPT_URL, url.c_str());
  SetMethod();
  return SetHeaders();
}

std::string_view Transfer::SentBody() const { return job_->send_body ? std::string_view(job_->request.body) : ""; }

bool Transfer::IsPost() const {
  const std::string& method = job_->method;
  const bool may_lack_body = method == "GET" || method == "DELETE";
  return method != "HEAD" && !(may_lack_body && SentBody().empty());
}

void Transfer::SetMethod() {
  const std::string& method = job_->method;
  const std::string_view body = SentBody();
  if (method == "HEAD") {
    Set(easy_, CURLOPT_NOBODY, 1L);
  } else if (IsPost()) {
    Set(easy_, CURLOPT_POST, 1L);
    // Not copied: the job outlives the transfer's use of it.
    Set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    Set(easy_, CURLOPT_POSTFIELDS, body.data());
    if (method != "POST") Set(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method == "GET") {
    Set(easy_, CURLOPT_HTTPGET, 1L);
  } else {
    Set(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

Status Transfer::SetHeaders() {
  const Request& request = job_->request;
  Curl().slist_free_all(header_list_);
  header_list_ = nullptr;
  Status status;
  const auto add_line = [&](const std::string& line) {
    if (status) status = AddHeaderLine(line);
  };
  std::string line;
  const auto add = [&](const Header& header) {
    line = header.name;
    // libcurl's way to send a header without value.
    header.value.empty() ? line += ';' : line.append(": ").append(header.value);
    add_line(line);
  };
  for (const Header& header : request.headers) {
    if (!job_->left_origin || !IsPersonal(header.name)) add(header);
  }
  if (!job_->left_origin) {
    if (request.fresh_headers) std::ranges::for_each(request.fresh_headers(), add);
    if (job_->target.origin == job_->credential_origin) {
      const Credential& credential = request.credential;
      if (credential.kind == Credential::Kind::kBasicUser) {
        add_line("Authorization: Basic " + Base64(credential.secret + ":"));
      } else if (credential.kind == Credential::Kind::kBearer) {
        add_line("Authorization: Bearer " + credential.secret);
      }
    }
  }
  if (asked_offset_ > 0) add_line(fmt::format("Range: bytes={}-", asked_offset_));
  if (IsPost()) {  // what libcurl adds by itself
    if (!HasHeader(request.headers, "Content-Type")) add_line("Content-Type:");
    add_line("Expect:");
  }
  Set(easy_, CURLOPT_HTTPHEADER, header_list_);
  return status;
}

Status Transfer::AddHeaderLine(const std::string& line) {
  if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return lode::Fail(ErrorKind::kConfig, "a request header or key holds a line break");
  }
  curl_slist* longer = Curl().slist_append(header_list_, line.c_str());
  if (longer == nullptr) return lode::Fail(ErrorKind::kInternal, "out of memory");
  header_list_ = longer;
  return Ok();
}

}  // namespace lode::net
