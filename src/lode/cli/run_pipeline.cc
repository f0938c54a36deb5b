// lode run PIPELINE [--dry-run]
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lode/base/descriptor.h"
#include "lode/base/log.h"
#include "lode/base/stop.h"
#include "lode/cli/commands.h"
#include "lode/cli/notify.h"
#include "lode/cli/pipeline.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{20};

struct Step {
  std::string text;
  std::vector<std::string> words;
  std::optional<int> code;  // unset: not run
  double seconds = 0;
};

// What was said to `lode run` holds for its steps.
std::vector<std::string> GlobalWords(const GlobalOptions& options) {
  std::vector<std::string> words;
  const auto add = [&words](const char* flag, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {flag, value});
  };
  add("--lake", options.lake);
  add("--config", options.config);
  add("--env-file", options.env_file);
  add("--memory", options.memory);
  add("--tz", options.tz);
  if (options.json) words.emplace_back("--json");
  if (options.quiet) words.emplace_back("--quiet");
  if (options.verbose) words.emplace_back("--verbose");
  return words;
}

// What a step says on stderr: handed on as it comes, its error lines kept.
class ErrorLines {
 public:
  // Unless stderr is a terminal, where a step draws its progress.
  static Result<ErrorLines> Open(bool wanted) {
    ErrorLines lines;
    if (!wanted || ::isatty(STDERR_FILENO) != 0) return lines;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Fail(ErrorKind::kInternal, "pipe: {}", std::strerror(errno));
    lines.reading_ = Descriptor(ends[0]);
    lines.writing_ = Descriptor(ends[1]);
    ::fcntl(lines.reading_.get(), F_SETFL, O_NONBLOCK);
    return lines;
  }

  bool is_open() const { return reading_.get() >= 0; }
  int writing() const { return writing_.get(); }
  void Started() { writing_ = Descriptor(); }

  // Takes what there is now.
  void Take(std::vector<std::string>* errors) {
    char block[4096];
    while (is_open()) {
      const ssize_t got = ::read(reading_.get(), block, sizeof block);
      if (got <= 0) return;
      const std::string_view text(block, static_cast<size_t>(got));
      HandOn(text);
      for (const char c : text) {
        if (c != '\n') {
          if (line_.size() < kLongestLine) line_ += c;
          continue;
        }
        if (line_.starts_with("error: ") && errors->size() < kMostLines) errors->push_back(line_);
        line_.clear();
      }
    }
  }

 private:
  static void HandOn(std::string_view text) {
    while (!text.empty()) {
      const ssize_t given = ::write(STDERR_FILENO, text.data(), text.size());
      if (given < 0 && errno == EINTR) continue;
      if (given <= 0) return;  // nobody reads it; the steps go on
      text.remove_prefix(static_cast<size_t>(given));
    }
  }

  static constexpr size_t kLongestLine = 4096, kMostLines = 100;
  Descriptor reading_, writing_;
  std::string line_;
};

// Waits for a child of ours; a stop that was asked for is handed on to it once.
int WaitFor(pid_t child, ErrorLines* lines, std::vector<std::string>* errors) {
  bool told = false;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    lines->Take(errors);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR) return ExitCode(ErrorKind::kInternal);
    if (StopRequested() && !told) {
      ::kill(child, SIGTERM);
      told = true;
    }
    std::this_thread::sleep_for(kLook);
  }
}

// The program itself, in a process of its own: what one step holds in memory, or dies of, is not the next one's.
Result<int> RunStep(const GlobalOptions& options, const Step& step, bool keep_errors,
                    std::vector<std::string>* errors) {
  std::vector<std::string> words = {"lode"};
  std::ranges::copy(GlobalWords(options), std::back_inserter(words));
  std::ranges::copy(step.words, std::back_inserter(words));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  LODE_TRY(ErrorLines lines, ErrorLines::Open(keep_errors));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (lines.is_open()) posix_spawn_file_actions_adddup2(&actions, lines.writing(), STDERR_FILENO);
  const int error = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Fail(ErrorKind::kInternal, "cannot start a step: {}", std::strerror(error));
  lines.Started();
  return WaitFor(child, &lines, errors);
}

