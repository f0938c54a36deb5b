// Verification: does the lake hold exactly what its receipts say? Reads every byte of receipts, landing and bronze.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/lake/lake.h"

namespace lode::lake {

struct Finding {
  enum class Severity { kDamage, kWarning };
  Severity severity;
  std::string dataset, path, problem;  // path relative to the lake
};

struct VerifyReport {
  std::vector<Finding> findings;  // sorted by dataset, path
  int64_t files_checked = 0;
  uint64_t bytes_checked = 0;
  bool damaged() const;
};

// Damage: a file with other size or hash, a file gone, a receipt that fails its checksum or a gap in receipt numbers,
// a Parquet file under the glob that no receipt names, a ledger that differs from its receipts. Lacking days are
// not damage. `datasets` empty: all. Never writes.
Result<VerifyReport> Verify(const LakePaths& paths, const std::vector<std::string>& datasets,
                            const std::function<void(uint64_t bytes_done)>& progress = {});

// Makes the ledger again from receipts; what no receipt names under bronze is reported as unpublished.
struct RebuildReport {
  int64_t datasets = 0, receipts = 0, cells = 0;
  std::vector<std::string> unpublished;  // paths relative to the lake
};
Result<RebuildReport> RebuildLedger(const LakePaths& paths);

}  // namespace lode::lake
