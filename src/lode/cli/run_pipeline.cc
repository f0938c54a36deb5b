// lode run PIPELINE [--dry-run]
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

#include "lode/base/log.h"
#include "lode/base/nearest.h"
#include "lode/base/stop.h"
#include "lode/cli/commands.h"
#include "lode/cli/parse.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kPrefix = "pipelines.";
constexpr std::string_view kSuffix = ".steps";
constexpr std::chrono::milliseconds kLook{20};

struct Step {
  std::string text;
  std::vector<std::string> words;
  std::optional<int> code;  // unset: not run
  double seconds = 0;
};

std::vector<std::string> PipelineNames(const Config& config) {
  std::vector<std::string> names;
  for (const ConfigValue& value : config.values()) {
    if (!value.key.starts_with(kPrefix) || !value.key.ends_with(kSuffix)) continue;
    names.push_back(value.key.substr(kPrefix.size(), value.key.size() - kPrefix.size() - kSuffix.size()));
  }
  return names;
}

// By spaces; what stands in double quotes is one word, without them.
Result<std::vector<std::string>> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  bool quoted = false, open = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      if (!open) words.emplace_back();
      open = true;
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) words.emplace_back();
      open = true;
      words.back() += c;
    }
  }
  if (quoted) return Fail(ErrorKind::kConfig, "a quote is not closed");
  return words;
}

// A mistake in the last step must not show hours after the first.
Result<Step> CheckedStep(const std::string& text) {
  Step step{.text = text.starts_with("lode ") ? text.substr(5) : text, .words = {}, .code = {}};
  LODE_TRY(step.words, WordsOf(step.text));
  std::vector<const char*> arguments = {"lode"};
  for (const std::string& word : step.words) arguments.push_back(word.c_str());
  LODE_TRY(const ParsedLine line, ParseCommandLine(static_cast<int>(arguments.size()), arguments.data()));
  if (line.entry == nullptr) return Fail(ErrorKind::kConfig, "no command");
  if (line.entry->name == "run") return Fail(ErrorKind::kConfig, "a pipeline does not run another");
  if (!line.options.lake.empty() || !line.options.config.empty() || !line.options.env_file.empty()) {
    return Fail(ErrorKind::kConfig, "--lake, --config and --env-file are those of `lode run`");
  }
  return step;
}

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

// Waits for a child of ours; a stop that was asked for is handed on to it once.
int WaitFor(pid_t child) {
  bool told = false;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
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
Result<int> RunStep(const GlobalOptions& options, const Step& step) {
  std::vector<std::string> words = {"lode"};
  std::ranges::copy(GlobalWords(options), std::back_inserter(words));
  std::ranges::copy(step.words, std::back_inserter(words));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
  if (error != 0) return Fail(ErrorKind::kInternal, "cannot start a step: {}", std::strerror(error));
  return WaitFor(child);
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
    const auto texts = config->GetList(fmt::format("{}{}{}", kPrefix, name, kSuffix));
    if (!texts) {
      const std::vector<std::string> known = PipelineNames(*config);
      return Fail(ErrorKind::kNotFound, "no [pipelines.{}] in {}{}", Printable(name), config->file().string(),
                  known.empty() ? "" : DidYouMean(name, known));
    }
    std::vector<Step> steps;
    for (size_t i = 0; i < texts->size(); ++i) {
      Result<Step> step = CheckedStep((*texts)[i]);
      if (!step) {
        return Fail(ErrorKind::kConfig, "pipelines.{}, step {} ({}): {}", name, i + 1, Printable((*texts)[i]),
                    step.error().message);
      }
      steps.push_back(std::move(*step));
    }
    if (dry_run_) {
      for (const Step& step : steps) session.out().Text(fmt::format("lode {}\n", step.text));
      return 0;
    }
    LODE_TRY(const lake::LakePaths paths, session.lake());
    LODE_TRY(store::MakeDirectories(paths.locks()));
    LODE_TRY(const store::FileLock lock,
             store::FileLock::Acquire(paths.locks() / fmt::format("_pipeline_{}.lock", name), "pipeline " + name));
    return RunSteps(session, name, steps);
  }

 private:
  static Result<int> RunSteps(const Session& session, const std::string& name, std::vector<Step>& steps) {
    int code = 0;
    for (Step& step : steps) {
      LODE_TRY(CheckStop());
      session.out().Summary(fmt::format("lode {}\n", step.text));
      LODE_TRY(session.out().Finish());  // before what the step says
      const Clock::time_point began = Clock::now();
      LODE_TRY(step.code, RunStep(session.options(), step));
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
