// The event loop: takes requests from the queue, runs their tries on libcurl's multi interface, and decides with
// retry.h what comes after a try.
#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "lode/base/log.h"
#include "lode/base/stop.h"
#include "lode/net/curl.h"
#include "lode/net/http.h"
#include "lode/net/redact.h"
#include "lode/net/request_queue.h"
#include "lode/net/retry.h"
#include "lode/net/socket_loop.h"
#include "lode/net/transfer.h"
#include "lode/net/url.h"

namespace lode::net {
namespace {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

// How late a stop or an idle connection may be noticed.
constexpr milliseconds kTick{100};
constexpr int kMostHops = 5;
constexpr long kKeptConnections = 256;
// A download that went on by this much starts counting its failed tries anew.
constexpr uint64_t kProgressBytes = 1 << 20;

std::string LabelOf(const Job& job) {
  if (!job.request.label.empty()) return job.request.label;
  return fmt::format("{} {}{}", job.request.method, job.first.origin, job.first.path);
}

class CurlClient final : public Client {
 public:
  CurlClient(ClientOptions options, std::unique_ptr<SocketLoop> loop);
  ~CurlClient() override;

  void Add(Request request, std::shared_ptr<Body> body, Done done) override;
  Status Run() override;
  void Post(std::function<void()> task) override;
  void HoldOpen(bool hold) override;
  void Cancel() override;
  size_t in_flight() const override { return in_flight_; }
  void LimitPath(std::string path_prefix, double requests_per_s, std::chrono::seconds window) override {
    queue_.LimitPath(std::move(path_prefix), requests_per_s * options_.rate_factor, window);
  }

 private:
  struct Refusal {
    std::unique_ptr<Job> job;
    Error error;
    FailureClass reason;
  };

  Status RunUntil(const std::function<bool()>& ended) override;
  bool RunTasks();
  bool HasTasks();
  bool StartReady();
  void StartJob(std::unique_ptr<Job> job, TimePoint now);
  void EndFinished();
  // `late`: how long nobody read from the connections, because a callback waited for the disk or the machine slept. The
  // servers were not silent meanwhile, or at least nobody knows.
  void EndIdle(TimePoint now, Clock::duration late);
  std::chrono::milliseconds LongestWait() const;
  void EndEverything();

  std::unique_ptr<Transfer> TakeTransfer();
  // Takes a running transfer out of libcurl's hands.
  void Release(Transfer* transfer);
  void Conclude(Transfer* transfer, TryEnd end);
  void FollowRedirect(std::unique_ptr<Job> job, TryEnd end);
  void RetryOrEnd(std::unique_ptr<Job> job, TryEnd end);
  void EndFailed(std::unique_ptr<Job> job, Error error, FailureClass reason, TryEnd end);
  std::string Describe(const Job& job, const TryEnd& end, std::string_view because) const;
  bool IsAllowed(const std::string& origin) const {
    return std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
  }
  static void ResetTry(Job* job);
  static Redactor RedactorOf(const Job& job);

  ClientOptions options_;
  TransferSettings settings_;
  std::unique_ptr<SocketLoop> loop_;
  RequestQueue queue_;
  std::mt19937_64 random_;
  uint64_t next_sequence_ = 0;
  Url last_;  // that libcurl took apart
  size_t in_flight_ = 0;
  std::unordered_map<Transfer*, std::unique_ptr<Transfer>> running_;
  std::vector<std::unique_ptr<Transfer>> free_;
  std::deque<Refusal> refusals_;  // requests that could not even start; their callbacks run from the loop
  TimePoint last_tick_;
  bool is_running_ = false;
  std::atomic<std::thread::id> loop_thread_;  // who runs the loop; nobody when it does not run

