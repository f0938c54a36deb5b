// Values of a DuckDB result as exact text: decimals with all their digits, times in ISO form with nanoseconds kept,
// doubles by shortest round trip.
#pragma once

#include <duckdb.h>

#include <string>

#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

// How a value is written in JSON.
enum class ValueShape { kNumber, kBoolean, kText };

// Whether AppendValue knows the type; others are cast to text by DuckDB.
bool IsRendered(duckdb_type type);
ValueShape ShapeOf(duckdb_type type);

// Appends the value at `row` of a column's values, which must not be null. Times without a zone carry no 'Z': what they
// mean is the query's business; times with a zone are UTC and do.
void AppendValue(const ResultColumn& column, const void* values, size_t row, std::string& text);

}  // namespace lode::sink
