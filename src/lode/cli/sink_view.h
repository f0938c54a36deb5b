// The tables of a sink, for `lode status --to SINK`.
#pragma once

#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/cli/session.h"

namespace lode::cli {

struct SinkView {
  std::vector<std::string> events;  // JSON, a line each
  std::string text;
};

// kUsage for an unknown sink. A sink that another program holds is told as busy, not an error: status shows what it
// can.
Result<SinkView> ViewSink(Session& session, const std::string& sink, const std::vector<ledger::DatasetRow>& datasets);

// kUsage unless there is such a sink.
Status CheckSink(const std::string& sink);

}  // namespace lode::cli
