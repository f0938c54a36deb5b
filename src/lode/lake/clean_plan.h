// What `clean` would take out of one dataset: reads ledger, receipts and files, writes nothing.
#pragma once

#include <vector>

#include "lode/lake/clean.h"

namespace lode::lake {

// A file that goes, and the cells that go with it.
struct Removable {
  ledger::Removal removal;
  std::vector<ledger::Cell> cells;  // as they are to be recorded
};

struct CleanPlan {
  std::vector<Removable> files;            // by path
  std::vector<KeptFile> kept;              // by path
  std::vector<ledger::Removal> leftovers;  // recorded as removed by a run that was killed, and still here
};

// kCorrupt for a receipt that cannot be read.
Result<CleanPlan> PlanClean(const CleanRequest& request, ledger::Ledger& ledger, const ledger::DatasetRow& dataset);

}  // namespace lode::lake
