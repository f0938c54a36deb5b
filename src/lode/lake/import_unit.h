// One unit of an import: raw files that feed common partitions, decoded, merged and published as one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/lake/import.h"
#include "lode/lake/import_cells.h"
#include "lode/lake/layout.h"

namespace lode::lake {

// A raw file of a unit and where its bytes are.
struct UnitFile {
  const source::files::Delivery* delivery = nullptr;
  const source::files::DataFile* file = nullptr;
  // As the receipt names it: landed path, hash, how to decode it. An empty hash comes with the copy into landing.
  ledger::RawFile record;
  bool landed = false;  // already in landing (or in place): nothing to copy
  // Answers one request whose cells are all of one symbol: events are labelled and numbered by symbol and day, whatever
  // the requests were that brought them (SourceLabelOfSymbol).
  bool from_wire = false;
  bool ours = false;  // below the lake, written by lode and never again: linked into landing, not copied
  // Repairs: the receipt whose rows these are, the vendor date by day it recorded, and (events) the days whose cells
  // are still this receipt's.
  int64_t sequence = 0;
  std::map<Day, std::optional<Day>> replay_modified;
  std::optional<std::set<Day>> only_days;
  // Repairs of bars: symbols of which the vendor has revised the day since.
  std::map<Day, std::set<std::string>> outdated;
};

struct Unit {
  std::string name;  // for people: file name, or first .. last
  std::vector<UnitFile> files;
  std::vector<source::files::SideFile> side_files;    // landed with this unit
  std::vector<ledger::RawFile> side_records;          // one a side file
  const source::files::Delivery* delivery = nullptr;  // set for the unit of side files and cells without a file
  std::vector<ledger::Cell> extra_cells;              // those cells, known once the data units ran
  std::string origin = "file";                        // file | api | job
  std::string request;
  int attempts = 1;
  // Lost partitions of which this unit brings everything again: their old versions need not be there.
  std::set<std::string> renewed;
  // Set for repairs, which write lost partitions again from landing: only these are written, rows of others are passed
  // over, and the receipt names no cells, and only raw files that land again, because the older ones still hold.
  std::optional<std::set<std::string>> only_partitions;
};

// What is common to all units of one dataset in one run.
struct UnitContext {
  DatasetWriter* writer = nullptr;
  const codec::TableSchema* schema = nullptr;
  const Layout* layout = nullptr;
  BadRecordPolicy policy = BadRecordPolicy::kDefault;
  uint64_t memory_bytes = 0;
  uint64_t min_free_bytes = 0;  // of the disk, for others (lake/disk_guard.h)
  std::string started_at;
  std::function<void(uint64_t bytes, int64_t rows)> progress;  // increments
  std::function<void(const std::string&)> notice;
};

struct UnitResult {
  int64_t records = 0, rejected = 0, duplicates = 0, rows = 0, partitions = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
};

// Runs the unit to the end of publish. On any error nothing of it is published and its temporaries are gone or will be
// removed by the next run. Errors: kBadInput (damaged file, too many bad records), kCorrupt (a file changed while it
// was read, a present partition that is damaged), kStorage, kInterrupted.
Result<UnitResult> RunUnit(const UnitContext& context, const Unit& unit);

}  // namespace lode::lake
