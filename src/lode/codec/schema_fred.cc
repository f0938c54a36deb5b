// FRED's observations with their vintages (ALFRED).
#include <utility>

#include "lode/codec/schema_internal.h"

namespace lode::codec {
namespace {

using enum ColumnType;

Column Described(std::string name, ColumnType type, bool nullable, std::string description) {
  return {std::move(name), type, nullable, ColumnOrigin::kVendor, std::move(description)};
}

}  // namespace

std::vector<TableSchema> FredTables() {
  Column series = Described("series_id", kText, false, "the vendor's id of the series");
  series.computed = true;  // pages do not say which series they are of
  TableSchema observations = {
      .name = "fred/observations",
      .source = "fred",
      .version = 1,
      .columns = {std::move(series),
                  Described("date", kDate, false, "first day of the period the value is for"),
                  Described("realtime_start", kDate, true,
                            "day from which on this was the value; null: the vendor keeps no vintages of the series"),
                  Described("realtime_end", kDate, true, "last day on which it was; null: it still is"),
                  Described("value", kFloat64, true, "value in the series' unit; null where the vendor has '.'"),
                  {"_extra", kText, true, ColumnOrigin::kExtra, "keys this schema does not know, as JSON text"}},
      .key = {"series_id", "date", "realtime_start"},
      .order = {"series_id", "date", "realtime_start"},
      .day_column = "date",
      .fallback_day_column = "",
      .merge = MergeRule::kNewestByKey,
      .layout = "series={symbol}/data.parquet",
      .cell_span = CellSpan::kYear,
      .symbol_column = "series_id"};
  std::vector<TableSchema> all;
  all.push_back(std::move(observations));
  return all;
}

}  // namespace lode::codec
