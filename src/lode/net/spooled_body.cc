#include "lode/net/spooled_body.h"

#include <algorithm>
#include <utility>

#include "lode/base/hashing.h"

namespace lode::net {

Result<std::shared_ptr<SpooledBody>> SpooledBody::Open(SpooledBodyOptions options) {
  LODE_TRY(auto file, FileBody::Open({.path = std::move(options.path),
                                      .resume = options.resume,
                                      .expected_size = options.expected_size,
                                      .sync = false}));
  std::shared_ptr<SpooledBody> body(new SpooledBody(std::move(file), options.expected_size));
  body->is_in_file_ = body->file_->held() > 0;
  return body;
}

uint32_t SpooledBody::crc32c() const { return is_in_file_ ? file_->crc32c() : Crc32c(bytes_); }

std::optional<std::string> SpooledBody::Take() {
  if (is_in_file_) return std::nullopt;
  return std::move(bytes_);
}

Status SpooledBody::Leave() { return is_in_file_ || bytes_.empty() ? Ok() : MoveIntoFile(); }

Status SpooledBody::MoveIntoFile() {
  is_in_file_ = true;
  const std::string bytes = std::exchange(bytes_, {});
  LODE_TRY(file_->Begin({}, 0));
  return file_->Write(std::as_bytes(std::span(bytes)));
}

Status SpooledBody::Refuse(std::string_view count) {
  bytes_.clear();
  return Fail(ErrorKind::kCorrupt, "{} bytes instead of {}", count, *expected_size_);
}

Status SpooledBody::Begin(const ResponseHead& head, uint64_t offset) {
  if (is_in_file_) return file_->Begin(head, offset);
  if (offset != 0 && offset != bytes_.size()) {
    return Fail(ErrorKind::kInternal, "a response at {} for {} bytes held", offset, bytes_.size());
  }
  bytes_.resize(offset);
  if (!head.content_length) return Ok();
  const uint64_t size = offset + *head.content_length;
  if (expected_size_ && size > *expected_size_) return Refuse(std::to_string(size));
  bytes_.reserve(std::min(size, kMostHeldBytes));
  return Ok();
}

Status SpooledBody::Write(std::span<const std::byte> bytes) {
  if (!is_in_file_ && expected_size_ && bytes_.size() + bytes.size() > *expected_size_) return Refuse("more");
  if (!is_in_file_ && bytes_.size() + bytes.size() > kMostHeldBytes) LODE_TRY(MoveIntoFile());
  if (is_in_file_) return file_->Write(bytes);
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Ok();
}

Status SpooledBody::End() {
  if (is_in_file_) return file_->End();
  return expected_size_ && bytes_.size() != *expected_size_ ? Refuse(std::to_string(bytes_.size())) : Ok();
}

}  // namespace lode::net
