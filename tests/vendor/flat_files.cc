#include "flat_files.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "lode/base/time.h"
#include "lode/calendar/calendar.h"
#include "market.h"
#include "polygon_files.h"

namespace lode::vendor {
namespace {

constexpr std::string_view kBucket = "flatfiles";
constexpr std::string_view kEnding = ".csv.gz";
constexpr size_t kMostKeys = 1000;
constexpr int64_t kPublished_ns = 16 * 3'600 * kNsPerSecond;  // of the next day
const Day kFirstDay = ToDay({2003, 9, 10});

Response XmlResponse(int status, const std::string& body) {
  Response response;
  response.status = status;
  response.content_type = "application/xml";
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body;
  return response;
}

Response Refuse(int status, std::string_view code, std::string_view message, std::string_view resource) {
  return XmlResponse(status, fmt::format("<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource>"
                                         "<RequestId>4442587FB7D0A2F9</RequestId></Error>",
                                         code, EscapeXml(message), EscapeXml(resource)));
}

// "\"5d41402abc4b2a76b9719d911017c592\"", as S3 gives it to what was put in one piece.
std::string EtagOf(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string text = "\"";
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text + "\"";
}

// "2024-01-03T16:00:00.000Z".
std::string IsoMs(int64_t ns) { return FormatIsoNs(ns).substr(0, 19) + ".000Z"; }

bool IsSession(Day day) { return calendar::Find("XNYS")->IsSession(day); }

std::string KeyOf(std::string_view flat_file, Day day) {
  const std::string date = FormatDay(day);
  return fmt::format("{}/{}/{}/{}{}", flat_file, date.substr(0, 4), date.substr(5, 2), date, kEnding);
}

// The flat file and the day of a key; nullopt: no key of this bucket.
std::optional<std::pair<std::string, Day>> TakeApart(const std::string& key) {
  const size_t name = key.rfind('/');
  constexpr size_t kBelow = std::string_view("/2024/01").size();
  if (name == std::string::npos || name < kBelow || !key.ends_with(kEnding)) return std::nullopt;
  const auto day = ParseDay(key.substr(name + 1, key.size() - name - 1 - kEnding.size()));
  std::string flat_file = key.substr(0, name - kBelow);
  if (!day || KeyOf(flat_file, *day) != key) return std::nullopt;
  return std::pair(std::move(flat_file), *day);
}

struct ByteRange {
  uint64_t first = 0, end = 0;
};

// nullopt: no range, or one to be ignored; an empty one: it cannot be served.
std::optional<ByteRange> RangeOf(const Request& request, uint64_t size) {
  const std::string header = request.Header("range");
  if (header.empty() || request.faults.ignore_range) return std::nullopt;
  if (header.starts_with("bytes=-")) {
    const uint64_t last = std::strtoull(header.c_str() + 7, nullptr, 10);
    return ByteRange{size - std::min(size, last), size};
  }
  const auto range = ParseRange(header, size);
  if (!range) return std::nullopt;
  if (range->first >= size) return ByteRange{};
  return ByteRange{range->first, std::min(range->second, size - 1) + 1};
}

}  // namespace

FlatFiles::FlatFiles(const FlatFilesOptions& options, Counts& counts, std::function<int64_t()> now_ns)
    : options_(options), counts_(counts), now_ns_(std::move(now_ns)), entitled_(options.entitled) {
  if (options_.folder.empty()) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string key = std::filesystem::relative(entry.path(), options_.folder).generic_string();
    if (TakeApart(key)) folder_keys_.push_back(key);
  }
  std::ranges::sort(folder_keys_);
}

bool FlatFiles::IsPublished(Day day) const { return now_ns_() >= (day + 1).start_ns() + kPublished_ns; }

