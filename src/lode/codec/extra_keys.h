// Keys of vendor text that a schema does not know: one JSON object a record, one log notice a key and file.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "lode/codec/schema.h"

namespace lode::codec {

// Not thread-safe.
class ExtraKeys {
 public:
  explicit ExtraKeys(const TableSchema& schema) : schema_(schema) {}

  // Logs, once a key, that the file holds it.
  void NoteDrift(std::string_view key);
  // Adds a member with its value as JSON text.
  void Put(std::string_view key, std::string_view json_value);
  // Adds a value of a format that does not tell text from numbers: its text, null when empty. False when the value is
  // not printable UTF-8.
  bool PutText(std::string_view key, std::string_view value);

  bool empty() const { return object_.empty(); }
  // The record's object; it lives until Clear(), which must come before the next Put.
  std::string_view Close() { return object_ += '}'; }
  void Clear() { object_.clear(); }

 private:
  const TableSchema& schema_;
  std::string object_;  // so far, without its closing brace
  std::string value_;
  std::set<std::string, std::less<>> drift_;
};

}  // namespace lode::codec
