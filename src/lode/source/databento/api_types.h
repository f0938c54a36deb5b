// The values of Databento's HTTP API, typed. Times are nanoseconds since 1970 UTC, ends are exclusive unless they say
// otherwise. Source: the vendor's reference and its clients; docs/sources.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/time.h"
#include "lode/source/databento/delivery.h"

namespace lode::source::databento {

inline constexpr size_t kMostSymbols = 2000;  // a request

// What records are asked for; the part that timeseries, batch and metadata requests share.
struct SeriesQuery {
  std::string dataset, schema;
  std::vector<std::string> symbols;  // at most kMostSymbols; empty: all
  std::string stype_in = "raw_symbol";
  int64_t start_ns = 0, end_ns = 0;
  uint64_t limit = 0;  // records; 0: none
};

struct Publisher {
  uint32_t id = 0;
  std::string dataset, venue, description;
};

struct FieldInfo {
  std::string name, type;
};

// USD per GB of one mode: "historical", "historical-streaming", "live".
struct UnitPrices {
  std::string mode;
  std::map<std::string, double> by_schema;
};

struct TimeRange {
  int64_t start_ns = 0, end_ns = 0;
};
struct DatasetRange {
  TimeRange overall;
  std::map<std::string, TimeRange> by_schema;  // empty when the vendor does not say
};

struct SymbologyQuery {
  std::string dataset;
  std::vector<std::string> symbols;
  std::string stype_in = "raw_symbol", stype_out = "instrument_id";
  Day first, end;  // end exclusive
};
struct SymbolInterval {
  Day first, end;  // end exclusive
  std::string symbol;
};
struct Resolution {
  std::map<std::string, std::vector<SymbolInterval>> intervals;  // by requested symbol, sorted by day
  std::vector<std::string> partial, not_found;
};

struct BatchRequest {
  SeriesQuery query;
  std::string encoding = "dbn", compression = "zstd";
  std::string split_duration = "day";  // day | week | month | year | none
  bool split_symbols = false;
  uint64_t split_size = 0;  // bytes; 0: none
};

struct BatchJob {
  enum class State { kReceived, kQueued, kProcessing, kDone, kExpired };
  std::string id, user_id;
  State state = State::kQueued;
  // Empty in a short listing.
  std::string dataset, schema;
  std::vector<std::string> symbols;
  std::string stype_in, stype_out, encoding, compression, split_duration;  // the last two "none" for null
  std::optional<int64_t> start_ns, end_ns;
  std::optional<double> cost_usd;
  std::optional<uint64_t> limit, record_count, billed_size, actual_size, package_size;
  std::optional<int64_t> received_ns, queued_ns, process_start_ns, process_done_ns, expiration_ns;
  std::optional<double> progress_percent;
};

struct BatchFile {
  ManifestFile file;
  std::string path;  // of its URL, "/v0/batch/download/…": the host is ours to choose
};

// What an error body says beyond its message; empty when it does not.
struct Refusal {
  std::string name;     // "data_end_after_available_end"
  std::string message;  // the vendor's words
  std::string docs;
  std::optional<int64_t> available_start_ns, available_end_ns;
};

}  // namespace lode::source::databento
