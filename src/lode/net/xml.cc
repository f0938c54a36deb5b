#include "lode/net/xml.h"

#include <algorithm>
#include <charconv>

namespace lode::net {
namespace {

constexpr size_t kDeepest = 16;
constexpr size_t kMostElements = 100'000;  // a page of a listing has 1,000 objects
constexpr std::string_view kSpace = " \t\r\n";

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

void AppendUtf8(uint32_t code, std::string* text) {
  const auto byte = [text](uint32_t bits) { text->push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6), byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12), byte(0x80 | (code >> 6 & 0x3f)), byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18), byte(0x80 | (code >> 12 & 0x3f)), byte(0x80 | (code >> 6 & 0x3f)),
        byte(0x80 | (code & 0x3f));
  }
}

class XmlParser {
 public:
  explicit XmlParser(std::string_view text) : rest_(text) {}

  Result<XmlElement> Parse() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    while (!(done_ && rest_.empty())) {
      if (rest_.empty()) return Bad("it ends early");
      if (rest_[0] == '<') {
        LODE_TRY(TakeMarkup());
      } else {
        LODE_TRY(TakeText());
      }
    }
    return std::move(root_);
  }

 private:
  static std::unexpected<Error> Bad(std::string_view why) {
    return Fail(ErrorKind::kBadInput, "malformed XML: {}", why);
  }

  // Drops everything up to and with `mark`.
  Status SkipPast(std::string_view mark) {
    const size_t end = rest_.find(mark);
    if (end == std::string_view::npos) return Bad("it ends early");
    rest_.remove_prefix(end + mark.size());
    return Ok();
  }

  Status TakeMarkup() {
    if (rest_.starts_with("<?")) return SkipPast("?>");
    if (rest_.starts_with("<!--")) return SkipPast("-->");
    if (rest_.starts_with("<![CDATA[")) return TakeCdata();
    if (rest_.starts_with("<!")) return Bad("a document type");
    if (rest_.starts_with("</")) return TakeEnd();
    return TakeStart();
  }

  Status TakeCdata() {
    rest_.remove_prefix(9);
    const size_t end = rest_.find("]]>");
    if (open_.empty() || end == std::string_view::npos) return Bad("CDATA");
    open_.back().text += rest_.substr(0, end);
    rest_.remove_prefix(end + 3);
    return Ok();
  }

  Result<std::string> TakeName() {
    const size_t size = static_cast<size_t>(std::ranges::find_if_not(rest_, IsNameCharacter) - rest_.begin());
    if (size == 0) return Bad("a name was expected");
    std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (const size_t colon = name.rfind(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
    return std::string(name);
  }

  // Attributes up to '>' or '/>'; quoted values may hold '>'.
  Result<bool> SkipAttributes() {
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '<') return Bad("'<' inside a tag");
      rest_.remove_prefix(1);
      if (c == '>') return false;
      if (c == '/' && rest_.starts_with('>')) {
        rest_.remove_prefix(1);
        return true;
      }
      if (c == '"' || c == '\'') LODE_TRY(SkipPast(std::string_view(&c, 1)));
    }
    return Bad("it ends early");
  }

  Status TakeStart() {
    rest_.remove_prefix(1);
    if (done_) return Bad("a second root");
    if (open_.size() >= kDeepest || ++elements_ > kMostElements) return Bad("too deep or too large");
    XmlElement element;
    LODE_TRY(element.name, TakeName());
    LODE_TRY(const bool is_empty, SkipAttributes());
    open_.push_back(std::move(element));
    if (is_empty) Close();
    return Ok();
  }

  Status TakeEnd() {
    rest_.remove_prefix(2);
    LODE_TRY(const std::string name, TakeName());
    const size_t bracket = rest_.find_first_not_of(kSpace);
    if (bracket == std::string_view::npos || rest_[bracket] != '>') return Bad("an end tag");
    rest_.remove_prefix(bracket + 1);
    if (open_.empty() || open_.back().name != name) return Bad("an end without its start");
    Close();
    return Ok();
  }

  void Close() {
    XmlElement element = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(element);
      done_ = true;
    } else {
      open_.back().children.push_back(std::move(element));
    }
  }

  Status TakeText() {
    const std::string_view text = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(text.size());
    if (open_.empty()) {
      if (text.find_first_not_of(kSpace) != std::string_view::npos) return Bad("text outside the root");
      return Ok();
    }
    return Decode(text, &open_.back().text);
  }

  static Status Decode(std::string_view text, std::string* out) {
    while (!text.empty()) {
      const size_t and_sign = std::min(text.find('&'), text.size());
      *out += text.substr(0, and_sign);
      text.remove_prefix(and_sign);
      if (text.empty()) break;
      const size_t end = text.find(';');
      if (end == std::string_view::npos || end > 12) return Bad("a reference");
      LODE_TRY(DecodeReference(text.substr(1, end - 1), out));
      text.remove_prefix(end + 1);
    }
    return Ok();
  }

  static Status DecodeReference(std::string_view name, std::string* out) {
    constexpr std::pair<std::string_view, char> kNamed[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, c] : kNamed) {
      if (name != known) continue;
      out->push_back(c);
      return Ok();
    }
    if (!name.starts_with('#')) return Bad("an unknown entity");
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    const bool whole = error == std::errc() && end == name.data() + name.size() && !name.empty();
    if (!whole || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return Bad("a reference");
    AppendUtf8(code, out);
    return Ok();
  }

  std::string_view rest_;
  std::vector<XmlElement> open_;  // from the root inwards
  XmlElement root_;
  bool done_ = false;
  size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::Find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::TextOf(std::string_view child) const {
  const XmlElement* found = Find(child);
  return found == nullptr ? std::string_view() : found->text;
}

Result<XmlElement> ParseXml(std::string_view text) { return XmlParser(text).Parse(); }

std::string XmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&apos;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace lode::net
