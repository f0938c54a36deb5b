// The decode half of a unit: raw files to sorted partitions, with counts by day and the bad records met.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/import_unit.h"
#include "lode/lake/unit_rows.h"

namespace lode::lake {

// A malformed record with the file it is from.
struct Rejected {
  std::string file;
  codec::BadRecord record;
};

struct DecodedUnit {
  std::vector<DecodedFile> files;   // one a UnitFile
  std::vector<int32_t> source_ids;  // pool id of each file's source label
  std::vector<Rejected> rejected;   // kept ones
  int64_t records = 0, rejected_count = 0;
  std::map<Day, std::set<int64_t>> instruments;  // events: instruments that have rows on a day
};

// The value of `source_file` for a raw file: its landed path below landing/<dataset>/, without "files/".
std::string SourceLabel(std::string_view dataset, const ledger::RawFile& record);

// The same for events that came over the wire, where files are cut as the vendor can bear it: "api:ES.FUT".
std::string SourceLabelOfSymbol(std::string_view symbol);

// Decodes each file of the unit, which lies at its path, into `rows`. Stops at the first damaged file.
Result<DecodedUnit> DecodeUnit(const UnitContext& context, const Unit& unit, const std::vector<fs::path>& paths,
                               codec::StringPool& strings, UnitRows& rows);

}  // namespace lode::lake
