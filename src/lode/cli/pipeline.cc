#include "lode/cli/pipeline.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lode/base/nearest.h"
#include "lode/cli/command.h"
#include "lode/cli/parse.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

constexpr std::string_view kPrefix = "pipelines.";
constexpr std::string_view kSuffix = ".steps";

// When a pipeline of a usual name runs unless it says so itself: after the vendor has the day (docs/operations.md).
constexpr auto kUsualTimes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"corporate_actions", "weekly Sun 07:00"},
    {"exports", "daily 00:05"},
    {"fundamentals", "weekly Sun 08:00"},
    {"futures", "daily 01:00"},
    {"hourly", "hourly :00"},
    {"news", "daily 06:00"},
    {"options", "daily 02:00"},
    {"reference", "monthly 1 08:00"},
    {"stocks", "daily 06:00"},
    {"validation", "weekly Sun 04:00"},
});

Result<PipelineStep> CheckedStep(const std::string& text) {
  PipelineStep step{.text = text.starts_with("lode ") ? text.substr(5) : text, .words = {}};
  LODE_TRY(step.words, SplitWords(step.text));
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

}  // namespace

std::vector<std::string> PipelineNames(const Config& config) {
  std::vector<std::string> names;
  for (const ConfigValue& value : config.values()) {
    if (!value.key.starts_with(kPrefix) || !value.key.ends_with(kSuffix)) continue;
    names.push_back(value.key.substr(kPrefix.size(), value.key.size() - kPrefix.size() - kSuffix.size()));
  }
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> SplitWords(std::string_view text) {
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

Result<Pipeline> FindPipeline(const Config& config, const std::string& name) {
  const auto texts = config.GetList(fmt::format("{}{}{}", kPrefix, name, kSuffix));
  if (!texts) {
    const std::vector<std::string> known = PipelineNames(config);
    return Fail(ErrorKind::kNotFound, "no [pipelines.{}] in {}{}", Printable(name), config.file().string(),
                known.empty() ? "" : DidYouMean(name, known));
  }
  Pipeline pipeline{.name = name, .steps = {}, .at = {}};
  for (size_t i = 0; i < texts->size(); ++i) {
    Result<PipelineStep> step = CheckedStep((*texts)[i]);
    if (!step) {
      return Fail(ErrorKind::kConfig, "pipelines.{}, step {} ({}): {}", name, i + 1, Printable((*texts)[i]),
                  step.error().message);
    }
    pipeline.steps.push_back(std::move(*step));
  }
  const std::string at = config.Get(fmt::format("{}{}.at", kPrefix, name)).value_or("");
  const auto usual = std::ranges::find(kUsualTimes, name, &std::pair<std::string_view, std::string_view>::first);
  if (!at.empty()) {
    LODE_TRY(pipeline.at, ParseRecurrence(at));
  } else if (usual != kUsualTimes.end()) {
    LODE_TRY(pipeline.at, ParseRecurrence(usual->second));
    pipeline.at_by_name = true;
  }
  return pipeline;
}

}  // namespace lode::cli
