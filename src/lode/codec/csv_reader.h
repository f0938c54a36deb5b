// Reads CSV whose first line names the columns: comma, LF or CRLF, double quotes where needed (RFC 4180 but for line
// ends inside quotes, which no vendor writes: a record is a line). No vendor knowledge.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/csv_index.h"
#include "lode/codec/line_reader.h"

namespace lode::codec {

// Splits a line at its commas; quoted fields are unescaped into `scratch`. nullptr, or why the line is malformed.
const char* SplitCsv(std::string_view line, std::vector<std::string_view>& fields, std::string& scratch);

// Not thread-safe. Structural faults (LineReader's, a bad header) are errors; a malformed line is the caller's to
// judge: Next() gives it with fault() set.
class CsvReader {
 public:
  static constexpr size_t kMaxColumns = 4096;

  // Reads the header: kBadInput for an empty file, no end of line, a name twice or not printable text. With
  // LineRules::may_be_empty an empty file is a proper one that has neither columns nor lines.
  static Result<CsvReader> Open(std::unique_ptr<ByteSource> bytes, LineRules rules = {});

  const std::vector<std::string>& columns() const { return columns_; }
  // Position of a column, -1 when there is none.
  int Find(std::string_view column) const;

  // Goes to the next data line; false at the proper end. fields() and raw() live until the next call.
  Result<bool> Next();
  // As many as columns(), or fault() says why not. Some bytes after a field are readable, as after a line.
  std::span<const std::string_view> fields() const { return fields_; }
  // nullptr when the line is well-formed.
  const char* fault() const { return fault_; }
  std::string_view raw() const { return raw_; }
  bool ended_open() const { return lines_.ended_open(); }
  int64_t line_number() const { return lines_.line_number(); }  // from 1, the header counted
  int64_t offset() const { return lines_.offset(); }
  int64_t row() const { return lines_.line_number() - 2; }  // from 0, the header not counted

 private:
  CsvReader(std::unique_ptr<ByteSource> bytes, LineRules rules) : lines_(std::move(bytes), rules) {}
  // The next line of the index.
  void TakeIndexed();

  LineReader lines_;
  CsvIndex index_;
  size_t next_line_ = 0;    // of the index
  uint32_t next_mark_ = 0;  // the first of that line
  uint32_t line_begin_ = 0;
  std::vector<std::string> columns_;
  std::vector<std::string_view> fields_;
  std::string scratch_;
  std::string_view raw_;
  const char* fault_ = nullptr;
};

}  // namespace lode::codec