  std::mutex tasks_mutex_;
  std::vector<std::function<void()>> tasks_;  // guarded by tasks_mutex_
  std::atomic<int> holds_{0};
  std::atomic<bool> cancelled_ = false;
};

CurlClient::CurlClient(ClientOptions options, std::unique_ptr<SocketLoop> loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      queue_(options_.limits),
      random_(options_.seed != 0 ? options_.seed : std::random_device{}()) {
  settings_.user_agent = options_.user_agent.empty() ? "lode/" LODE_VERSION : options_.user_agent;
  settings_.ca_file = options_.ca_file;
  Curl().multi_setopt(loop_->multi(), CURLMOPT_MAXCONNECTS, kKeptConnections);
}

CurlClient::~CurlClient() {
  for (auto& [key, transfer] : running_) Curl().multi_remove_handle(loop_->multi(), transfer->easy());
}

void CurlClient::Add(Request request, std::shared_ptr<Body> body, Done done) {
  auto job = std::make_unique<Job>();
  job->sequence = next_sequence_++;
  job->request = std::move(request);
  if (options_.idle_timeout) job->request.idle_timeout = *options_.idle_timeout;
  job->body = body != nullptr ? std::move(body) : std::make_shared<TextBody>();
  job->done = std::move(done);
  if (auto same = UrlOfSameOrigin(last_, job->request.url)) {
    job->first = *std::move(same);
  } else if (Result<Url> url = ParseUrl(job->request.url)) {
    job->first = last_ = *std::move(url);
  } else {
    refusals_.push_back({std::move(job), std::move(url).error(), FailureClass::kBadRequest});
    return;
  }
  if (job->request.credential.kind != Credential::Kind::kNone) {
    Result<std::string> origin = OriginOf(job->request.credential.origin);
    if (!origin) {
      refusals_.push_back({std::move(job), std::move(origin).error().With("credential"), FailureClass::kBadRequest});
      return;
    }
    job->credential_origin = *std::move(origin);
  }
  ResetTry(job.get());
  queue_.Push(std::move(job));
}

void CurlClient::ResetTry(Job* job) {
  job->target = job->first;
  job->method = job->request.method;
  job->send_body = true;
  job->hops = 0;
  job->left_origin = false;
}

void CurlClient::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
  }
  if (std::this_thread::get_id() != loop_thread_) loop_->Wake();
}

void CurlClient::HoldOpen(bool hold) {
  holds_.fetch_add(hold ? 1 : -1);
  loop_->Wake();
}

void CurlClient::Cancel() {
  cancelled_ = true;
  loop_->Wake();
}

bool CurlClient::RunTasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(tasks_mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
  bool ran = !tasks.empty();
  while (!refusals_.empty()) {
    Refusal refusal = std::move(refusals_.front());
    refusals_.pop_front();
    EndFailed(std::move(refusal.job), std::move(refusal.error), refusal.reason, {});
    ran = true;
  }
  return ran;
}

bool CurlClient::HasTasks() {
  const std::lock_guard lock(tasks_mutex_);
  return !tasks_.empty() || !refusals_.empty();
}

// ---- the loop ----

Status CurlClient::Run() {
  return RunUntil([] { return false; });
}

Status CurlClient::RunUntil(const std::function<bool()>& ended) {
  if (is_running_) return Fail(ErrorKind::kInternal, "the HTTP loop was entered from one of its own callbacks");
  is_running_ = true;
  loop_thread_ = std::this_thread::get_id();
  Status status;
  while (true) {
    bool moved = RunTasks();
    const bool cancelled = cancelled_.exchange(false);
    if (cancelled || StopRequested()) {
      EndEverything();
      status = cancelled ? Fail(ErrorKind::kInterrupted, "cancelled") : CheckStop();
      break;
    }
    if (ended()) break;
    // Read before the queue: whoever lets go has posted before.
    const bool held = holds_.load() > 0;
    if (!held && !moved && running_.empty() && queue_.empty() && !HasTasks()) break;
    moved |= StartReady();
    moved |= HasTasks();
    loop_->Turn(moved ? milliseconds(0) : LongestWait());
    EndFinished();
  }
  loop_thread_ = std::thread::id();
  is_running_ = false;
  return status;
}

bool CurlClient::StartReady() {
  const TimePoint now = Clock::now();
  bool started = false;
  while (std::unique_ptr<Job> job = queue_.Pop(now)) {
    StartJob(std::move(job), now);
    started = true;
  }
  return started;
}

std::unique_ptr<Transfer> CurlClient::TakeTransfer() {
  if (free_.empty()) return Transfer::Make();
  std::unique_ptr<Transfer> transfer = std::move(free_.back());
  free_.pop_back();
  return transfer;
}

void CurlClient::StartJob(std::unique_ptr<Job> job, TimePoint now) {
  if (job->tries == 0) ++in_flight_;
  if (job->hops == 0) ++job->tries;
  const std::string origin = job->target.origin;
  std::unique_ptr<Transfer> transfer = TakeTransfer();
  if (transfer == nullptr) {
    queue_.Ended(origin);
    Error error{ErrorKind::kInternal, "out of memory", {}};
    refusals_.push_back({std::move(job), std::move(error), FailureClass::kTransient});
    return;
  }
  Status started = transfer->Start(std::move(job), settings_, now);
  if (started && Curl().multi_add_handle(loop_->multi(), transfer->easy()) != CURLM_OK) {
    started = Fail(ErrorKind::kInternal, "libcurl took no further request");
  }
  if (!started) {
    queue_.Ended(origin);
    refusals_.push_back({transfer->TakeJob(), std::move(started).error(), FailureClass::kBadRequest});
    free_.push_back(std::move(transfer));
    return;
  }
  Transfer* key = transfer.get();
  running_.emplace(key, std::move(transfer));
}

void CurlClient::EndFinished() {
  int left = 0;
  while (const CURLMsg* message = Curl().multi_info_read(loop_->multi(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    Curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    const CURLcode code = message->data.result;
    Curl().multi_remove_handle(loop_->multi(), transfer->easy());  // `message` is gone from here
    Conclude(transfer, transfer->Conclude(code));
  }
  const TimePoint now = Clock::now();
  if (last_tick_ == TimePoint()) last_tick_ = now;
  if (now - last_tick_ < kTick) return;
  const Clock::duration late = now - last_tick_ - kTick;
  last_tick_ = now;
  EndIdle(now, late);
}

void CurlClient::EndIdle(TimePoint now, Clock::duration late) {
  std::vector<Transfer*> idle;
  for (const auto& [key, transfer] : running_) {
    if (transfer->IsIdle(now, late)) idle.push_back(key);
  }
  for (Transfer* transfer : idle) {
    Curl().multi_remove_handle(loop_->multi(), transfer->easy());
    Conclude(transfer, transfer->ConcludeIdle());
  }
}

milliseconds CurlClient::LongestWait() const {
  const TimePoint now = Clock::now();
  const TimePoint next = queue_.NextStart(now);
  return next < now + kTick ? std::chrono::ceil<milliseconds>(next - now) : kTick;
}

void CurlClient::EndEverything() {
  // A callback may add requests; they end the same way.
  while (true) {
    std::vector<std::unique_ptr<Job>> jobs = queue_.TakeAll();
    for (auto& [key, transfer] : running_) {
      Curl().multi_remove_handle(loop_->multi(), transfer->easy());
      jobs.push_back(transfer->TakeJob());
      queue_.Ended(jobs.back()->target.origin);
      free_.push_back(std::move(transfer));
    }
    running_.clear();
    const bool ran = RunTasks();
    if (jobs.empty() && !ran) return;
    std::ranges::sort(jobs, {}, &Job::sequence);
    for (auto& job : jobs) {
      EndFailed(std::move(job), Error{ErrorKind::kInterrupted, "interrupted", {}}, FailureClass::kStopped, {});
    }
  }
}

// ---- after a try ----

void CurlClient::Conclude(Transfer* transfer, TryEnd end) {
  std::unique_ptr<Job> job = transfer->TakeJob();
  const auto found = running_.find(transfer);
  free_.push_back(std::move(found->second));
  running_.erase(found);
  queue_.Ended(job->target.origin);
  switch (end.kind) {
    case TryEnd::Kind::kWhole: {
      --in_flight_;
      Response response{.head = std::move(end.head), .tries = job->tries, .error_body = ""};
      job->done(Outcome{Ok(), std::move(response)});
      return;
    }
    case TryEnd::Kind::kRedirect: FollowRedirect(std::move(job), std::move(end)); return;
    case TryEnd::Kind::kFailed: RetryOrEnd(std::move(job), std::move(end)); return;
    case TryEnd::Kind::kBodyRefused: {
      Error error = std::move(end.body_status).error();
      EndFailed(std::move(job), std::move(error), FailureClass::kStopped, std::move(end));
      return;
    }
  }
}

void CurlClient::FollowRedirect(std::unique_ptr<Job> job, TryEnd end) {
  const Result<Url> next = ResolveLocation(job->target, end.location);
  std::string refusal;
  if (!next) {
    refusal = "a Location that is no URL";
  } else if (job->hops >= kMostHops) {
    refusal = fmt::format("more than {} redirects", kMostHops);
  } else if (job->target.scheme == "https" && next->scheme == "http") {
    refusal = "a redirect from https to http";
  } else if (next->origin != job->target.origin && !IsAllowed(next->origin)) {
    refusal = fmt::format("a redirect to {}, which is not allowed", next->origin);
  }
  if (!refusal.empty()) {
    Error error{ErrorKind::kRefused, fmt::format("HTTP {}: {}", end.head.status, refusal), {}};
    EndFailed(std::move(job), std::move(error), FailureClass::kRedirected, std::move(end));
    return;
  }
  ++job->hops;
  if (next->origin != job->target.origin) job->left_origin = true;
  const bool becomes_get = end.head.status == 303 || (end.head.status <= 302 && job->method == "POST");
  if (becomes_get && job->method != "HEAD") {
    job->method = "GET";
    job->send_body = false;
  }
  job->target = *next;
  queue_.Push(std::move(job));
}

void CurlClient::RetryOrEnd(std::unique_ptr<Job> job, TryEnd end) {
  const uint64_t held = job->body->held();
  if (held >= job->most_held + kProgressBytes) {
    job->most_held = held;
    job->retry = {};
  }
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  const RetryAdvice advice = Advise(options_.retry, job->request, end.failure, &job->retry, random);
  const std::string what = RedactorOf(*job).Clean(Describe(*job, end, advice.because));
  if (!advice.again) {
    Error error{end.failure.kind, what, {}};
    EndFailed(std::move(job), std::move(error), advice.reason, std::move(end));
    return;
  }
  if (job->body->keeps_part()) {
    Error error{end.failure.kind, what, {}};
    EndFailed(std::move(job), std::move(error), FailureClass::kBroken, std::move(end));
    return;
  }
  log::Debug("{}: {}; again in {} ms", LabelOf(*job), what, advice.wait.count());
  const TimePoint when = Clock::now() + advice.wait;
  if (end.failure.retry_after) queue_.Pause(*job, Clock::now() + *end.failure.retry_after);
  ResetTry(job.get());
  queue_.PushLater(std::move(job), when);
}

Redactor CurlClient::RedactorOf(const Job& job) {
  Redactor redactor;
  redactor.Add(job.request.credential.secret);
  return redactor;
}

// "HTTP 503: overloaded (8 tries, tries used up, request-id abc)".
std::string CurlClient::Describe(const Job& job, const TryEnd& end, std::string_view because) const {
  std::string text = end.failure.what;
  if (!end.message.empty()) text += ": " + end.message;
  std::string remarks;
  const auto remark = [&remarks](std::string_view words) {
    if (!remarks.empty()) remarks += ", ";
    remarks += words;
  };
  if (job.tries > 1) remark(fmt::format("{} tries", job.tries));
  if (!because.empty()) remark(because);
  for (const char* name : {"request-id", "x-request-id", "x-amz-request-id"}) {
    const std::string_view id = end.head.Find(name);
    if (id.empty()) continue;
    remark(fmt::format("request-id {}", id.substr(0, 100)));
    break;
  }
  if (!remarks.empty()) text += " (" + remarks + ")";
  return text;
}

void CurlClient::EndFailed(std::unique_ptr<Job> job, Error error, FailureClass reason, TryEnd end) {
  if (job->tries > 0) --in_flight_;
  const Redactor redactor = RedactorOf(*job);
  error.message = log::Redact(redactor.Clean(error.message));
  Response response{.head = std::move(end.head),
                    .tries = job->tries,
                    .failure = reason,
                    .error_body = redactor.Clean(end.error_body)};
  for (Header& header : response.head.headers) header.value = redactor.Clean(header.value);
  job->done(Outcome{std::unexpected(std::move(error).With(LabelOf(*job))), std::move(response)});
}

}  // namespace

Result<std::unique_ptr<Client>> Client::Make(ClientOptions options) {
  LODE_TRY([[maybe_unused]] const CurlApi* curl, LoadCurl());
  for (std::string& origin : options.allowed_origins) {
    LODE_TRY(origin, OriginOf(origin));
  }
  if (options.limits.connections < 1) return Fail(ErrorKind::kConfig, "an HTTP client needs at least one connection");
  LODE_TRY(std::unique_ptr<SocketLoop> loop, SocketLoop::Make());
  return std::make_unique<CurlClient>(std::move(options), std::move(loop));
}

}  // namespace lode::net
