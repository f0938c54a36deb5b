// Telling somebody how a pipeline ended: [notify] of a trusted configuration (docs/operations.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"

namespace lode::cli {

struct PipelineEnd {
  std::string pipeline, lake;  // the lake's own name, not its path
  int exit_code = 0;
  struct Step {
    std::string text;
    std::optional<int> code;  // unset: not run
  };
  std::vector<Step> steps;
  std::vector<std::string> errors;  // "error: …" lines, without secrets
};

// Whether anybody is told of a run that ends with this code. Nobody is of one that was interrupted.
bool IsNotified(const Config& config, int exit_code);

// What is sent: one JSON object. `host` as the machine calls itself.
std::string NotificationText(const PipelineEnd& end, const std::string& host);

// POSTs it to notify.webhook, gives it to notify.command on stdin; each has ten seconds. What goes wrong is a warning.
void Notify(const Config& config, const PipelineEnd& end);

}  // namespace lode::cli