std::shared_ptr<const std::string> FlatFiles::BytesOf(const std::string& flat_file, Day day, int revision) const {
  if (!options_.folder.empty()) {
    std::ifstream in(std::filesystem::path(options_.folder) / KeyOf(flat_file, day), std::ios::binary);
    return std::make_shared<const std::string>(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  // Bars are published again as the fixtures do it, and with other numbers the next time.
  const bool bars = flat_file.find("_aggs_") != std::string::npos && !flat_file.starts_with("us_indices/");
  const int other = bars ? revision / 2 : revision;
  const fixtures::PolygonOptions options{
      .seed = options_.seed + static_cast<uint64_t>(other) * 7'919, .first = day, .rows = options_.rows};
  return std::make_shared<const std::string>(
      fixtures::PolygonDayGz(flat_file, day, options, bars && revision % 2 == 1));
}

std::optional<FlatFiles::Object> FlatFiles::Find(const std::string& key) {
  const auto named = TakeApart(key);
  if (!named) return std::nullopt;
  const auto& [flat_file, day] = *named;
  if (options_.folder.empty()) {
    if (std::ranges::find(fixtures::kPolygonFlatFiles, flat_file) == fixtures::kPolygonFlatFiles.end()) {
      return std::nullopt;
    }
    if (day < kFirstDay || !IsSession(day) || !IsPublished(day)) return std::nullopt;
  } else if (!std::ranges::binary_search(folder_keys_, key)) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.find(key);
  const Change change = changed == changes_.end() ? Change{} : changed->second;
  if (change.removed) return std::nullopt;
  Object& object = cache_[{key, change.revision}];
  if (object.bytes == nullptr) {
    object.bytes = BytesOf(flat_file, day, change.revision);
    object.etag = EtagOf(*object.bytes);
  }
  object.modified_ns = change.modified_ns.value_or((day + 1).start_ns() + kPublished_ns);
  return object;
}

std::vector<std::string> FlatFiles::Keys(const std::string& prefix) {
  std::vector<std::string> keys;
  if (!options_.folder.empty()) {
    for (auto key = std::ranges::lower_bound(folder_keys_, prefix); key != folder_keys_.end(); ++key) {
      if (!key->starts_with(prefix)) break;
      keys.push_back(*key);
    }
    return keys;
  }
  for (const std::string_view flat_file : fixtures::kPolygonFlatFiles) {
    const std::string folder = std::string(flat_file) + "/";
    if (!folder.starts_with(prefix) && !prefix.starts_with(folder)) continue;
    // Only the years that the prefix leaves open.
    Day first = kFirstDay, last = DayOf(now_ns_());
    if (prefix.size() >= folder.size() + 4) {
      const auto year = ParseDay(prefix.substr(folder.size(), 4) + "-01-01");
      if (!year) continue;
      first = std::max(first, *year);
      last = std::min(last, *year + 365);
    }
    for (Day day = first; day <= last; day = day + 1) {
      if (!IsSession(day) || !IsPublished(day)) continue;
      std::string key = KeyOf(flat_file, day);
      if (key.starts_with(prefix)) keys.push_back(std::move(key));
    }
  }
  std::ranges::sort(keys);
  return keys;
}

Response FlatFiles::List(const Request& request) {
  const std::string prefix = request.Find("prefix").value_or(""), delimiter = request.Find("delimiter").value_or("");
  const std::string token = request.Find("continuation-token").value_or("");
  if (!token.empty() && !token.starts_with("after-")) {
    return Refuse(400, "InvalidArgument", "The continuation token provided is incorrect", request.path);
  }
  const std::string after = token.empty() ? request.Find("start-after").value_or("") : token.substr(6);
  size_t most = std::min(kMostKeys, page_size_);
  if (const auto asked = request.Find("max-keys"))
    most = std::min<size_t>(most, std::strtoull(asked->c_str(), nullptr, 10));
  std::string contents, folders, last_key, last_folder, next;
  size_t count = 0;
  for (const std::string& key : Keys(prefix)) {
    const size_t cut = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    const std::string folder = cut == std::string::npos ? "" : key.substr(0, cut + delimiter.size());
    if (key <= after || (!folder.empty() && (folder == last_folder || after.starts_with(folder)))) {
      if (!folder.empty() && folder == last_folder) last_key = key;
      continue;
    }
    const auto object = folder.empty() ? Find(key) : std::optional<Object>();
    if (folder.empty() && !object) continue;  // removed
    if (count == most) {
      next = last_key;
      break;
    }
    ++count;
    last_key = key;
    last_folder = folder;
    if (folder.empty()) {
      contents += fmt::format(
          "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>"
          "<StorageClass>STANDARD</StorageClass></Contents>",
          EscapeXml(key), IsoMs(object->modified_ns), EscapeXml(object->etag), object->bytes->size());
    } else {
      folders += fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", EscapeXml(folder));
    }
  }
  std::string body = fmt::format(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix>"
      "<KeyCount>{}</KeyCount><MaxKeys>{}</MaxKeys><IsTruncated>{}</IsTruncated>",
      kBucket, EscapeXml(prefix), count, most, !next.empty());
  if (!delimiter.empty()) body += "<Delimiter>" + EscapeXml(delimiter) + "</Delimiter>";
  if (request.Find("encoding-type")) body += "<EncodingType>url</EncodingType>";
  if (!next.empty()) body += "<NextContinuationToken>after-" + EscapeXml(next) + "</NextContinuationToken>";
  return XmlResponse(200, body + contents + folders + "</ListBucketResult>");
}

Response FlatFiles::Get(const Request& request, const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto changed = changes_.find(key);
        changed != changes_.end() && std::exchange(changed->second.swaps, false)) {
      ++changed->second.revision;
    }
  }
  const auto object = Find(key);
  if (!object) return Refuse(404, "NoSuchKey", "The specified key does not exist.", request.path);
  const auto named = TakeApart(key);
  {
    const std::lock_guard lock(mutex_);
    if ((entitled_ && named->second < *entitled_) || refused_.contains(named->first)) {
      return Refuse(403, "AccessDenied", "Your plan doesn't include this data timeframe.", request.path);
    }
  }
  const std::string if_match = request.Header("if-match"), if_none_match = request.Header("if-none-match");
  if (!if_match.empty() && if_match != "*" && if_match != object->etag) {
    return Refuse(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold",
                  request.path);
  }
  Response response;
  response.content_type = "application/gzip";
  response.headers.emplace_back("ETag", object->etag);
  response.headers.emplace_back("Last-Modified", HttpDate(object->modified_ns / kNsPerSecond));
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (!if_none_match.empty() && if_none_match == object->etag) {
    response.status = 304;
    return response;
  }
  const uint64_t size = object->bytes->size();
  const auto range = RangeOf(request, size);
  if (range && range->first >= range->end) {
    return Refuse(416, "InvalidRange", "The requested range is not satisfiable", request.path);
  }
  const ByteRange part = range.value_or(ByteRange{0, size});
  if (range) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", part.first, part.end - 1, size));
  }
  response.stream_length = part.end - part.first;
  response.stream = [bytes = object->bytes, part](BodySink& sink) {
    sink.Write(std::string_view(*bytes).substr(part.first, part.end - part.first));
  };
  if (request.method == "HEAD") return response;
  response.done = [this, named = *named, part, size](bool whole, uint64_t body_bytes) {
    counts_.CountStream(0, body_bytes, 0, whole);
    if (whole && part.end == size) counts_.CountCells(named.first, "ALL_SYMBOLS", {named.second});
  };
  return response;
}

