// A new file that knows its SHA-256 when it is closed: written once, never read back.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/hashing.h"
#include "lode/base/result.h"

namespace lode::codec {

// Arrow output stream over a POSIX descriptor. Not thread-safe. A file that was not finished is removed.
class HashingFile final : public arrow::io::OutputStream {
 public:
  // Only Create can name it, while make_shared needs a public constructor.
  class Key {
    friend class HashingFile;
    Key() = default;
  };
  HashingFile(Key, std::filesystem::path path, int fd);
  // Creates or truncates `path`, never through a symbolic link. kStorage when it cannot.
  static Result<std::shared_ptr<HashingFile>> Create(const std::filesystem::path& path);
  ~HashingFile() override;

  arrow::Status Write(const void* bytes, int64_t count) override;
  using arrow::io::Writable::Write;
  arrow::Status Flush() override;
  arrow::Status Close() override;
  bool closed() const override { return fd_ < 0; }
  arrow::Result<int64_t> Tell() const override { return position_; }

  // Flushes, fsyncs, closes and returns the digest.
  Result<std::string> Finish();
  // What the operating system said, if a write failed: Arrow's layers above keep only its text.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Status WriteAll(const uint8_t* bytes, size_t count);
  Status FlushBuffer();
  std::unexpected<Error> SystemError(std::string_view step);

  std::filesystem::path path_;
  int fd_;
  bool finished_ = false;
  int64_t position_ = 0;
  Sha256 hash_;
  std::vector<uint8_t> buffer_;
  size_t buffered_ = 0;
  std::optional<Error> failure_;
};

}  // namespace lode::codec
