// lode's S3 client against a real server: lode_s3_probe ENDPOINT BUCKET KEY_ID SECRET [unsigned]
//
// The bucket must exist and be empty. "unsigned" leaves out what only a server that checks signatures can show. Closes
// with "N passed, N failed".
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "lode/base/hashing.h"
#include "lode/net/file_body.h"
#include "lode/net/s3.h"

namespace {

namespace fs = std::filesystem;
using lode::Result;
using namespace lode::net;

int passed = 0, failed = 0;

void Check(const char* what, bool fine, const std::string& remark = "") {
  ++(fine ? passed : failed);
  if (!fine) fmt::print("FAILED {} {}\n", what, remark);
}

template <typename T>
std::string ErrorOf(const Result<T>& result) {
  return result ? "" : result.error().ToString();
}

struct Server {
  std::string endpoint, bucket, key_id, secret;
};

Result<S3> Connect(Client& client, const Server& server) {
  return S3::Make(client, {.endpoint = server.endpoint,
                           .bucket = server.bucket,
                           .key = {.key_id = server.key_id, .secret = server.secret},
                           .single_put_bytes = 6 << 20,
                           .part_bytes = 5 << 20});
}

void Objects(S3& s3) {
  const std::string odd_key = "dir a/b+c$&'é=~.txt";
  const auto put = s3.Put(odd_key, "0123456789");
  Check("put", put && put->written, ErrorOf(put));
  const auto got = s3.Get(odd_key);
  Check("get", got && *got == "0123456789", ErrorOf(got));
  const auto range = s3.Get(odd_key, ByteRange{2, 3});
  Check("range", range && *range == "234", ErrorOf(range));
  const auto head = s3.Head(odd_key);
  Check("head", head && *head && (*head)->size == 10, ErrorOf(head));
  const auto absent = s3.Head("absent");
  Check("head of nothing", absent && !*absent, ErrorOf(absent));
  const auto nothing = s3.Get("absent");
  Check("get of nothing", !nothing && nothing.error().kind == lode::ErrorKind::kNotFound, ErrorOf(nothing));
  const auto list = s3.List("dir a/");
  Check("list", list && list->size() == 1 && list->front().key == odd_key && list->front().size == 10, ErrorOf(list));
  const auto level = s3.ListLevel("", "/");
  Check("list a level", level && level->common_prefixes == std::vector<std::string>{"dir a/"}, ErrorOf(level));
  Check("delete", s3.Delete(odd_key).has_value());
  const auto gone = s3.List("dir a/");
  Check("list nothing", gone && gone->empty(), ErrorOf(gone));
}

void Conditions(S3& s3) {
  const auto first = s3.Put("c", "one", {.if_absent = true});
  Check("create", first && first->written, ErrorOf(first));
  const auto second = s3.Put("c", "two", {.if_absent = true});
  Check("create twice", second && !second->written, ErrorOf(second));
  if (!first) return;
  const auto replace = s3.Put("c", "three", {.if_match = first->etag});
  Check("replace the known version", replace && replace->written, ErrorOf(replace));
  const auto stale = s3.Put("c", "four", {.if_match = first->etag});
  Check("replace an old version", stale && !stale->written, ErrorOf(stale));
  const auto never = s3.Put("never", "five", {.if_match = first->etag});
  Check("replace nothing", never && !never->written, ErrorOf(never));
  const auto now = s3.Get("c");
  Check("what is there", now && *now == "three", ErrorOf(now));
}

void Files(Client& client, S3& s3, const fs::path& folder) {
  const fs::path file = folder / "up.bin";
  std::string data;
  for (uint32_t i = 0; data.size() < (13 << 20) + 17; ++i) data += lode::Sha256Hex(fmt::format("{}", i));
  std::ofstream(file, std::ios::binary) << data;
  const auto up = s3.PutFile("large", file, {.if_absent = true});
  Check("upload in parts", up && up->written, ErrorOf(up));
  const auto twice = s3.PutFile("large", file, {.if_absent = true});
  Check("upload in parts twice", twice && !twice->written, ErrorOf(twice));
  const auto body = FileBody::Open({.path = folder / "down.bin", .expected_sha256 = lode::Sha256Hex(data)}).value();
  const Outcome down = client.Fetch(s3.GetRequest("large"), body);
  Check("download", down.status.has_value(), down.status ? "" : down.status.error().ToString());
  if (!down.status) return;
  fs::resize_file(folder / "down.bin", 7 << 20);
  const auto rest =
      FileBody::Open({.path = folder / "down.bin", .resume = true, .expected_sha256 = lode::Sha256Hex(data)}).value();
  const Outcome resumed = client.Fetch(s3.GetRequest("large"), rest);
  Check("resume", resumed.status && resumed.response.head.status == 206,
        resumed.status ? "" : resumed.status.error().ToString());
}

void ManyPages(S3& s3) {
  bool fine = true;
  for (int i = 0; i < 1'050; ++i) fine = fine && s3.Put(fmt::format("many/{:04}", i), "x").has_value();
  Check("put 1,050", fine);
  const auto list = s3.List("many/");
  Check("list 1,050", list && list->size() == 1'050 && std::ranges::is_sorted(*list, {}, &S3Object::key),
        list ? fmt::format("{}", list->size()) : ErrorOf(list));
}

void Signatures(Client& client, Server server) {
  server.secret += "x";
  S3 s3 = Connect(client, server).value();
  const auto refused = s3.Get("c");
  Check("a wrong secret", !refused && refused.error().kind == lode::ErrorKind::kRefused, ErrorOf(refused));
  Check("a wrong secret stays unsaid", ErrorOf(refused).find(server.secret) == std::string::npos);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) return 2;
  const Server server{arguments[1], arguments[2], arguments[3], arguments[4]};
  const fs::path folder = fs::temp_directory_path() / fmt::format("lode_s3_probe_{}", ::getpid());
  fs::create_directories(folder);
  {
    const auto client = Client::Make({}).value();
    S3 s3 = Connect(*client, server).value();
    Objects(s3);
    Conditions(s3);
    Files(*client, s3, folder);
    ManyPages(s3);
    if (count < 6) Signatures(*client, server);
  }
  fs::remove_all(folder);
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
