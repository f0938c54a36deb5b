// Tables for people and figures fit to read: aligned columns, thousands separated, sizes in binary units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lode::cli {

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell a column. Control characters are made harmless.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Title line and rows, two spaces between columns, no trailing spaces.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// 1234567 -> "1,234,567".
std::string Grouped(int64_t number);
// 1536 -> "1.5 KiB".
std::string Bytes(uint64_t bytes);
// "3 files", "1 file".
std::string Count(int64_t number, std::string_view singular);

}  // namespace lode::cli
