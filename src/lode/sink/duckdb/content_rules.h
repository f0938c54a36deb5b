// What rows of a table must be like, as SQL over `r`: the rows of bronze files in file order, each with its order
// columns and those of the row before it (`before_0` …). Pure: schema in, SQL text out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lode/codec/schema.h"

namespace lode::sink {

struct RowRule {
  std::string check;  // "order", "identity", "prices"
  bool damage = false;
  std::string broken;     // SQL: true for a row that breaks the rule
  std::string one, many;  // "is out of order", "are out of order"; after "1 row", "2 rows"
  std::string shown;      // SQL text of what an example shows beside the row's identity; may be empty
};

// Of a schema; empty when nothing is known of the table.
std::vector<RowRule> RowRules(const codec::TableSchema* schema);

// `file_index`, rows, then the rows that break each rule, of each of these files that has rows; reads the columns the
// rules need and one more, so that each file is decoded.
std::string CountBrokenSql(std::span<const std::string> files, const codec::TableSchema* schema,
                           std::span<const RowRule> rules);
// The first row of a file that breaks a rule, as text: its number from 0, its identity, what the rule shows.
std::string FirstBrokenSql(const std::string& file, const codec::TableSchema& schema, const RowRule& rule);
// What the footers of these files say: `file_name`, column, values, nulls (empty: not told); the column '' is lode's
// own count of the rows.
std::string FooterSql(std::span<const std::string> files);

// read_parquet(…) of exactly these files.
std::string ReadFilesSql(std::span<const std::string> files);

}  // namespace lode::sink
