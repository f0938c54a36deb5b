#include "lode/net/s3_xml.h"

#include <charconv>

#include "lode/net/xml.h"

namespace lode::net {
namespace {

std::unexpected<Error> Bad(std::string_view why) { return Fail(ErrorKind::kBadInput, "S3 answer: {}", why); }

Result<XmlElement> ParseRoot(std::string_view xml, std::string_view name) {
  LODE_TRY(XmlElement root, ParseXml(xml));
  if (root.name == "Error") {
    return Bad(fmt::format("{}: {}", root.TextOf("Code"), root.TextOf("Message")));
  }
  if (root.name != name) return Bad(fmt::format("a {} instead of a {}", root.name.substr(0, 40), name));
  return root;
}

// A key as the listing spells it: percent-encoded when it says so, so that any byte fits into XML.
Result<std::string> KeyOf(std::string_view text, bool is_encoded) {
  if (!is_encoded) return std::string(text);
  std::optional<std::string> key = PercentDecode(text);
  if (!key) return Bad("a key with malformed percent-encoding");
  return *std::move(key);
}

Result<S3Object> ObjectOf(const XmlElement& element, bool is_encoded) {
  S3Object object;
  LODE_TRY(object.key, KeyOf(element.TextOf("Key"), is_encoded));
  if (object.key.empty()) return Bad("an object without a key");
  const std::string_view size = element.TextOf("Size");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
  if (size.empty() || error != std::errc() || end != size.data() + size.size()) return Bad("an object without a size");
  object.etag = element.TextOf("ETag");
  object.last_modified = element.TextOf("LastModified");
  return object;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

Result<S3Page> ParseListing(std::string_view xml) {
  LODE_TRY(const XmlElement root, ParseRoot(xml, "ListBucketResult"));
  const bool is_encoded = root.TextOf("EncodingType") == "url";
  S3Page page;
  for (const XmlElement& child : root.children) {
    if (child.name == "Contents") {
      LODE_TRY(S3Object object, ObjectOf(child, is_encoded));
      page.objects.push_back(std::move(object));
    } else if (child.name == "CommonPrefixes") {
      LODE_TRY(std::string prefix, KeyOf(child.TextOf("Prefix"), is_encoded));
      page.common_prefixes.push_back(std::move(prefix));
    }
  }
  const std::string_view truncated = root.TextOf("IsTruncated");
  if (truncated == "true") {
    page.next_token = root.TextOf("NextContinuationToken");
    if (page.next_token.empty()) return Bad("a page that is not the last and names no next one");
  } else if (truncated != "false") {
    return Bad("a page that does not say whether it is the last");
  }
  return page;
}

Result<std::string> ParseUploadId(std::string_view xml) {
  LODE_TRY(const XmlElement root, ParseRoot(xml, "InitiateMultipartUploadResult"));
  std::string id(root.TextOf("UploadId"));
  if (id.empty()) return Bad("no UploadId");
  return id;
}

Result<std::string> ParseCompleted(std::string_view xml) {
  LODE_TRY(const XmlElement root, ParseRoot(xml, "CompleteMultipartUploadResult"));
  return std::string(root.TextOf("ETag"));
}

std::string S3ErrorCode(std::string_view xml) {
  const Result<XmlElement> root = ParseXml(xml);
  return root && root->name == "Error" ? std::string(root->TextOf("Code")) : "";
}

}  // namespace lode::net