Response FlatFiles::Route(const Request& request) {
  if (const auto refusal = CheckSignature(request, options_.key, NowNs() / kNsPerSecond)) {
    return Refuse(refusal->status, refusal->code, refusal->message, request.path);
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return Refuse(403, "AccessDenied", "Access Denied", request.path);  // a vendor's bucket is read only
  }
  const std::string key = request.path.size() > kBucket.size() + 2 ? request.path.substr(kBucket.size() + 2) : "";
  if (!key.empty()) return Get(request, key);
  if (request.method == "HEAD") return Response{};
  if (request.Find("list-type").value_or("") == "2") return List(request);
  return Refuse(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.",
                request.path);
}

Response FlatFiles::Handle(const Request& request) {
  Response response = Route(request);
  const bool is_list = request.path.size() <= kBucket.size() + 2;
  counts_.CountRequest(is_list ? "s3.list" : request.method == "HEAD" ? "s3.head" : "s3.get", response.status);
  return response;
}

Response FlatFiles::Control(const Json& body) {
  Response response;
  response.body = "{}";
  const auto bad = [&](const std::string& text) {
    response.status = 400;
    response.body = Json{{"detail", text}}.dump();
    return response;
  };
  const std::lock_guard lock(mutex_);
  if (body.contains("page_size")) page_size_ = std::max<size_t>(body.at("page_size").get<size_t>(), 1);
  if (body.contains("entitled_from")) {
    const auto day = ParseDay(body.at("entitled_from").get<std::string>());
    if (!day) return bad("entitled_from: a day");
    entitled_ = *day;
  }
  if (body.contains("refused")) refused_ = body.at("refused").get<std::set<std::string>>();
  const std::string flat_file = body.value("flat_file", "us_stocks_sip/day_aggs_v1");
  for (const char* what : {"revise", "remove", "restore", "swap"}) {
    if (!body.contains(what)) continue;
    for (const Json& text : body.at(what)) {
      const auto day = ParseDay(text.get<std::string>());
      if (!day) return bad("not a day: " + text.dump());
      Change& change = changes_[KeyOf(flat_file, *day)];
      if (std::string_view(what) == "revise") {
        ++change.revision;
        change.modified_ns = now_ns_();
      } else if (std::string_view(what) == "swap") {
        change.swaps = true;
      } else {
        change.removed = std::string_view(what) == "remove";
      }
    }
  }
  return response;
}

}  // namespace lode::vendor
