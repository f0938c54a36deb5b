// Query results on stdout: as a table for people, CSV (RFC 4180) or one JSON object a row.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lode/sink/duckdb/query.h"

namespace lode::cli {

class ResultWriter : public sink::RowWriter {
 public:
  // After the last row.
  virtual void End() = 0;
};

// Shows the first thousand rows and counts the rest. Instants with a zone are shown in `zone`; empty: UTC.
std::unique_ptr<ResultWriter> MakeTableWriter(const std::string& zone);
// Header line, then rows. Null is an empty field, an empty text is "".
std::unique_ptr<ResultWriter> MakeCsvWriter();
// {"column": value, …} a line. Numbers are written with all their digits; NaN and infinities as text.
std::unique_ptr<ResultWriter> MakeJsonWriter();

// A CSV field, quoted where it must be.
std::string CsvField(std::string_view text);

}  // namespace lode::cli
