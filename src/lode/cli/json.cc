#include "lode/cli/json.h"

#include <fmt/format.h>

#include <iterator>

#include "lode/cli/utf8.h"

namespace lode::cli {

std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  for (size_t at = 0; at < text.size();) {
    size_t length = Utf8Length(text.substr(at));
    unsigned char c = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      quoted += "\\ufffd";
      length = 1;
    } else if (c == '"' || c == '\\') {
      quoted += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(quoted), "\\u{:04x}", c);
    } else {
      quoted += text.substr(at, length);
    }
    at += length;
  }
  return quoted + '"';
}

void JsonObject::Key(std::string_view key) {
  if (text_.size() > 1) text_ += ',';
  text_ += JsonText(key) + ':';
}

JsonObject& JsonObject::Text(std::string_view key, std::string_view value) { return Raw(key, JsonText(value)); }
JsonObject& JsonObject::Number(std::string_view key, int64_t value) { return Raw(key, std::to_string(value)); }
JsonObject& JsonObject::Number(std::string_view key, uint64_t value) { return Raw(key, std::to_string(value)); }
JsonObject& JsonObject::Bool(std::string_view key, bool value) { return Raw(key, value ? "true" : "false"); }
JsonObject& JsonObject::Null(std::string_view key) { return Raw(key, "null"); }

JsonObject& JsonObject::Raw(std::string_view key, std::string_view json) {
  Key(key);
  text_ += json;
  return *this;
}

std::string JsonObject::Take() { return std::move(text_) + '}'; }

JsonArray& JsonArray::Raw(std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += json;
  return *this;
}

std::string JsonArray::Take() { return std::move(text_) + ']'; }

}  // namespace lode::cli
