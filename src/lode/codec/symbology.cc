#include "lode/codec/symbology.h"

#include <simdjson.h>

#include <string>

#include "lode/codec/text_values.h"

namespace lode::codec {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

void SymbologyMap::Add(uint32_t instrument_id, Day first, Day last_exclusive, int32_t symbol_id) {
  if (first >= last_exclusive) return;
  Intervals& days = instruments_[instrument_id];
  auto next = days.lower_bound(first);
  if (next != days.begin()) {
    // The one before may reach into (or past) the new interval: cut it, keep what lies behind.
    const auto before = std::prev(next);
    const Interval old = before->second;
    if (old.last_exclusive > first) {
      before->second.last_exclusive = first;
      if (old.last_exclusive > last_exclusive) days.insert_or_assign(last_exclusive, old);
    }
  }
  while (next != days.end() && next->first < last_exclusive) {
    const Interval old = next->second;
    next = days.erase(next);
    if (old.last_exclusive > last_exclusive) {
      days.insert_or_assign(last_exclusive, old);
      break;
    }
  }
  days.insert_or_assign(first, Interval{last_exclusive, symbol_id});
}

int32_t SymbologyMap::Find(uint32_t instrument_id, Day day) const {
  const auto found = instruments_.find(instrument_id);
  if (found == instruments_.end()) return StringPool::kNull;
  const auto after = found->second.upper_bound(day);
  if (after == found->second.begin()) return StringPool::kNull;
  const Interval& interval = std::prev(after)->second;
  return day < interval.last_exclusive ? interval.symbol_id : StringPool::kNull;
}

namespace {

// One mapping file being read: knows which side of a mapping is the text symbol.
class SymbologyReader {
 public:
  SymbologyReader(bool key_is_id, StringPool& strings) : key_is_id_(key_is_id), strings_(strings) {}

  Status ReadSymbol(std::string_view key, od::array intervals) {
    uint32_t id = 0;
    int32_t symbol = StringPool::kNull;
    if (key_is_id_) {
      LODE_TRY(id, ReadId(key, key));
    } else {
      LODE_TRY(symbol, ReadText(key, key));
    }
    for (auto element : intervals) {
      od::object interval;
      if (element.get_object().get(interval) != sj::SUCCESS) return Bad(key, "an interval is not an object");
      std::string_view d0, d1, target;
      // Three keys in any order; each text stays valid while the parser does.
      if (interval["d0"].get_string().get(d0) != sj::SUCCESS) return Bad(key, "d0 is missing or no text");
      if (interval["d1"].get_string().get(d1) != sj::SUCCESS) return Bad(key, "d1 is missing or no text");
      if (interval["s"].get_string().get(target) != sj::SUCCESS) return Bad(key, "s is missing or no text");
      const auto first = ParseDay(d0), last = ParseDay(d1);
      if (!first || !last) return Bad(key, "d0 or d1 is not a day");
      if (target.empty()) continue;  // the vendor's way to say "unresolved in this interval"
      if (key_is_id_) {
        LODE_TRY(symbol, ReadText(target, key));
      } else {
        LODE_TRY(id, ReadId(target, key));
      }
      map_.Add(id, *first, *last, symbol);
    }
    return Ok();
  }

  static std::unexpected<Error> Bad(std::string_view key, std::string_view why) {
    return Fail(ErrorKind::kBadInput, "symbology.json: result['{}']: {}", Excerpt(key), why);
  }

  SymbologyMap Take() { return std::move(map_); }

 private:
  Result<uint32_t> ReadId(std::string_view text, std::string_view key) {
    uint64_t id = 0;
    if (!ParseDigits(text, id) || id > UINT32_MAX) {
      return Bad(key, fmt::format("'{}' is not an instrument id", Excerpt(text)));
    }
    return static_cast<uint32_t>(id);
  }

  Result<int32_t> ReadText(std::string_view text, std::string_view key) {
    if (const char* fault = CheckText(text)) return Bad(key, fault);
    return strings_.Intern(text);
  }

  bool key_is_id_;
  StringPool& strings_;
  SymbologyMap map_;
};

// A top-level text, "" when there is none. After any other fault the on-demand parser must not be asked again.
Result<std::string> ReadTopLevelText(od::document& document, std::string_view key) {
  std::string_view text;
  const auto fault = document[key].get_string().get(text);
  if (fault != sj::SUCCESS && fault != sj::NO_SUCH_FIELD) {
    return Fail(ErrorKind::kBadInput, "symbology.json: {}: {}", key, sj::error_message(fault));
  }
  return std::string(text);
}

// Which side holds the ids; kBadInput when neither does.
Result<bool> KeyIsId(od::document& document) {
  LODE_TRY(const std::string stype_in, ReadTopLevelText(document, "stype_in"));
  LODE_TRY(const std::string stype_out, ReadTopLevelText(document, "stype_out"));
  if (stype_out == "instrument_id" || (stype_out.empty() && stype_in.empty())) return false;
  if (stype_in == "instrument_id") return true;
  return Fail(ErrorKind::kBadInput, "symbology.json: stype_out '{}': neither side of the mapping is instrument_id",
              Excerpt(stype_out));
}

}  // namespace

Result<SymbologyMap> ParseSymbologyJson(std::string_view json, StringPool& strings) {
  const sj::padded_string padded(json);
  od::parser parser;
  od::document document;
  if (const auto error = parser.iterate(padded).get(document); error != sj::SUCCESS) {
    return Fail(ErrorKind::kBadInput, "symbology.json is not JSON: {}", sj::error_message(error));
  }
  LODE_TRY(const bool key_is_id, KeyIsId(document));
  document.rewind();
  SymbologyReader reader(key_is_id, strings);
  od::object result;
  if (document["result"].get_object().get(result) != sj::SUCCESS) {
    return Fail(ErrorKind::kBadInput, "symbology.json: 'result' is missing or not an object");
  }
  for (auto field : result) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key); error != sj::SUCCESS) {
      return Fail(ErrorKind::kBadInput, "symbology.json: result: {}", sj::error_message(error));
    }
    od::array intervals;
    if (field.value().get_array().get(intervals) != sj::SUCCESS) return reader.Bad(key, "not a list of intervals");
    LODE_TRY(reader.ReadSymbol(key, intervals));
  }
  return reader.Take();
}

}  // namespace lode::codec
