// SHA-256, as written in receipts and checked by verify: lower-case hex, 64 characters. CRC-32C, for bytes that only
// accidents change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode {

// Streaming SHA-256. Not thread-safe; one object hashes one message.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::span<const std::byte> bytes);
  void Update(std::string_view bytes);
  // Ends the message. The object must not be used afterwards.
  std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view bytes);

// CRC-32C (Castagnoli) of what `before` is that of, and `bytes` after it; ten times as fast as SHA-256.
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t before = 0);
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

// Lower-case.
std::string Hex(std::span<const unsigned char> bytes);

}  // namespace lode
