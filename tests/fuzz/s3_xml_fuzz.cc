// Answers of object stores: a listing that is read, written and read again is the same.
#include <string>

#include "drain.h"
#include "lode/net/s3_xml.h"
#include "lode/net/xml.h"

namespace {

using namespace lode;
using net::XmlEscaped;

std::string Write(const net::S3Page& page) {
  std::string xml = "<ListBucketResult>";
  for (const net::S3Object& object : page.objects) {
    xml +=
        fmt::format("<Contents><Key>{}</Key><Size>{}</Size><ETag>{}</ETag><LastModified>{}</LastModified></Contents>",
                    XmlEscaped(object.key), object.size, XmlEscaped(object.etag), XmlEscaped(object.last_modified));
  }
  for (const std::string& prefix : page.common_prefixes) {
    xml += fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", XmlEscaped(prefix));
  }
  return xml + fmt::format(
                   "<IsTruncated>{}</IsTruncated><NextContinuationToken>{}</NextContinuationToken></ListBucketResult>",
                   !page.next_token.empty(), XmlEscaped(page.next_token));
}

bool Same(const net::S3Page& a, const net::S3Page& b) {
  const auto same = [](const net::S3Object& one, const net::S3Object& other) {
    return one.key == other.key && one.size == other.size && one.etag == other.etag &&
           one.last_modified == other.last_modified;
  };
  return std::ranges::equal(a.objects, b.objects, same) && a.common_prefixes == b.common_prefixes &&
         a.next_token == b.next_token;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto page = net::ParseListing(text)) {
    for (const net::S3Object& object : page->objects) fuzz::Require(!object.key.empty());
    const auto again = net::ParseListing(Write(*page));
    fuzz::Require(again.has_value() && Same(*page, *again));
    fuzz::Require(net::S3ErrorCode(text).empty());
  }
  (void)net::ParseUploadId(text);
  (void)net::ParseCompleted(text);
  return 0;
}
