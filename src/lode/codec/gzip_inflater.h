// Gzip, any number of members, in whatever pieces its bytes arrive: the core of OpenGzip, and of bodies that are proven
// whole while they come over the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "lode/base/result.h"
#include "lode/codec/byte_source.h"

namespace lode::codec {

class GzipInflater {
 public:
  explicit GzipInflater(GzipLimits limits = {});
  ~GzipInflater();
  GzipInflater(GzipInflater&&) noexcept;
  GzipInflater& operator=(GzipInflater&&) noexcept;

  // The next compressed bytes, which live until they are used up. Those before must be.
  void Give(std::span<const std::byte> compressed);
  // Fills up to out.size() bytes of text; 0 once what was given is used up. kBadInput for damage, other bytes behind a
  // member, or a bomb.
  Result<size_t> Inflate(std::span<std::byte> out);
  // The member, counted from 0, that the last text is of: no text is of two.
  uint64_t text_member() const;
  // All of `compressed`, its text to `take` in pieces.
  Status Feed(std::span<const std::byte> compressed, const std::function<Status(std::string_view)>& take);
  // Nothing more comes: kBadInput inside a member or when there was none.
  Status End() const;
  // Forgets everything.
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
  GzipLimits limits_;
};

}  // namespace lode::codec
