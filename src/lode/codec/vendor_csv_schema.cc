// Which vendor schema a CSV file's own text tells.
#include <algorithm>
#include <set>

#include "lode/codec/csv_reader.h"
#include "lode/codec/new_york_day.h"
#include "lode/codec/text_values.h"
#include "lode/codec/vendor_csv.h"
#include "lode/codec/vendor_rows.h"

namespace lode::codec {
namespace {

using Names = std::set<std::string, std::less<>>;

// Values of the line that ends at the next LF; empty when it does not end within the bytes or is malformed.
std::vector<std::string> TakeLine(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return {};
  std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> fields;
  std::string scratch;
  if (SplitCsv(line, fields, scratch) != nullptr) return {};
  return {fields.begin(), fields.end()};
}

// How many columns of the schema the header has; 0 unless it has all.
size_t ColumnsFound(const TableSchema& schema, const Names& names) {
  size_t found = 0;
  for (const Column& column : schema.columns) {
    if (!IsVendorColumn(column)) continue;
    if (!names.contains(column.vendor_name())) return 0;
    ++found;
  }
  return found;
}

// The schema of the given ones that has most of the header's columns; the first of equals.
template <typename Accept>
const TableSchema* Widest(std::string_view source, const Names& names, Accept&& accept) {
  const TableSchema* widest = nullptr;
  size_t most = 0;
  for (const TableSchema* schema : SchemasOf(source)) {
    const size_t found = accept(*schema) ? ColumnsFound(*schema, names) : 0;
    if (found <= most) continue;
    most = found;
    widest = schema;
  }
  return widest;
}

std::string_view PolygonPrefix(std::string_view ticker) {
  if (ticker.starts_with("O:")) return "us_options_opra/";
  return ticker.starts_with("I:") ? "us_indices/" : "us_stocks_sip/";
}

// Whether the bars that begin a file are days: each starts at midnight in New York, or (some files say 16:00) all start
// at one instant, which the minutes of several tickers do not.
bool AreDays(const std::vector<int64_t>& starts_ns) {
  constexpr size_t kEnoughToTell = 3;
  const bool at_midnight =
      std::ranges::all_of(starts_ns, [](int64_t ns) { return NewYorkMidnightNs(NewYorkDays().Of(ns)) == ns; });
  const bool at_once = starts_ns.size() >= kEnoughToTell &&
                       std::ranges::count(starts_ns, starts_ns[0]) == static_cast<ptrdiff_t>(starts_ns.size());
  return !starts_ns.empty() && (at_midnight || at_once);
}

const TableSchema* InferPolygon(const std::vector<std::string>& header, const Names& names, std::string_view rows) {
  constexpr size_t kRowsLookedAt = 1000;
  const auto position = [&](std::string_view name) {
    return static_cast<size_t>(std::ranges::find(header, name) - header.begin());
  };
  const size_t ticker_at = position("ticker"), start_at = position("window_start");
  std::string first_ticker;
  std::vector<int64_t> starts_ns;
  for (size_t i = 0; i < kRowsLookedAt; ++i) {
    const std::vector<std::string> row = TakeLine(rows);
    if (row.size() != header.size()) break;
    if (i == 0) first_ticker = row[ticker_at];
    int64_t ns = 0;
    if (start_at < row.size() && ReadEpochNs(row[start_at], ns) == nullptr) starts_ns.push_back(ns);
  }
  if (first_ticker.empty()) return nullptr;
  const std::string_view prefix = PolygonPrefix(first_ticker);
  const std::string_view other_bars = AreDays(starts_ns) ? "minute_aggs_v1" : "day_aggs_v1";
  return Widest("polygon", names, [&](const TableSchema& schema) {
    return schema.name.starts_with(prefix) && !schema.name.ends_with(other_bars);
  });
}

}  // namespace

const TableSchema* InferVendorCsvSchema(std::string_view first_bytes) {
  if (first_bytes.starts_with("\xEF\xBB\xBF")) first_bytes.remove_prefix(3);
  const std::vector<std::string> header = TakeLine(first_bytes);
  const Names names(header.begin(), header.end());
  if (names.contains("ticker")) return InferPolygon(header, names, first_bytes);
  return Widest("tardis", names, [](const TableSchema&) { return true; });
}

}  // namespace lode::codec
