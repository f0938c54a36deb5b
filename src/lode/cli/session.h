// What a command works with: options, configuration, the lake and its ledger, each opened on first use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/cli/arguments.h"
#include "lode/cli/output.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"

namespace lode::cli {

class Session {
 public:
  // kUsage on a bad --memory or --tz.
  static Result<Session> Create(const GlobalOptions& options, std::string command);

  const GlobalOptions& options() const { return options_; }
  const std::string& command() const { return command_; }
  const Output& out() const { return out_; }
  uint64_t memory_bytes() const { return memory_bytes_; }
  Day today() const { return today_; }

  // Reads the configuration; notices go to the log once.
  Result<const Config*> config();
  // The same where there need not be a lake: the current folder is one to be made unless another is named.
  Result<const Config*> config_for_new_lake();
  // Folders of the lake. kNotFound when there is no lake at its root.
  Result<lake::LakePaths> lake();
  // The ledger opened for reading; nullptr when nothing was ever imported.
  Result<ledger::Ledger*> ledger();
  // Datasets by name; empty `names`: all. kNotFound names the nearest one.
  Result<std::vector<ledger::DatasetRow>> Datasets(const std::vector<std::string>& names);

  // An instant as --tz shows it; UTC without.
  std::string ShowInstant(const std::string& iso_utc) const;

 private:
  Session(const GlobalOptions& options, std::string command)
      : options_(options), command_(std::move(command)), out_(options.json, options.quiet) {}
  Result<const Config*> Load(ConfigRequest request);

  GlobalOptions options_;
  std::string command_;
  Output out_;
  uint64_t memory_bytes_ = uint64_t{512} << 20;
  Day today_;
  std::optional<Config> config_;
  std::unique_ptr<ledger::Ledger> ledger_;
  bool ledger_opened_ = false;
};

}  // namespace lode::cli
