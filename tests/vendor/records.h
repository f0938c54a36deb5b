// The records of a schema: those of one day and a set of contracts, in DBN.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trades.h"
#include "universe.h"

namespace lode::vendor {

// Schemas a data set has, in the vendor's order.
std::vector<std::string> SchemasOf(const DatasetInfo& dataset);
bool IsSchema(std::string_view name);
// Bytes of a record in a DBN version: what is billed.
size_t RecordSize(std::string_view schema, int dbn_version);
// Interval of a bar schema in ns, 0 of others.
int64_t IntervalNs(std::string_view schema);

struct RecordPlace {
  uint64_t ts_ns;  // what ranges filter on: ts_recv where the schema has it, else ts_event
  uint32_t offset;
  uint32_t contract;
};

struct DayRecords {
  std::string bytes;
  std::vector<RecordPlace> places;  // in order of time, then as the contracts were given
};

class RecordMaker {
 public:
  RecordMaker(const Universe& universe, std::string schema, int dbn_version);

  size_t record_size() const { return record_size_; }
  DayRecords Make(Day day, int revision, std::span<const uint32_t> contracts) const;

 private:
  const Universe& universe_;
  const std::string schema_;
  const int version_;
  const size_t record_size_;
};

// Once, before threads start: the DBN writer fills tables on first use.
void WarmUpWriter();

}  // namespace lode::vendor
