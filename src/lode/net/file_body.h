// A response body that goes into a file and can be continued after a broken connection or in another run. One blocking
// write a piece, on the loop's thread, with a CRC-32C of the whole: to tell later whether the disk has it as it came.
// Open reads what is already there for it. Where a SHA-256 is expected, End reads the whole file once more. The file is
// open only while a response is written, so that thousands may wait in the queue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "lode/base/descriptor.h"
#include "lode/net/http.h"

namespace lode::net {

struct FileBodyOptions {
  std::filesystem::path path;  // created when absent; its folder must be there
  bool resume = false;         // continue what `path` holds; false: begin with nothing
  std::optional<uint64_t> expected_size;
  std::string expected_sha256;  // lower-case hex; empty: not checked
  bool sync = true;             // fsync in End
};

class FileBody final : public Body {
 public:
  // kStorage. Without resume nothing is touched before a response begins. A file that cannot be a beginning of what is
  // expected (too long, or as long with another hash) counts as nothing.
  static Result<std::shared_ptr<FileBody>> Open(FileBodyOptions options);

  // The file already is what is expected, by size and hash: no request is needed.
  bool whole() const { return whole_; }
  // Of the whole file, once End succeeded or whole().
  uint64_t size() const { return size_; }
  uint32_t crc32c() const { return crc32c_; }

  uint64_t held() const override { return size_; }
  Status Begin(const ResponseHead& head, uint64_t offset) override;
  Status Write(std::span<const std::byte> bytes) override;
  // kCorrupt when size or hash differ from what is expected; the file is empty then, and the next try begins anew.
  Status End() override;

 private:
  explicit FileBody(FileBodyOptions options) : options_(std::move(options)) {}
  Status TakePresent();
  // Opens the file and checks that it is one; the flags come on top.
  Status OpenFile(int flags);
  Status StartAnew();
  Result<std::string> HashAll() const;
  std::unexpected<Error> OsError(const char* verb) const;

  FileBodyOptions options_;
  Descriptor file_;      // open from Begin to End
  uint64_t size_ = 0;    // of what counts of the file; while it is open, its size and position too
  uint32_t crc32c_ = 0;  // of the first size_ bytes
  bool whole_ = false;
};

}  // namespace lode::net
