#include "lode/sink/duckdb/content_rules.h"

#include <algorithm>
#include <array>

#include "lode/sink/duckdb/connection.h"

namespace lode::sink {
namespace {

using codec::TableSchema;

bool IsNullable(const TableSchema& schema, const std::string& column) {
  const int index = schema.Find(column);
  return index >= 0 && schema.columns[static_cast<size_t>(index)].nullable;
}

std::string Before(size_t i) { return fmt::format("before_{}", i); }

// The row comes before the one above it, or has its key: by the order columns from `i` on; nulls come first.
std::string Precedes(const TableSchema& schema, size_t i) {
  const std::string now = SqlName(schema.order[i]), before = Before(i);
  const bool nullable = IsNullable(schema, schema.order[i]);
  const std::string less = nullable ? fmt::format("coalesce({0} < {1}, {0} IS NULL AND {1} IS NOT NULL)", now, before)
                                    : fmt::format("{} < {}", now, before);
  if (i + 1 == schema.order.size()) return less;
  return fmt::format("({} OR ({} {} {} AND {}))", less, now, nullable ? "IS NOT DISTINCT FROM" : "=", before,
                     Precedes(schema, i + 1));
}

std::string EqualsBefore(const TableSchema& schema) {
  std::vector<std::string> equal;
  for (size_t i = 0; i < schema.order.size(); ++i) {
    equal.push_back(fmt::format("{} IS NOT DISTINCT FROM {}", SqlName(schema.order[i]), Before(i)));
  }
  return fmt::format("{}", fmt::join(equal, " AND "));
}

bool HasPrices(const TableSchema& schema) {
  return std::ranges::all_of(std::array{"open", "high", "low", "close"},
                             [&](const char* name) { return schema.Find(name) >= 0; });
}

// Columns that rules name, and one beside the identity: a file is read, not only its footer.
std::vector<std::string> ColumnsRead(const TableSchema& schema) {
  std::vector<std::string> names = schema.order;
  const auto add = [&](std::string_view name) {
    if (schema.Find(name) >= 0 && std::ranges::find(names, name) == names.end()) names.emplace_back(name);
  };
  if (HasPrices(schema)) {
    for (const char* name : {"open", "high", "low", "close", "volume"}) add(name);
  }
  add(schema.symbol_column);
  add(schema.day_column);
  for (const codec::Column& column : schema.columns) {
    if (names.size() > schema.order.size()) break;
    add(column.name);
  }
  return names;
}

// The rows with those before them. LAG without an order streams: one row is kept, not the file.
std::string RowsSql(std::span<const std::string> files, const TableSchema& schema) {
  std::string columns = "file_index, file_row_number";
  for (const std::string& name : ColumnsRead(schema)) columns += ", " + SqlName(name);
  for (size_t i = 0; i < schema.order.size(); ++i) {
    columns += fmt::format(", lag({}) OVER () AS {}", SqlName(schema.order[i]), Before(i));
  }
  return fmt::format("WITH r AS (SELECT {} FROM {})", columns, ReadFilesSql(files));
}

}  // namespace

std::string ReadFilesSql(std::span<const std::string> files) {
  std::vector<std::string> texts;
  for (const std::string& file : files) texts.push_back(SqlText(LiteralPattern(file)));
  return fmt::format("read_parquet([{}], hive_partitioning = false)", fmt::join(texts, ", "));
}

std::vector<RowRule> RowRules(const TableSchema* schema) {
  std::vector<RowRule> rules;
  if (schema == nullptr) return rules;
  const std::string follows = "file_row_number > 0 AND ";
  rules.push_back({"order", true, follows + Precedes(*schema, 0), "is out of order", "are out of order", ""});
  rules.push_back({"identity", true, follows + EqualsBefore(*schema), "repeats the identity of the one before",
                   "repeat the identity of the one before", ""});
  if (HasPrices(*schema)) {
    rules.push_back({"prices", false, "high < low OR high < open OR high < close OR low > open OR low > close",
                     "has a high or low that is not its highest or lowest price",
                     "have a high or low that is not their highest or lowest price",
                     "'open ' || open || ', high ' || high || ', low ' || low || ', close ' || close"});
    rules.push_back({"prices", false, "open IS NULL OR high IS NULL OR low IS NULL OR close IS NULL", "lacks a price",
                     "lack a price", ""});
    if (schema->Find("volume") >= 0) {
      rules.push_back(
          {"prices", false, "volume < 0", "has a negative volume", "have a negative volume", "'volume ' || volume"});
    }
  }
  return rules;
}

std::string CountBrokenSql(std::span<const std::string> files, const TableSchema* schema,
                           std::span<const RowRule> rules) {
  if (schema == nullptr) {
    return fmt::format("SELECT file_index, count(*), bit_xor(hash(COLUMNS(*))) FROM {} GROUP BY file_index",
                       ReadFilesSql(files));
  }
  std::string counts;
  for (const RowRule& rule : rules) counts += fmt::format(", count(*) FILTER (WHERE {})", rule.broken);
  // A count of a column without nulls is answered by the footer alone; a hash is not.
  const std::vector<std::string> read = ColumnsRead(*schema);
  if (read.size() > schema->order.size()) counts += fmt::format(", bit_xor(hash({}))", SqlName(read.back()));
  return fmt::format("{} SELECT file_index, count(*){} FROM r GROUP BY file_index", RowsSql(files, *schema), counts);
}

std::string FirstBrokenSql(const std::string& file, const TableSchema& schema, const RowRule& rule) {
  std::vector<std::string> parts = {"'row ' || file_row_number"};
  for (const std::string& name : schema.order) {
    parts.push_back(fmt::format("{} || coalesce({}::VARCHAR, 'null')", SqlText(name + " "), SqlName(name)));
  }
  if (!rule.shown.empty()) parts.push_back(rule.shown);
  return fmt::format("{} SELECT concat_ws(', ', {}) FROM r WHERE {} ORDER BY file_row_number LIMIT 1",
                     RowsSql(std::span(&file, 1), schema), fmt::join(parts, ", "), rule.broken);
}

std::string FooterSql(std::span<const std::string> files) {
  std::vector<std::string> texts;
  for (const std::string& file : files) texts.push_back(SqlText(LiteralPattern(file)));
  const std::string list = fmt::format("[{}]", fmt::join(texts, ", "));
  return fmt::format(
      "SELECT file_name, path_in_schema, sum(num_values), CASE WHEN count(stats_null_count) = count(*) THEN "
      "sum(stats_null_count) END FROM parquet_metadata({0}) GROUP BY ALL UNION ALL "
      "SELECT file_name, '', TRY_CAST(decode(value) AS BIGINT), NULL FROM parquet_kv_metadata({0}) "
      "WHERE key = 'lode.rows'::BLOB",
      list);
}

}  // namespace lode::sink
