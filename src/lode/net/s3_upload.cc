// Files into a bucket: in one request, or in equal parts.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lode/base/descriptor.h"
#include "lode/base/hashing.h"
#include "lode/net/s3.h"
#include "lode/net/s3_xml.h"

namespace lode::net {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostParts = 10'000;
constexpr uint64_t kMiB = 1 << 20;
constexpr size_t kBlockBytes = 1 << 20;

std::unexpected<Error> CannotRead(const fs::path& file, std::string_view why) {
  return Fail(ErrorKind::kStorage, "cannot read {}: {}", file.string(), why);
}

Result<Descriptor> OpenForReading(const fs::path& file) {
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) return CannotRead(file, std::strerror(errno));
  return descriptor;
}

Result<uint64_t> SizeOf(const fs::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return CannotRead(file, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return CannotRead(file, "it is not a regular file");
  return static_cast<uint64_t>(info.st_size);
}

// Exactly `size` bytes from `offset`.
Result<std::string> ReadPart(int fd, const fs::path& file, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  for (size_t filled = 0; filled < size;) {
    const ssize_t count = ::pread(fd, bytes.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(file, std::strerror(errno));
    if (count == 0) return CannotRead(file, "it became shorter meanwhile");
    filled += static_cast<size_t>(count);
  }
  return bytes;
}

Result<std::string> HashOf(const fs::path& file, uint64_t size) {
  LODE_TRY(const Descriptor descriptor, OpenForReading(file));
  Sha256 hash;
  for (uint64_t offset = 0; offset < size; offset += kBlockBytes) {
    LODE_TRY(const std::string block,
             ReadPart(descriptor.get(), file, offset, std::min<uint64_t>(kBlockBytes, size - offset)));
    hash.Update(block);
  }
  return hash.HexDigest();
}

}  // namespace

Result<S3Written> S3::PutFile(const std::string& key, const fs::path& file, const S3Condition& condition) {
  LODE_TRY(const uint64_t size, SizeOf(file));
  if (size > options_.single_put_bytes) return PutParts(key, file, size, condition);
  LODE_TRY(const Descriptor descriptor, OpenForReading(file));
  LODE_TRY(std::string bytes, ReadPart(descriptor.get(), file, 0, size));
  return Put(key, std::move(bytes), condition);
}

Result<S3Written> S3::PutParts(const std::string& key, const fs::path& file, uint64_t size,
                               const S3Condition& condition) {
  const uint64_t needed = (size + kMostParts - 1) / kMostParts;
  const uint64_t part_bytes = needed <= options_.part_bytes ? options_.part_bytes : (needed + kMiB - 1) / kMiB * kMiB;
  Upload upload{.key = key, .id = "", .sha256 = "", .etags = {}};
  LODE_TRY(upload.sha256, HashOf(file, size));
  const auto body = std::make_shared<TextBody>();
  Outcome started =
      client_->Fetch(Make("POST", key, {{"uploads", ""}}, "",
                          {{"Content-Type", "application/octet-stream"}, {"x-amz-meta-lode-sha256", upload.sha256}}),
                     body);
  if (!started.status) return std::unexpected(std::move(started.status).error());
  LODE_TRY(upload.id, ParseUploadId(body->text()));
  Status sent = PutAllParts(file, size, part_bytes, &upload);
  Result<S3Written> written = sent ? Complete(upload, condition) : std::unexpected(std::move(sent).error());
  if (written && written->written) return written;
  // Parts of an unfinished upload are stored and paid for until somebody takes them back.
  client_->Fetch(Make("DELETE", key, {{"uploadId", upload.id}}, "", {}), nullptr);
  return written;
}

Status S3::PutAllParts(const fs::path& file, uint64_t size, uint64_t part_bytes, Upload* upload) {
  LODE_TRY(const Descriptor descriptor, OpenForReading(file));
  for (uint64_t offset = 0; offset < size;) {
    std::vector<std::pair<Request, std::shared_ptr<Body>>> parts;
    for (; offset < size && parts.size() < options_.parallel_parts; offset += part_bytes) {
      LODE_TRY(std::string bytes,
               ReadPart(descriptor.get(), file, offset, std::min<uint64_t>(part_bytes, size - offset)));
      const std::string number = fmt::format("{}", upload->etags.size() + parts.size() + 1);
      parts.emplace_back(
          Make("PUT", upload->key, {{"partNumber", number}, {"uploadId", upload->id}}, std::move(bytes), {}), nullptr);
    }
    for (Outcome& outcome : client_->FetchAll(std::move(parts))) {
      if (!outcome.status) return std::move(outcome.status);
      upload->etags.emplace_back(outcome.response.head.Find("ETag"));
      if (upload->etags.back().empty()) return Fail(ErrorKind::kBadInput, "S3 answer: a part without an ETag");
    }
  }
  return Ok();
}

}  // namespace lode::net
