// SQL over the lake: an in-memory DuckDB with the datasets' views, over pinned files where the lake can be written.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/ledger/ledger.h"
#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

struct QueryRequest {
  lake::LakePaths paths;
  ledger::Ledger* ledger = nullptr;  // null: nothing was imported yet, there are no views
  std::string sql;
  uint64_t memory_bytes = uint64_t{512} << 20;
  int threads = 2;
};

// Receives the result. A failure ends the query.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual Status Begin(std::span<const ResultColumn> columns) = 0;
  virtual Status Write(const ResultChunk& chunk) = 0;
};

// kUsage when the SQL is at fault. On a lake that cannot be written a query that meets a replaced file is repeated, up
// to three times and only as long as nothing reached `writer`.
Status RunQuery(const QueryRequest& request, RowWriter& writer);

}  // namespace lode::sink
