// Which text symbol an instrument id stood for on a day: Databento's symbol mappings, from DBN metadata,
// symbology.json or live symbol-mapping records.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

// instrument_id -> intervals [first, last) of days with a symbol id. Later additions win where intervals overlap.
// Add and Find cost O(log intervals of the instrument), whatever order a hostile file adds them in.
class SymbologyMap {
 public:
  // An empty interval (first >= last_exclusive) adds nothing.
  void Add(uint32_t instrument_id, Day first, Day last_exclusive, int32_t symbol_id);
  // Symbol id of the instrument on that day, StringPool::kNull when unresolved.
  int32_t Find(uint32_t instrument_id, Day day) const;
  bool empty() const { return instruments_.empty(); }

 private:
  struct Interval {
    Day last_exclusive;
    int32_t symbol_id;
  };
  // Disjoint intervals by their first day.
  using Intervals = std::map<Day, Interval>;
  std::unordered_map<uint32_t, Intervals> instruments_;
};

// Reads the text of a symbology.json (specs: {"result": {SYMBOL: [{"d0","d1","s"}]}, "stype_in", "stype_out"}) into a
// map; handles both directions (text -> id and id -> text). kBadInput names the offending key.
Result<SymbologyMap> ParseSymbologyJson(std::string_view json, StringPool& strings);

}  // namespace lode::codec
