// A response body that stays in memory while it is small and goes into a file otherwise. Who asked for it writes the
// small ones down, and need not do so on the loop's thread: to make a file takes as long as to receive 20 kB. A broken
// response is continued either way; what an earlier run left in the file is, too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "lode/net/file_body.h"

namespace lode::net {

struct SpooledBodyOptions {
  std::filesystem::path path;  // as FileBodyOptions
  bool resume = false;
  std::optional<uint64_t> expected_size;
};

class SpooledBody final : public Body {
 public:
  // Larger ones go into the file: as many as may be in flight at once are held.
  static constexpr uint64_t kMostHeldBytes = 256 << 10;

  // kStorage. Without resume the disk is not touched before a response begins.
  static Result<std::shared_ptr<SpooledBody>> Open(SpooledBodyOptions options);

  // Of all that came, once End succeeded.
  uint64_t size() const { return held(); }
  uint32_t crc32c() const;
  // What is held, if it is in memory. The body is over then.
  std::optional<std::string> Take();
  // Writes what is in memory into the file, not durably: another run may continue it. kStorage.
  Status Leave();

  uint64_t held() const override { return is_in_file_ ? file_->held() : bytes_.size(); }
  Status Begin(const ResponseHead& head, uint64_t offset) override;
  Status Write(std::span<const std::byte> bytes) override;
  // kCorrupt, here and above, when there is more or less than expected; nothing is held then, and the next try begins
  // anew. Not fsynced.
  Status End() override;

 private:
  SpooledBody(std::shared_ptr<FileBody> file, std::optional<uint64_t> expected_size)
      : file_(std::move(file)), expected_size_(expected_size) {}
  Status Refuse(std::string_view count);
  Status MoveIntoFile();

  std::shared_ptr<FileBody> file_;
  std::optional<uint64_t> expected_size_;
  bool is_in_file_ = false;
  std::string bytes_;  // while it is not
};

}  // namespace lode::net
