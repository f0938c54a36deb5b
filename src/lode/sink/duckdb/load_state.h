// ops.databento_load_state: one row a bronze partition that was loaded, written in the transaction that loads it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

struct LoadState {
  std::string dataset, schema;  // of the lake
  std::string source_type;      // origin of the receipt that wrote the partition: file | api | job
  std::string job_id;           // batch job of that receipt, empty without one
  std::string file_name;        // bronze/<dataset>/<partition>
  std::string sha256;           // of the partition file that was loaded
  std::string inputs_sha256;    // of all that its rows depend on; empty after a failure
  uint64_t size_bytes = 0;
  std::string root;                // when all rows have one
  std::optional<Day> first, last;  // days of its rows: of bars, of ts_ref (statistics), of ts_recv (definition)
  int64_t rows_read = 0, rows_merged = 0, rows_rejected = 0;
  std::string status = "done";  // done | failed
  int64_t attempt = 1;          // 1, and one more for each failure before
  std::string error;
};

// By file_name.
using LoadStates = std::map<std::string, LoadState, std::less<>>;

Status CreateLoadState(Connection& connection);
// Empty when the table does not exist yet.
Result<LoadStates> ReadLoadStates(Connection& connection);
// Replaces what is said about the file. `started_at_ns`: when work on it began.
Status WriteLoadState(Connection& connection, const LoadState& state, int64_t started_at_ns);
Status RemoveLoadState(Connection& connection, std::string_view file_name);

}  // namespace lode::sink
