// Merges sorted streams of one partition into the rows of its file: by key for bars, whole cells for events.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/lake/sorter.h"

namespace lode::lake {

// Which of two rows with equal key wins: the higher vendor date, then the later receipt.
struct Precedence {
  std::optional<Day> modified;  // vendor's last_modified_date of the row's cell
  int64_t sequence = 0;         // receipt the row came with
  auto operator<=>(const Precedence&) const = default;
};

struct MergeRules {
  // Precedence of a row by its raw file (pool id of source_file, StringPool::kNull for rows already in a bars
  // partition) and its day.
  std::function<Precedence(int32_t source_file, Day day)> precedence;
  // Whether a row already in the partition belongs to a cell that this import replaces; nullptr: none does.
  std::function<bool(const arrow::RecordBatch& rows, uint32_t row, int32_t source_file, Day day)> replaced;
  // A row whose key occurs twice with different values in one receipt: a bad record.
  std::function<void(int32_t source_file, int64_t source_row, const std::string& key)> conflict;
};

struct MergeCounts {
  int64_t rows = 0;        // emitted
  int64_t duplicates = 0;  // equal rows of one receipt dropped by key
  std::string min_key, max_key;
};

// Merges `incoming` with the partition's present rows (`existing`, may be null) and hands the result to `emit` in
// batches of StoredSchema, in the schema's order. Streams are consumed; memory: one batch a stream and one out.
Result<MergeCounts> MergeStreams(const codec::TableSchema& schema, const codec::StringPool& strings,
                                 std::unique_ptr<RowStream> existing, std::vector<std::unique_ptr<RowStream>> incoming,
                                 const MergeRules& rules, const std::function<Status(const Batch&)>& emit);

}  // namespace lode::lake
