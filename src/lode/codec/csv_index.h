// Where the commas and line ends of many CSV lines are, found sixteen or thirty-two bytes at a time (the first of two
// stages, as in G. Langdale and D. Lemire, "Parsing gigabytes of JSON per second", 2019).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lode/base/raw_buffer.h"

namespace lode::codec {

class CsvIndex {
 public:
  // Most bytes a call of Find looks at: text, marks and rows stay in the first cache.
  static constexpr size_t kWindow = size_t{16} << 10;
  // Bytes after the text that must be readable; they do not count.
  static constexpr size_t kPadding = 64;

  // Indexes the lines at the start of `text` that end in LF within the window and hold no double quote; those behind a
  // line with one are not looked at.
  void Find(std::string_view text);

  // Places of commas and LFs in the text, in order.
  const uint32_t* marks() const { return marks_.data(); }
  size_t lines() const { return lines_; }
  // Index in marks() of a line's LF.
  uint32_t end_mark(size_t line) const { return end_marks_[line]; }

 private:
  RawBuffer<uint32_t> marks_, end_marks_;  // room for what may come and for what is written past it
  size_t lines_ = 0;
};

}  // namespace lode::codec
