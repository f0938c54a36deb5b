// Instrument definitions: what an exchange of Tardis' lists, each with its canonical key, as one Parquet file an
// exchange: <lake>/instruments/<exchange>.parquet. Columns: docs/instrument-keys.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/codec/schema.h"
#include "lode/lake/lake.h"
#include "lode/symbol/instrument_key.h"

namespace lode::sync {

// available_to_datetime of what is listed still and never expires.
inline constexpr std::string_view kStillListed = "2099-12-31T00:00:00.000Z";

// The 28 columns of an instrument definition.
const codec::TableSchema& DefinitionSchema();

struct DefinitionsRequest {
  lake::LakePaths paths;
  const Config* config = nullptr;
  std::string exchange;
  symbol::KeyStyle style = symbol::KeyStyle::kPlain;
  bool dry_run = false;
};

struct DefinitionsReport {
  std::string exchange;
  std::filesystem::path file;
  int64_t instruments = 0;
  std::map<std::string, int64_t> by_type;  // vendor's type: "option"
  int64_t unreadable = 0;                  // ids without a key
  std::vector<std::string> why;            // of the first of them
  bool has_terms = false;                  // ticks, sizes and settlement came from the vendor
  std::string terms_refused;               // why not, where a key is configured
  uint64_t bytes = 0;
  bool is_unchanged = false;  // the file was there already
};

// Asks for the exchange and, with a key, its instruments' terms; two requests, free of charge. Writes the file whole or
// not at all, and not when it would be the same. kBadInput when two instruments would get one key; kNotFound for an
// unknown exchange; kRefused, kPartial and kStorage as elsewhere. Holds about 250 bytes an instrument.
Result<DefinitionsReport> WriteDefinitions(const DefinitionsRequest& request);

// ---- download targets ----

struct TargetFilter {
  // Empty: all. In upper case but the data types; venues as written in keys of either style.
  std::set<std::string> venues, bases, quotes, data_types;
  std::set<symbol::KeyType> types;
  std::optional<Day> first, last;  // inclusive: listed on one of these days
};

// One symbol of a dataset and when its files exist.
struct Target {
  std::string exchange, data_type, symbol;  // as a dataset declares them
  std::string instrument_key;               // of grouped symbols: empty
  Day first;
  std::optional<Day> last;
  auto operator<=>(const Target&) const = default;
};

// From the definitions in the lake, sorted, none twice. options_chain is had by the grouped symbol OPTIONS alone, which
// stands for all contracts. kNotFound when there are no definitions.
Result<std::vector<Target>> FindTargets(const lake::LakePaths& paths, const TargetFilter& filter);

}  // namespace lode::sync
