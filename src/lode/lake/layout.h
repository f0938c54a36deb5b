// Layout templates: from a row's day (and instrument) to the path of its partition file. The only place where lode
// builds paths from data.
//
// A template is relative to bronze/<dataset>/ and ends in a file name, e.g. "month={yyyy}-{mm}/data.parquet". Fields:
// {yyyy} {mm} {day} (YYYY-MM-DD) {symbol} (what the raw file was asked for). Values are percent-encoded so that paths
// never leave the folder and never collide on case-insensitive disks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode::lake {

class Layout {
 public:
  // kConfig: an unknown field, an absolute path, "..", a missing ".parquet" ending, or neither a day, a year nor a
  // symbol in it.
  static Result<Layout> Parse(std::string_view text);

  // Path of the partition that holds `day` of `symbol`, the symbol of the cell.
  std::string PathOf(Day day, std::string_view symbol) const;
  bool has_symbol() const;
  const std::string& text() const { return text_; }

 private:
  struct Piece {
    enum class Kind { kLiteral, kYear, kMonth, kDay, kSymbol } kind;
    std::string literal;
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

// Percent-encodes a value for use as one path component: everything but [A-Z0-9._=-] (lower case included, so that "ES"
// and "es" differ on any disk; vendors' symbols are upper case), and a leading '.'. Never empty; long values are cut
// and end in a hash.
std::string EncodePathComponent(std::string_view value);

}  // namespace lode::lake
