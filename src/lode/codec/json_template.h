// The shape of a vendor's JSON line, learned from one line and tried on the next: everything between the values is
// compared as bytes, only the values are looked at. Vendors write every line of a file alike, so this spares the
// JSON parser for nearly all of them; a line of any other shape does not match and goes the general way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lode::codec {

// A scalar of a JSON line. Quoted text is between its quotes, still escaped.
struct JsonScalar {
  std::string_view text;
  bool quoted = false;
};

class JsonTemplate {
 public:
  bool empty() const { return fields_.empty(); }
  // Takes the shape of a valid JSON line whose scalars, in order, are `scalars`: views into `line`, of `fields`.
  void Learn(std::string_view line, const std::vector<JsonScalar>& scalars, std::vector<int> fields);
  // The scalars of a line of that shape, in order; false when it has another shape or a text with a backslash.
  // Then the line is JSON except that unquoted scalars may be anything. Sixteen bytes after the line are readable.
  bool Match(std::string_view line, std::vector<JsonScalar>& scalars) const;
  const std::vector<int>& fields() const { return fields_; }

 private:
  std::string literals_;  // what stands before each value and after the last, in order; then eight bytes to read over
  std::vector<uint32_t> sizes_;  // of each literal
  std::vector<int> fields_;
};

}  // namespace lode::codec
