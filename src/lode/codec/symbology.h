// Which text symbol an instrument id stood for on a day: Databento's symbol mappings, from DBN metadata,
// symbology.json or live symbol-mapping records.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

// instrument_id -> intervals [first, last) of days with a symbol id. Later additions win where intervals overlap.
class SymbologyMap {
 public:
  void Add(uint32_t instrument_id, Day first, Day last_exclusive, int32_t symbol_id);
  // Symbol id of the instrument on that day, StringPool::kNull when unresolved.
  int32_t Find(uint32_t instrument_id, Day day) const;
  bool empty() const { return intervals_.empty(); }

 private:
  struct Interval {
    Day first, last_exclusive;
    int32_t symbol_id;
  };
  std::unordered_map<uint32_t, std::vector<Interval>> intervals_;
};

// Reads the text of a symbology.json (specs: {"result": {SYMBOL: [{"d0","d1","s"}]}, "stype_in", "stype_out"}) into a
// map; handles both directions (text -> id and id -> text). kBadInput names the offending key.
Result<SymbologyMap> ParseSymbologyJson(std::string_view json, StringPool& strings);

}  // namespace lode::codec
