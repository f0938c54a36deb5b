// Clean: old files leave one layer of a dataset. Landing files go when their rows are in bronze, whole; partitions of
// bronze go with their cells, which become `expired`: settled, asked for again only by `sync --refetch`.
//
// What goes is recorded by a receipt of origin "clean" first and deleted after (lake/removal.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::lake {

enum class CleanLayer { kLanding, kBronze };

struct CleanRequest {
  LakePaths paths;
  std::string dataset;
  CleanLayer layer = CleanLayer::kLanding;
  Day keep_from;          // the first day that is kept
  int32_t keep_days = 0;  // as asked, for the receipt
  bool dry_run = false;
};

// Old enough, and yet it stays.
struct KeptFile {
  std::string path;  // relative to the lake
  std::string reason;
};

struct CleanReport {
  std::vector<std::string> removed;  // paths relative to the lake, sorted; of a dry run: that would be
  uint64_t bytes = 0;
  int64_t cells = 0;  // that became expired
  std::vector<KeptFile> kept;
};

// Reads receipts, and every byte of the bronze files that stand for landing files to be removed. Without anything to
// remove it takes no lock and writes nothing. kBusy when another run holds the dataset; kStorage; kInterrupted between
// files.
Result<CleanReport> Clean(const CleanRequest& request);

}  // namespace lode::lake
