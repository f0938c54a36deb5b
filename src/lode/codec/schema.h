// Declared table schemas: what a bronze Parquet file of each vendor schema holds, column by column.
//
// A schema is versioned data. Vendor columns come from the decoder in this order; derived columns (root, is_spread,
// date, source_file) are filled while the partition is written. docs/schemas.md is checked against this registry.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"

namespace lode::codec {

enum class ColumnType {
  kBool,
  kInt32,
  kInt64,
  kUint64,
  kFloat64,      // vendors with plain decimals only; Databento has none
  kPrice,        // DECIMAL(18,9), travels as int64 in units of 1e-9
  kTimestampUs,  // UTC without zone
  kTimestampNs,  // UTC without zone
  kDate,         // days since 1970-01-01
  kText,         // travels as int32 ids into the unit's StringPool
};

// Where a bronze column's value comes from.
enum class ColumnOrigin {
  kVendor,      // the decoder
  kSourceRow,   // the decoder: record number in the raw file, from 0
  kSourceFile,  // the raw file's name
  kRoot,        // product root of `symbol`
  kIsSpread,    // whether `symbol` is a multi-leg instrument
  kDate,        // UTC day of the day column
  kExtra,       // unknown keys as JSON text, null when there are none
};

struct Column {
  std::string name;
  ColumnType type;
  bool nullable;
  ColumnOrigin origin = ColumnOrigin::kVendor;
  std::string description;  // meaning, unit and null rule, as docs/schemas.md prints it
  std::string header = {};  // the vendor's own name where it is no legal column name; empty: `name`
  bool computed = false;    // the decoder derives it: vendor files do not have it
  bool distinct = false;    // kText: nearly every row has another value, so that interning would not pay

  const std::string& vendor_name() const { return header.empty() ? name : header; }
};

// How equal keys are treated when a partition is merged.
enum class MergeRule {
  kNewestByKey,    // one row a key: higher vendor last_modified_date, then the later receipt
  kReplaceDays,    // one row a key; a new file of the whole market's day replaces all rows the day had
  kReplaceSymbol,  // one row a key; a new answer for a symbol's day replaces all rows the symbol had of it
  kReplaceCells,   // every row is kept; a new delivery replaces all rows of its cells
};

// What a cell's day stands for. Tables of a few rows a year have one cell a year, dated its first day.
enum class CellSpan { kDay, kYear };

struct TableSchema {
  std::string name;  // unique among all sources: "ohlcv-1m", "us_stocks_sip/day_aggs_v1", "tardis/trades"
  std::string source = "databento";
  int version;
  std::vector<Column> columns;      // in file order; Parquet field ids are 1-based positions
  std::vector<std::string> key;     // identity
  std::vector<std::string> order;   // order in the file; total
  std::string day_column;           // decides a row's day
  std::string fallback_day_column;  // used where day_column is null; empty: such a row is bad
  MergeRule merge;
  std::string layout;  // default layout template, relative to bronze/<dataset>/
  CellSpan cell_span = CellSpan::kDay;
  std::string symbol_column = "symbol";  // tells rows of several symbols apart, where there is such a column

  // The day of the cell that holds `day`.
  Day CellDay(Day day) const;
  // Index of a column, -1 when there is none.
  int Find(std::string_view column) const;
};

// Schema of a Databento record type ("ohlcv-1m", "trades", "mbo", "definition", …); nullptr when unknown.
// The pointer lives as long as the process.
const TableSchema* FindDatabentoSchema(std::string_view name);
// All of them, in docs order.
std::vector<const TableSchema*> DatabentoSchemas();

// All schemas of a source ("databento", "polygon", "tardis", "fred"), in docs order.
std::vector<const TableSchema*> SchemasOf(std::string_view source);

// Any source's schema by its name, nullptr when unknown; lives as long as the process.
const TableSchema* FindSchema(std::string_view name);

// Arrow schema of decoder batches: columns of origin kVendor and kExtra in order, then int64 `source_row`.
// kText columns are int32 (pool ids), kPrice int64; null slots carry no value.
std::shared_ptr<arrow::Schema> DecodedSchema(const TableSchema& schema);
// Rows once their raw file is known: DecodedSchema plus int32 `source_file` (pool id).
std::shared_ptr<arrow::Schema> StoredSchema(const TableSchema& schema);
// All columns of the table in file order, still in travelling form (kText as pool ids, kPrice as int64).
std::shared_ptr<arrow::Schema> PhysicalSchema(const TableSchema& schema);
// Arrow schema of the Parquet file: all columns, decimal64(18,9), zoneless timestamps, field ids set.
std::shared_ptr<arrow::Schema> ParquetSchema(const TableSchema& schema);

}  // namespace lode::codec
