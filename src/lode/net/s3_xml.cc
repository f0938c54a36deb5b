#include "lode/net/s3_xml.h"

#include <charconv>

#include "lode/net/xml.h"

namespace lode::net {
namespace {

std::unexpected<Error> Bad(std::string_view why) { return Fail(ErrorKind::kBadInput, "S3 answer: {}", why); }

// Servers do not agree on the names of roots; what is needed inside is what counts.
Result<XmlElement> ParseRoot(std::string_view xml) {
  LODE_TRY(XmlElement root, ParseXml(xml));
  if (root.name == "Error") {
    return Bad(fmt::format("{}: {}", root.TextOf("Code"), root.TextOf("Message")));
  }
  return root;
}

Result<S3Object> ObjectOf(const XmlElement& element) {
  S3Object object;
  object.key = element.TextOf("Key");
  if (object.key.empty()) return Bad("an object without a key");
  const std::string_view size = element.TextOf("Size");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
  if (size.empty() || error != std::errc() || end != size.data() + size.size()) return Bad("an object without a size");
  object.etag = element.TextOf("ETag");
  object.last_modified = element.TextOf("LastModified");
  return object;
}

}  // namespace

Result<S3Page> ParseListing(std::string_view xml) {
  LODE_TRY(const XmlElement root, ParseRoot(xml));
  S3Page page;
  for (const XmlElement& child : root.children) {
    if (child.name == "Contents") {
      LODE_TRY(S3Object object, ObjectOf(child));
      page.objects.push_back(std::move(object));
    } else if (child.name == "CommonPrefixes") {
      page.common_prefixes.emplace_back(child.TextOf("Prefix"));
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
  LODE_TRY(const XmlElement root, ParseRoot(xml));
  std::string id(root.TextOf("UploadId"));
  if (id.empty()) return Bad("no UploadId");
  return id;
}

Result<std::string> ParseCompleted(std::string_view xml) {
  LODE_TRY(const XmlElement root, ParseRoot(xml));
  std::string etag(root.TextOf("ETag"));
  if (etag.empty()) return Bad("no ETag");
  return etag;
}

std::string S3ErrorCode(std::string_view xml) {
  const Result<XmlElement> root = ParseXml(xml);
  return root && root->name == "Error" ? std::string(root->TextOf("Code")) : "";
}

}  // namespace lode::net
