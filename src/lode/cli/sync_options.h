// What `plan` and `sync` have in common: which datasets, symbols and days.
#pragma once

#include <string>
#include <vector>

#include "lode/cli/arguments.h"
#include "lode/cli/days.h"
#include "lode/cli/session.h"
#include "lode/sync/sync.h"

namespace lode::cli {

class SyncOptions {
 public:
  void Declare(Arguments& arguments);
  // One request a dataset, in the order named; without names, every declared dataset that can be asked. kNotFound names
  // the nearest dataset; kUsage and kConfig as elsewhere.
  Result<std::vector<sync::SyncRequest>> Requests(Session& session, const Config& config) const;

 private:
  Result<std::vector<sync::SyncRequest>> RequestsOfGaps(const Session& session, const Config& config) const;

  std::vector<std::string> names_;
  std::string start_, end_, days_, backfill_years_, symbols_, gaps_file_;
  bool all_ = false, include_short_data_ = false, refetch_ = false, retry_failed_ = false, trust_ledger_ = false;
};

// The dataset's request for the days that `flags` say; nullopt: none of them. kUsage as ParsePlanRange.
Result<std::optional<sync::SyncRequest>> RequestOf(const Session& session, const Config& config,
                                                   const DatasetConfig& dataset, const RangeFlags& flags);
// Datasets by name, in that order; a recipe's name means those of its datasets that are declared. Without names, all
// that can be asked. kNotFound names the nearest one.
Result<std::vector<const DatasetConfig*>> SelectDatasets(const Config& config, const std::vector<std::string>& names);
// Whether an error keeps other datasets out too: the disk, Ctrl-C, our own bug.
bool EndsTheRun(const Error& error);
// A flag's number; kUsage when it is none or out of range.
Result<double> ParseNumber(std::string_view flag, const std::string& text, double least, double most);
// 0.374 -> "0.37 USD", nothing known -> "unknown".
std::string Usd(const std::optional<double>& usd);
// The symbols the vendor does not know, one line each.
std::string UnresolvedText(const sync::SyncReport& report);

}  // namespace lode::cli
