// The Parquet side of a TableSchema, shared by writer and reader: node tree, footer keys, error translation.
#pragma once

#include <parquet/exception.h>
#include <parquet/schema.h>

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "lode/base/result.h"
#include "lode/codec/schema.h"

namespace lode::codec {

inline constexpr char kFooterDataset[] = "lode.dataset";
inline constexpr char kFooterSchema[] = "lode.schema";
inline constexpr char kFooterSchemaVersion[] = "lode.schema_version";
inline constexpr char kFooterPartition[] = "lode.partition";
inline constexpr char kFooterRows[] = "lode.rows";

// Flat group "schema": one primitive node a column, field ids from 1, times without zone, prices DECIMAL(18,9) as
// INT64.
std::shared_ptr<parquet::schema::GroupNode> ParquetNodes(const TableSchema& schema);

// Runs `body`, which returns a Result or Status, and turns what the Parquet library throws into `kind`.
template <typename Body>
auto CatchParquet(ErrorKind kind, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return Fail(kind, "Parquet: sizes that do not fit in memory");
  } catch (const std::exception& error) {
    std::string text = error.what();
    return Fail(kind, "Parquet: {}", text.substr(0, text.find('\n')));
  }
}

}  // namespace lode::codec
