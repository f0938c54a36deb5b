#include "lode/cli/notify.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "lode/base/host_program.h"
#include "lode/base/log.h"
#include "lode/base/stop.h"
#include "lode/cli/json.h"
#include "lode/cli/pipeline.h"
#include "lode/cli/utf8.h"
#include "lode/net/http.h"

namespace lode::cli {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr size_t kMostErrors = 20;
constexpr size_t kLongestError = 1000;  // bytes

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Cancels a client that takes too long: idle time-outs do not stop a server that trickles.
class Deadline {
 public:
  explicit Deadline(net::Client& client)
      : thread_([this, &client] {
          std::unique_lock lock(mutex_);
          if (!ended_.wait_for(lock, kPatience, [this] { return is_over_; })) client.Cancel();
        }) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    ended_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::jthread thread_;  // joined first
};

Status Post(const std::string& url, const std::string& text) {
  net::ClientOptions options{.retry = {.attempts = 2, .longest_wait = std::chrono::milliseconds(1000)},
                             .idle_timeout = kPatience};
  LODE_TRY(const std::unique_ptr<net::Client> client, net::Client::Make(std::move(options)));
  const Deadline deadline(*client);
  net::Request request{.method = "POST", .url = url};
  request.headers = {{"Content-Type", "application/json"}};
  request.body = text;
  request.label = "notify.webhook";  // the URL itself may be a secret
  request.repeatable = false;
  request.max_response_bytes = uint64_t{1} << 20;
  Status told = client->Fetch(std::move(request), std::make_shared<net::TextBody>()).status;
  const bool is_late = !told && told.error().kind == ErrorKind::kInterrupted && !StopRequested();
  if (is_late) return Fail(ErrorKind::kPartial, "notify.webhook: no whole answer in {} s", kPatience.count());
  return told;
}

Status Run(const std::string& command, const std::string& text) {
  LODE_TRY(const std::vector<std::string> words, SplitWords(command));
  if (words.empty()) return Fail(ErrorKind::kConfig, "no command");
  LODE_TRY(const ProgramEnd end, RunProgram(words, {.timeout = kPatience, .input = text}));
  if (end.code == 0) return Ok();
  const std::string why = end.errors.substr(0, end.errors.find('\n'));
  return Fail(ErrorKind::kPartial, "exit code {}{}{}", end.code, why.empty() ? "" : ": ", why);
}

}  // namespace

bool IsNotified(const Config& config, int exit_code) {
  const bool anybody =
      !config.Get("notify.webhook").value_or("").empty() || !config.Get("notify.command").value_or("").empty();
  if (!anybody || exit_code == ExitCode(ErrorKind::kInterrupted)) return false;
  return exit_code != 0 || config.Get("notify.on") == "always";
}

std::string NotificationText(const PipelineEnd& end, const std::string& host) {
  JsonArray steps, failed, errors;
  std::vector<std::string> names;
  for (const PipelineEnd::Step& step : end.steps) {
    JsonObject object;
    object.Text("step", step.text);
    step.code ? object.Number("exit_code", int64_t{*step.code}) : object.Null("exit_code");
    steps.Raw(object.Take());
    if (step.code.value_or(0) == 0) continue;
    failed.Raw(JsonText(step.text));
    names.push_back(step.text);
  }
  for (size_t i = 0; i < std::min(end.errors.size(), kMostErrors); ++i) {
    errors.Raw(JsonText(log::Redact(end.errors[i]).substr(0, kLongestError)));
  }
  const std::string how = end.exit_code == 0 ? "is done" : fmt::format("ended with exit code {}", end.exit_code);
  const std::string which = names.empty() ? "" : fmt::format(" (lode {})", fmt::join(names, ", lode "));
  return JsonObject()
      .Text("text", fmt::format("lode: pipeline {} of {} on {} {}{}", end.pipeline, end.lake, host, how, which))
      .Text("pipeline", end.pipeline)
      .Text("lake", end.lake)
      .Text("host", host)
      .Number("exit_code", int64_t{end.exit_code})
      .Raw("failed", failed.Take())
      .Raw("steps", steps.Take())
      .Raw("errors", errors.Take())
      .Take();
}

void Notify(const Config& config, const PipelineEnd& end) {
  const std::string text = NotificationText(end, HostName());
  if (const std::string url = config.Get("notify.webhook").value_or(""); !url.empty()) {
    const Status told = Post(url, text);
    if (!told) log::Warning("{}", Printable(told.error().ToString()));
  }
  if (const std::string command = config.Get("notify.command").value_or(""); !command.empty()) {
    const Status told = Run(command, text + "\n");
    if (!told) log::Warning("notify.command: {}", Printable(told.error().ToString()));
  }
}

}  // namespace lode::cli