// Data that came only in part is worth handing on: what lacks is told, and comes with the next run.
bool GoesOn(int code) {
  return code == 0 || code == ExitCode(ErrorKind::kPartial) || code == ExitCode(ErrorKind::kIncomplete);
}

std::string ResultText(const Step& step) {
  if (!step.code) return "not run";
  if (*step.code == 0) return "done";
  return fmt::format("{} ({})", GoesOn(*step.code) ? "in part" : "failed", *step.code);
}

class RunCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("PIPELINE", names_, 1, 1, "a [pipelines.NAME] of lode.toml");
    arguments.Flag("--dry-run", dry_run_, "check the steps and list them; run none");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    const std::string& name = names_.front();
    // A typing mistake of somebody who sits there is told to nobody else.
    const std::vector<std::string> known = PipelineNames(*config);
    const bool is_known = std::ranges::find(known, name) != known.end();
    PipelineEnd end{.pipeline = name, .lake = config->lake_root().filename().string(), .steps = {}, .errors = {}};
    Result<int> code = RunAll(session, *config, name, &end);
    end.exit_code = code ? *code : ExitCode(code.error().kind);
    if (!code) end.errors.push_back("error: " + code.error().ToString());
    if (!dry_run_ && is_known && IsNotified(*config, end.exit_code)) Notify(*config, end);
    return code;
  }

 private:
  Result<int> RunAll(Session& session, const Config& config, const std::string& name, PipelineEnd* end) {
    LODE_TRY(const Pipeline pipeline, FindPipeline(config, name));
    std::vector<Step> steps;
    for (const PipelineStep& step : pipeline.steps)
      steps.push_back({.text = step.text, .words = step.words, .code = {}});
    if (dry_run_) {
      for (const Step& step : steps) session.out().Text(fmt::format("lode {}\n", step.text));
      return 0;
    }
    LODE_TRY(const lake::LakePaths paths, session.lake());
    LODE_TRY(store::MakeDirectories(paths.locks()));
    LODE_TRY(const store::FileLock lock,
             store::FileLock::Acquire(paths.locks() / fmt::format("_pipeline_{}.lock", name), "pipeline " + name));
    // Any code but 0 will do: whether errors are worth keeping.
    const bool keep_errors = IsNotified(config, ExitCode(ErrorKind::kPartial));
    Result<int> code = RunSteps(session, name, keep_errors, steps, &end->errors);
    for (const Step& step : steps) end->steps.push_back({step.text, step.code});
    return code;
  }

  static Result<int> RunSteps(const Session& session, const std::string& name, bool keep_errors,
                              std::vector<Step>& steps, std::vector<std::string>* errors) {
    int code = 0;
    for (Step& step : steps) {
      LODE_TRY(CheckStop());
      session.out().Summary(fmt::format("lode {}\n", step.text));
      LODE_TRY(session.out().Finish());  // before what the step says
      const Clock::time_point began = Clock::now();
      LODE_TRY(step.code, RunStep(session.options(), step, keep_errors, errors));
      step.seconds = std::chrono::duration<double>(Clock::now() - began).count();
      session.out().Event(JsonObject()
                              .Text("type", "pipeline_step")
                              .Text("pipeline", name)
                              .Text("step", step.text)
                              .Number("exit_code", int64_t{*step.code})
                              .Raw("seconds", fmt::format("{:.3f}", step.seconds)));
      if (code == 0) code = *step.code;
      if (GoesOn(*step.code)) continue;
      code = *step.code;
      break;
    }
    Table table({{"STEP"}, {"RESULT"}, {"SECONDS", Table::Align::kRight}});
    for (const Step& step : steps) {
      table.Add({Printable(step.text), ResultText(step), step.code ? fmt::format("{:.1f}", step.seconds) : ""});
    }
    session.out().Summary(table.Render());
    LODE_TRY(session.out().Finish());
    if (code != 0) log::Failure("pipeline {} ended with exit code {}; running it again goes on", name, code);
    return code;
  }

  std::vector<std::string> names_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeRun() { return std::make_unique<RunCommand>(); }

}  // namespace lode::cli
