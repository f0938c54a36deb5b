// Verification of one dataset while other runs may write it: receipts are append-only and a publish announces itself by
// an intent, so whatever looks wrong is looked at again after reading what has come meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/verify.h"

namespace lode::lake {

class DatasetVerification {
 public:
  // `ledger` may be null: the lake has none. `progress` is told `bytes_before` plus the bytes read here.
  DatasetVerification(const LakePaths& paths, ledger::Ledger* ledger, std::string dataset,
                      const std::function<void(uint64_t)>& progress, uint64_t bytes_before)
      : paths_(paths),
        ledger_(ledger),
        dataset_(std::move(dataset)),
        progress_(progress),
        bytes_before_(bytes_before) {}

  // Adds findings and counts to the report.
  Status Run(VerifyReport* report);

 private:
  // A file as receipts describe it.
  struct Expected {
    uint64_t size = 0;
    std::string sha256;
  };

  // Receipts and ledger: reads all receipts, compares what they add up to with the ledger as of one commit.
  Status CheckIndex();
  Status CompareLedger(const std::vector<int64_t>& listed);
  Status CompareRows(const ledger::Fingerprint& in_ledger);
  void NameGaps(const std::vector<int64_t>& sequences);
  // Reads one receipt, once; a damaged one is a finding. Receipts add up in the order they are taken.
  Status TakeReceipt(int64_t sequence);
  void Expect(const ledger::Receipt& receipt);

  // Takes receipts and intents that came since. True when there were any, or intents went.
  Result<bool> Refresh();

  Status CheckFile(const std::string& path);
  // What is wrong with the file; nullopt: nothing.
  std::optional<std::string> ProblemOf(const std::string& path, const Expected& expected);
  // The file is the version an open intent is bringing.
  bool IsBeingPublished(const std::string& path);
  Status FindStrays();
  Status CheckStray(const std::string& path, bool regular, bool in_bronze);

  void Add(Finding::Severity severity, std::string path, std::string problem) {
    report_.findings.push_back({severity, dataset_, std::move(path), std::move(problem)});
  }

  const LakePaths& paths_;
  ledger::Ledger* ledger_;
  const std::string dataset_;
  const std::function<void(uint64_t)>& progress_;
  const uint64_t bytes_before_;

  VerifyReport report_;
  std::unique_ptr<ledger::Ledger> index_;                         // of the receipts taken
  std::map<int64_t, bool> taken_;                                 // sequence: it was readable
  std::map<std::string, Expected> expected_;                      // by path below the lake, as the last receipt says;
                                                                  // absolute for a file that was imported in place
  std::set<std::string> removed_;                                 // paths that `clean` removed since
  std::map<int64_t, std::vector<ledger::Intent::Move>> intents_;  // open ones
};

}  // namespace lode::lake
