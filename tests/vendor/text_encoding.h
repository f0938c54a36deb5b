// Databento's text encodings, from raw DBN records: written apart from lode's reader of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lode::vendor {

class TextEncoding {
 public:
  TextEncoding(std::string_view schema, int dbn_version, bool csv, bool pretty_px, bool pretty_ts, bool map_symbols);

  // First line of a CSV, with its end; empty for JSON.
  std::string Header() const;
  // Appends one line. `symbol` is used with map_symbols only; empty: not resolved.
  void Append(std::string& out, std::string_view record, std::string_view symbol) const;

  struct Column {
    std::string name;
    char type;  // of dbn_writer.h's FieldLayout
    size_t offset, size;
    enum class Kind { kPlain, kPrice, kTime } kind;
  };
  // All columns in the encoding's order, those of the header included.
  const std::vector<Column>& columns() const { return columns_; }

 private:
  void AppendCsv(std::string& out, std::string_view record) const;
  void AppendJson(std::string& out, std::string_view record) const;
  void AppendValue(std::string& out, std::string_view record, const Column& column) const;

  const bool csv_, pretty_px_, pretty_ts_, map_symbols_;
  std::vector<Column> columns_;
};

}  // namespace lode::vendor
