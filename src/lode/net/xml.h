// The little XML that object stores answer: elements and text. Attributes are skipped, names lose their prefix.
// Hostile-safe: no document type, no entities but the five and character references, bounded depth and size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::net {

struct XmlElement {
  std::string name;
  std::string text;  // of the element itself, its children's not included
  std::vector<XmlElement> children;
  // First child of that name, nullptr when there is none.
  const XmlElement* Find(std::string_view child) const;
  // Its text; empty when there is none.
  std::string_view TextOf(std::string_view child) const;
};

// The root element. kBadInput for anything that is not well-formed or over the bounds.
Result<XmlElement> ParseXml(std::string_view text);

// Text with < > & " ' made harmless.
std::string XmlEscaped(std::string_view text);

}  // namespace lode::net
