#include "lode/net/held_body.h"

namespace lode::net {

Status HeldBody::Refuse(std::string_view count) {
  bytes_.clear();
  return Fail(ErrorKind::kCorrupt, "{} bytes instead of {}", count, expected_size_);
}

Status HeldBody::Begin(const ResponseHead& head, uint64_t offset) {
  if (offset != 0 && offset != bytes_.size()) {
    return Fail(ErrorKind::kInternal, "a response at {} for {} bytes held", offset, bytes_.size());
  }
  if (head.content_length && offset + *head.content_length > expected_size_) {
    return Refuse(std::to_string(offset + *head.content_length));
  }
  bytes_.resize(offset);
  bytes_.reserve(expected_size_);
  return Ok();
}

Status HeldBody::Write(std::span<const std::byte> bytes) {
  if (bytes.size() > expected_size_ - bytes_.size()) return Refuse("more");
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Ok();
}

Status HeldBody::End() { return bytes_.size() == expected_size_ ? Ok() : Refuse(std::to_string(bytes_.size())); }

}  // namespace lode::net
