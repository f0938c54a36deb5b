#include "lode/net/s3.h"

#include <algorithm>

#include "lode/base/hashing.h"
#include "lode/base/log.h"
#include "lode/base/time.h"
#include "lode/net/url.h"
#include "lode/net/xml.h"

namespace lode::net {
namespace {

// What was written, so that a writer whose answer was lost can tell its own object from another's.
constexpr char kHashHeader[] = "x-amz-meta-lode-sha256";
constexpr char kHashName[] = "lode-sha256";
constexpr char kSha256OfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr size_t kLongestKey = 1024;
constexpr uint64_t kLargestObject = uint64_t{1} << 43;

// An answer that is cut off, or an <Error> under a 200 as S3 sends it after long waits: worth another try.
class XmlBody : public TextBody {
 public:
  Status End() override {
    const Result<XmlElement> root = ParseXml(text());
    if (!root) return Fail(ErrorKind::kCorrupt, "{}", root.error().message);
    if (root->name != "Error") return Ok();
    return Fail(ErrorKind::kCorrupt, "{}: {}", root->TextOf("Code"), root->TextOf("Message"));
  }
};

std::string_view HostOf(std::string_view origin) { return origin.substr(origin.find("://") + 3); }

S3Head HeadOf(const ResponseHead& response) {
  constexpr std::string_view kMetadata = "x-amz-meta-";
  S3Head head;
  head.size = response.content_length.value_or(0);
  head.etag = response.Find("ETag");
  head.last_modified = response.Find("Last-Modified");
  for (const Header& header : response.headers) {
    if (!EqualIgnoringCase(header.name.substr(0, kMetadata.size()), kMetadata)) continue;
    std::string name = header.name.substr(kMetadata.size());
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    head.metadata[name] = header.value;
  }
  return head;
}

std::vector<Header> ConditionHeaders(const S3Condition& condition) {
  std::vector<Header> headers;
  if (!condition.if_match.empty()) headers.push_back({"If-Match", condition.if_match});
  if (condition.if_absent) headers.push_back({"If-None-Match", "*"});
  return headers;
}

}  // namespace

Result<S3> S3::Make(Client& client, S3Options options) {
  LODE_TRY(const Url endpoint, ParseUrl(options.endpoint));
  if (!endpoint.query.empty()) return Fail(ErrorKind::kConfig, "an S3 endpoint holds a query");
  const bool is_name = options.bucket.size() >= 3 && options.bucket.size() <= 63 && options.bucket[0] != '.' &&
                       std::ranges::all_of(options.bucket, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_';
                       });
  if (!is_name) return Fail(ErrorKind::kConfig, "'{}' is no name of a bucket", options.bucket);
  if (options.key.key_id.empty() != options.key.secret.empty()) {
    return Fail(ErrorKind::kConfig, "an S3 key id and its secret go together");
  }
  if (options.key.region.empty()) options.key.region = "us-east-1";
  log::RedactSecret(options.key.secret);
  log::RedactSecret(options.key.session_token);
  std::string path = endpoint.path;
  while (path.ends_with('/')) path.pop_back();
  path += "/" + options.bucket;
  return S3(client, std::move(options), endpoint.origin, std::move(path));
}

Request S3::Make(std::string method, const std::string& key, const Query& query, std::string body,
                 std::vector<Header> headers) const {
  SignedRequest to_sign{.method = method,
                        .path = base_path_ + (key.empty() ? "" : "/" + PercentEncode(key, true)),
                        .query = query,
                        .payload_sha256 = body.empty() ? kSha256OfNothing : Sha256Hex(body)};
  for (const Header& header : headers) {
    if (header.name.starts_with("x-amz-")) to_sign.headers.push_back(header);
  }
  Request request;
  request.method = std::move(method);
  request.url = origin_ + to_sign.path + (query.empty() ? "" : "?" + FormEncode(query));
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.label = fmt::format("{} s3://{}/{}", request.method, options_.bucket, key);
  request.credential.secret = options_.key.session_token;  // never sent by itself, only blotted out of errors
  if (!options_.key.key_id.empty()) {
    request.fresh_headers = [signer = signer_, to_sign = std::move(to_sign), host = std::string(HostOf(origin_))] {
      return signer->SignS3(to_sign, host, NowNs() / kNsPerSecond);
    };
  }
  return request;
}

// ---- reading ----

Result<S3Page> S3::ListPage(const std::string& prefix, const std::string& delimiter, const std::string& token) {
  Query query{{"list-type", "2"}, {"prefix", prefix}};
  if (!delimiter.empty()) query.emplace_back("delimiter", delimiter);
  if (!token.empty()) query.emplace_back("continuation-token", token);
  Request request = Make("GET", "", query, "", {});
  request.label = fmt::format("list s3://{}/{}", options_.bucket, prefix);
  const auto body = std::make_shared<XmlBody>();
  Outcome outcome = client_->Fetch(std::move(request), body);
  if (!outcome.status) return std::unexpected(std::move(outcome.status).error());
  return ParseListing(body->text());
}

Result<S3Page> S3::ListLevel(const std::string& prefix, const std::string& delimiter) {
  S3Page all;
  std::string token;
  while (true) {
    LODE_TRY(S3Page page, ListPage(prefix, delimiter, token));
    std::ranges::move(page.objects, std::back_inserter(all.objects));
    std::ranges::move(page.common_prefixes, std::back_inserter(all.common_prefixes));
    if (page.next_token.empty()) return all;
    // A server that sends us back to where we were would keep us for ever.
    if (page.next_token == token || (page.objects.empty() && page.common_prefixes.empty())) {
      return Fail(ErrorKind::kBadInput, "list s3://{}/{}: the listing does not go on", options_.bucket, prefix);
    }
    token = std::move(page.next_token);
  }
}

