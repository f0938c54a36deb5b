// A small response body of a known size, kept in memory: who asked for it writes it down, and need not do so on the
// loop's thread. A broken response is continued, as a file's would be.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "lode/net/http.h"

namespace lode::net {

class HeldBody final : public Body {
 public:
  explicit HeldBody(uint64_t expected_size) : expected_size_(expected_size) {}

  // Everything once End succeeded, else what is held.
  std::string Take() { return std::move(bytes_); }

  uint64_t held() const override { return bytes_.size(); }
  Status Begin(const ResponseHead& head, uint64_t offset) override;
  Status Write(std::span<const std::byte> bytes) override;
  // kCorrupt, here and above, when there is more or less than expected; nothing is held then, and the next try begins
  // anew.
  Status End() override;

 private:
  Status Refuse(std::string_view count);

  uint64_t expected_size_;
  std::string bytes_;
};

}  // namespace lode::net
