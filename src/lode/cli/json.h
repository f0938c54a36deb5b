// JSON text for events: objects written field by field, in the order of the calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lode::cli {

// A quoted JSON string; bytes that are not UTF-8 become U+FFFD.
std::string JsonText(std::string_view text);

class JsonObject {
 public:
  JsonObject& Text(std::string_view key, std::string_view value);
  JsonObject& Number(std::string_view key, int64_t value);
  JsonObject& Number(std::string_view key, uint64_t value);
  JsonObject& Bool(std::string_view key, bool value);
  JsonObject& Null(std::string_view key);
  // `json` is a finished value.
  JsonObject& Raw(std::string_view key, std::string_view json);
  std::string Take();  // ends the text; the object is spent

 private:
  void Key(std::string_view key);
  std::string text_ = "{";
};

class JsonArray {
 public:
  JsonArray& Raw(std::string_view json);
  std::string Take();  // ends the text; the object is spent

 private:
  std::string text_ = "[";
};

}  // namespace lode::cli