Result<std::vector<S3Object>> S3::List(const std::string& prefix) {
  LODE_TRY(S3Page page, ListLevel(prefix, ""));
  return std::move(page.objects);
}

Result<std::optional<S3Head>> S3::Head(const std::string& key) {
  Outcome outcome = client_->Fetch(Make("HEAD", key, {}, "", {}), nullptr);
  if (outcome.status) return HeadOf(outcome.response.head);
  if (outcome.response.failure == FailureClass::kNotFound) return std::nullopt;
  return std::unexpected(std::move(outcome.status).error());
}

Request S3::GetRequest(const std::string& key) const {
  Request request = Make("GET", key, {}, "", {});
  request.max_response_bytes = kLargestObject;
  return request;
}

Result<std::string> S3::Get(const std::string& key, std::optional<ByteRange> range, const std::string& if_match) {
  std::vector<Header> headers;
  if (range) {
    if (range->size == 0) return std::string();
    headers.push_back({"Range", fmt::format("bytes={}-{}", range->offset, range->offset + range->size - 1)});
  }
  if (!if_match.empty()) headers.push_back({"If-Match", if_match});
  Request request = Make("GET", key, {}, "", std::move(headers));
  request.max_response_bytes = kLargestObject;
  const auto body = std::make_shared<TextBody>();
  Outcome outcome = client_->Fetch(std::move(request), body);
  if (!outcome.status) return std::unexpected(std::move(outcome.status).error());
  if (!range) return body->text();
  const std::string expected = fmt::format("bytes {}-{}/", range->offset, range->offset + range->size - 1);
  if (outcome.response.head.status != 206 || !outcome.response.head.Find("Content-Range").starts_with(expected) ||
      body->text().size() != range->size) {
    return Fail(ErrorKind::kBadInput, "GET s3://{}/{}: another range than the one asked for", options_.bucket, key);
  }
  return body->text();
}

// ---- writing ----

// A conditional write that was tried more than once may have failed its condition by its own first try, whose answer
// was lost: the object's metadata tells whose it is.
Result<S3Written> S3::Settle(const Outcome& outcome, const std::string& key, const S3Condition& condition,
                             std::string_view sha256, std::string etag) {
  if (outcome.status) return S3Written{true, std::move(etag)};
  const int status = outcome.response.head.status;
  const bool lost = status == 412 || status == 404;
  if (lost && outcome.response.tries > 1) {
    LODE_TRY(const std::optional<S3Head> head, Head(key));
    const auto found = head ? head->metadata.find(kHashName) : std::map<std::string, std::string>::const_iterator();
    if (head && found != head->metadata.end() && found->second == sha256) return S3Written{true, head->etag};
  }
  // Some answer 404 where nothing is there that could match.
  const bool refused = status == 412 || (status == 404 && !condition.if_match.empty() &&
                                         S3ErrorCode(outcome.response.error_body) == "NoSuchKey");
  if (condition.is_set() && refused) return S3Written{};
  return std::unexpected(outcome.status.error());
}

Result<S3Written> S3::Put(const std::string& key, std::string bytes, const S3Condition& condition) {
  if (key.empty() || key.size() > kLongestKey) return Fail(ErrorKind::kUsage, "'{}' is no key of an object", key);
  const std::string sha256 = Sha256Hex(bytes);
  std::vector<Header> headers = ConditionHeaders(condition);
  headers.push_back({"Content-Type", "application/octet-stream"});
  headers.push_back({kHashHeader, sha256});
  Request request = Make("PUT", key, {}, std::move(bytes), std::move(headers));
  if (condition.is_set()) request.transient_statuses = {409};  // ConditionalRequestConflict
  const Outcome outcome = client_->Fetch(std::move(request), nullptr);
  return Settle(outcome, key, condition, sha256, std::string(outcome.response.head.Find("ETag")));
}

Result<S3Written> S3::Complete(const Upload& upload, const S3Condition& condition) {
  std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < upload.etags.size(); ++i) {
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, XmlEscaped(upload.etags[i]));
  }
  xml += "</CompleteMultipartUpload>";
  std::vector<Header> headers = ConditionHeaders(condition);
  headers.push_back({"Content-Type", "application/xml"});
  Request request = Make("POST", upload.key, {{"uploadId", upload.id}}, std::move(xml), std::move(headers));
  if (condition.is_set()) request.transient_statuses = {409};
  const auto body = std::make_shared<XmlBody>();
  const Outcome outcome = client_->Fetch(std::move(request), body);
  std::string etag;
  if (outcome.status) {
    LODE_TRY(etag, ParseCompleted(body->text()));
  }
  return Settle(outcome, upload.key, condition, upload.sha256, std::move(etag));
}

Status S3::Delete(const std::string& key) {
  if (key.empty()) return Fail(ErrorKind::kUsage, "'' is no key of an object");
  Outcome outcome = client_->Fetch(Make("DELETE", key, {}, "", {}), nullptr);
  if (outcome.response.failure == FailureClass::kNotFound) return Ok();
  return std::move(outcome.status);
}

}  // namespace lode::net
