#include "lode/cli/result_writers.h"

#include <algorithm>
#include <vector>

#include "lode/cli/json.h"
#include "lode/cli/output.h"
#include "lode/cli/table.h"
#include "lode/cli/zone.h"
#include "lode/sink/duckdb/result_text.h"

namespace lode::cli {
namespace {

constexpr size_t kMostShownRows = 1000;
constexpr size_t kBlock = 1 << 16;

std::string ValueText(const sink::ResultColumn& column, const void* values, size_t row) {
  std::string text;
  sink::AppendValue(column, values, row, text);
  return text;
}

// Common to all: the columns, and a stop as soon as nobody reads stdout any more.
class WriterBase : public ResultWriter {
 public:
  Status Begin(std::span<const sink::ResultColumn> columns) override {
    columns_.assign(columns.begin(), columns.end());
    Header();
    return Ok();
  }

 protected:
  virtual void Header() = 0;

  // Values of each column of a chunk.
  std::vector<const void*> Values(const sink::ResultChunk& chunk) const {
    std::vector<const void*> values;
    for (size_t i = 0; i < columns_.size(); ++i) values.push_back(chunk.Values(i));
    return values;
  }

  std::vector<sink::ResultColumn> columns_;
};

class TableWriter : public WriterBase {
 public:
  explicit TableWriter(std::string zone) : zone_(std::move(zone)) {}

  Status Write(const sink::ResultChunk& chunk) override {
    std::vector<const void*> values = Values(chunk);
    for (size_t row = 0; row < chunk.rows(); ++row) {
      if (++rows_ > kMostShownRows) continue;
      std::vector<std::string> cells;
      for (size_t i = 0; i < columns_.size(); ++i) {
        cells.push_back(chunk.IsNull(i, row) ? "NULL" : Shown(columns_[i], values[i], row));
      }
      table_.Add(std::move(cells));
    }
    return Ok();
  }

  void End() override {
    WriteStdout(table_.Render());
    std::string footer = Count(static_cast<int64_t>(rows_), "row");
    if (rows_ > kMostShownRows) footer += fmt::format(", {} shown; --csv gives all", Grouped(kMostShownRows));
    WriteStdout("(" + footer + ")\n");
  }

 protected:
  void Header() override {
    std::vector<Table::Column> columns;
    for (const sink::ResultColumn& column : columns_) {
      bool number = sink::ShapeOf(column.type) == sink::ValueShape::kNumber;
      columns.push_back({column.name, number ? Table::Align::kRight : Table::Align::kLeft});
    }
    table_ = Table(std::move(columns));
  }

 private:
  std::string Shown(const sink::ResultColumn& column, const void* values, size_t row) const {
    std::string text = ValueText(column, values, row);
    return column.type == DUCKDB_TYPE_TIMESTAMP_TZ ? InZone(text, zone_) : text;
  }

  std::string zone_;
  Table table_{{}};
  size_t rows_ = 0;
};

class LineWriter : public WriterBase {
 public:
  Status Write(const sink::ResultChunk& chunk) override {
    std::vector<const void*> values = Values(chunk);
    for (size_t row = 0; row < chunk.rows(); ++row) {
      Line(chunk, values, row);
      if (block_.size() >= kBlock) LODE_TRY(Flush());
    }
    return Ok();
  }
  void End() override { (void)Flush(); }

 protected:
  virtual void Line(const sink::ResultChunk& chunk, const std::vector<const void*>& values, size_t row) = 0;

  Status Flush() {
    bool written = WriteStdout(block_);
    block_.clear();
    if (written) return Ok();
    return Fail(ErrorKind::kStorage, "stdout: the result could not be written");
  }

  std::string block_;
};

class CsvWriter : public LineWriter {
 protected:
  void Header() override {
    for (size_t i = 0; i < columns_.size(); ++i) block_ += (i == 0 ? "" : ",") + CsvField(columns_[i].name);
    block_ += '\n';
  }

  void Line(const sink::ResultChunk& chunk, const std::vector<const void*>& values, size_t row) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) block_ += ',';
      if (chunk.IsNull(i, row)) continue;
      if (sink::ShapeOf(columns_[i].type) == sink::ValueShape::kText) {
        block_ += CsvField(ValueText(columns_[i], values[i], row));
      } else {
        sink::AppendValue(columns_[i], values[i], row, block_);
      }
    }
    block_ += '\n';
  }
};

class JsonWriter : public LineWriter {
 protected:
  void Header() override {
    for (const sink::ResultColumn& column : columns_) keys_.push_back(JsonText(column.name) + ":");
  }

  void Line(const sink::ResultChunk& chunk, const std::vector<const void*>& values, size_t row) override {
    block_ += '{';
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) block_ += ',';
      block_ += keys_[i];
      block_ += chunk.IsNull(i, row) ? "null" : Value(columns_[i], values[i], row);
    }
    block_ += "}\n";
  }

 private:
  static std::string Value(const sink::ResultColumn& column, const void* values, size_t row) {
    std::string text = ValueText(column, values, row);
    bool finite = text.find_first_of("nN") == std::string::npos;  // "nan", "inf" have one, no number does
    sink::ValueShape shape = sink::ShapeOf(column.type);
    if (shape == sink::ValueShape::kText || (shape == sink::ValueShape::kNumber && !finite)) return JsonText(text);
    return text;
  }

  std::vector<std::string> keys_;
};

}  // namespace

std::string CsvField(std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::unique_ptr<ResultWriter> MakeTableWriter(const std::string& zone) { return std::make_unique<TableWriter>(zone); }
std::unique_ptr<ResultWriter> MakeCsvWriter() { return std::make_unique<CsvWriter>(); }
std::unique_ptr<ResultWriter> MakeJsonWriter() { return std::make_unique<JsonWriter>(); }

}  // namespace lode::cli
