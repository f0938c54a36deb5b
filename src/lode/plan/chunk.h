// Work into requests: rectangles of a few symbols and a few days that never cross a partition's border. Pure and
// deterministic.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lode/plan/work.h"

namespace lode::plan {

struct ChunkLimits {
  size_t symbols = 3;
  // Days of the calendar from a request's first to its last, both counted. 365 means a year: a leap year is not cut.
  int32_t days = 7;
};

// 3 symbols; 365 days of daily bars, 7 days of anything finer.
ChunkLimits DefaultLimits(std::string_view schema);

// Every symbol × every day of one request is a cell of the work. `days` holds expected days without a gap.
struct Request {
  std::vector<std::string> symbols;
  std::vector<VendorDay> days;
  Day first() const { return days.front().day; }
  Day last() const { return days.back().day; }
  int64_t cells() const { return static_cast<int64_t>(symbols.size() * days.size()); }
  bool operator==(const Request&) const = default;
};

// All requests that feed one partition, or, with {symbol} in the layout, the partitions of one span of time.
struct RequestGroup {
  std::string partition;
  std::vector<Request> requests;  // by first day; symbols in the work's order
};

// The partition a day falls into: days with equal texts share one.
using PartitionOfDay = std::function<std::string(Day)>;

// Covers the work exactly: no cell is left out, requested twice or not work. Symbols with the same days in a partition
// share requests. The last partition comes first and the first one second, and the first request holds the last day: a
// missing entitlement shows at once. The others follow in time order.
std::vector<RequestGroup> Chunk(const Work& work, const ChunkLimits& limits, const PartitionOfDay& partition_of);

// Two requests of the same cells: half the symbols each, or half the days each when there is but one symbol. nullopt
// for a single cell. Halving to the end reaches every cell in at most 1 + log2(cells) steps.
std::optional<std::pair<Request, Request>> Split(const Request& request);

// What is asked for besides symbols and days.
struct Selection {
  std::string dataset, schema, stype_in;
};

// 16 hex digits that stand for the request: the same in every run until the vendor revises one of its days.
std::string RequestId(const Selection& selection, const Request& request);

}  // namespace lode::plan
