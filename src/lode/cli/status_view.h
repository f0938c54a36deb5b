// What `lode status` says at one moment, as events and as text, so that it can be printed, drawn again or compared.
#pragma once

#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/cli/json.h"
#include "lode/cli/session.h"

namespace lode::cli {

struct StatusRequest {
  std::vector<std::string> names;  // of datasets; empty: all
  bool files = false, symbols = false;
  std::string sink;  // whose tables are shown too; empty: none
};

struct StatusView {
  std::vector<std::string> events;  // JSON, a line each: sorted, of the lake alone
  std::string text;                 // for people
  std::string moment;               // for people: running units, disk left; of this machine and instant
};

// Reads ledger, listing and, for a sink, its state; writes nothing. kUsage for an unknown sink.
Result<StatusView> ViewStatus(Session& session, const StatusRequest& request);

}  // namespace lode::cli
