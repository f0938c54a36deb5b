#include "lode/net/error_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lode::net {
namespace {

using Json = nlohmann::json;

constexpr size_t kLongestMessage = 500;
constexpr std::string_view kSpace = " \t\r\n";

std::string TextAt(const Json& object, std::string_view key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string JsonMessage(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_object()) return "";
  for (const char* key : {"detail", "error"}) {
    const auto found = json.find(key);
    if (found == json.end()) continue;
    if (found->is_string()) return found->get<std::string>();
    if (std::string text = TextAt(*found, "message"); !text.empty()) {
      const std::string name = TextAt(*found, "case");
      return name.empty() ? text : name + ": " + text;
    }
    if (found->is_array() && !found->empty()) {
      if (std::string text = TextAt(found->front(), "msg"); !text.empty()) return text;
    }
  }
  for (const char* key : {"message", "error_message"}) {
    if (std::string text = TextAt(json, key); !text.empty()) return text;
  }
  return "";
}

// The text of the first <name> element, as it is; entities are left alone.
std::string_view XmlElement(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
  const size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  const size_t end = xml.find(close, begin + open.size());
  if (end == std::string_view::npos) return {};
  return xml.substr(begin + open.size(), end - begin - open.size());
}

std::string XmlMessage(std::string_view xml) {
  const std::string_view code = XmlElement(xml, "Code"), message = XmlElement(xml, "Message");
  if (code.empty() || message.empty()) return std::string(code.empty() ? message : code);
  return std::string(code) + ": " + std::string(message);
}

// Control characters and runs of spaces become one space; cut without splitting a UTF-8 character.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, 4 * kLongestMessage)) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() <= kLongestMessage) return line;
  size_t cut = kLongestMessage;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
  return line.substr(0, cut) + "...";
}

}  // namespace

std::string MessageOf(std::string_view body) {
  const size_t begin = body.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  const std::string_view text = body.substr(begin);
  if (GuessHtml(text) == HtmlGuess::kYes) return "an HTML page";
  std::string message;
  if (text[0] == '{' || text[0] == '"') {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_discarded()) message = JsonMessage(json);
  } else if (text[0] == '<') {
    message = XmlMessage(text);
  }
  return OneLine(message.empty() ? text : message);
}

HtmlGuess GuessHtml(std::string_view beginning) {
  if (beginning.starts_with("\xef\xbb\xbf")) beginning.remove_prefix(3);
  const size_t begin = beginning.find_first_not_of(kSpace);
  // A page that begins with this much blank is no page we know.
  if (begin == std::string_view::npos) return beginning.size() > 256 ? HtmlGuess::kNo : HtmlGuess::kUndecided;
  const std::string_view text = beginning.substr(begin);
  HtmlGuess guess = HtmlGuess::kNo;
  for (const std::string_view mark : {"<!doctype html", "<html"}) {
    const size_t common = std::min(mark.size(), text.size());
    const bool same = std::ranges::equal(mark.substr(0, common), text.substr(0, common), {}, {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    if (same && common == mark.size()) return HtmlGuess::kYes;
    if (same) guess = HtmlGuess::kUndecided;
  }
  return guess;
}

}  // namespace lode::net
