// Pipelines of lode.toml: their steps, checked before anything runs, and the times they are scheduled at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/recurrence.h"
#include "lode/base/result.h"

namespace lode::cli {

struct PipelineStep {
  std::string text;  // without a leading "lode "
  std::vector<std::string> words;
};

struct Pipeline {
  std::string name;
  std::vector<PipelineStep> steps;
  std::optional<Recurrence> at;
  bool at_by_name = false;  // `at` is the one that goes with the name; none is written
};

// In the order of their names.
std::vector<std::string> PipelineNames(const Config& config);

// kNotFound names the nearest one; kConfig the step that is no command of lode's: a mistake in the last step must not
// show hours after the first.
Result<Pipeline> FindPipeline(const Config& config, const std::string& name);

// By spaces; what stands in double quotes is one word, without them. kConfig for a quote that is not closed.
Result<std::vector<std::string>> SplitWords(std::string_view text);

}  // namespace lode::cli
