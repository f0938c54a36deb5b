// Pool ids of text fields. Neighbouring rows repeat few texts: a small table of the last ones spares the check of the
// text and the pool's hash table.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "lode/base/result.h"
#include "lode/codec/string_pool.h"
#include "lode/codec/text_values.h"

namespace lode::codec {

// Not thread-safe. `strings` outlives it.
class TextInterner {
 public:
  explicit TextInterner(StringPool& strings) : strings_(strings) {}

  // nullptr and the id, or why a lake may not hold the text (CheckText). When the pool refuses, failure() is set.
  TextFault Intern(std::string_view text, int32_t& id) {
    Cached& cached = cache_[Hash(text) >> 56];
    if (cached.id == StringPool::kNull || cached.text != text) {
      if (const TextFault fault = Add(text, cached)) return fault;
    }
    id = cached.id;
    return nullptr;
  }

  // Why the pool did not take a text.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Cached {
    std::string_view text;  // in the pool
    int32_t id = StringPool::kNull;
  };

  template <typename Word>
  static Word Load(const char* bytes) {
    Word word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }

  static uint64_t Hash(std::string_view text) {
    const auto mix = [](uint64_t hash, uint64_t word) { return (hash ^ word) * 0x9E3779B97F4A7C15U; };
    const char* const bytes = text.data();
    const size_t size = text.size();
    uint64_t hash = size;
    // Words that overlap: a copy of as many bytes as are left would be a call.
    if (size >= 8) {
      for (size_t at = 0; at < size - 8; at += 8) hash = mix(hash, Load<uint64_t>(bytes + at));
      return mix(hash, Load<uint64_t>(bytes + size - 8));
    }
    if (size >= 4) return mix(hash, uint64_t{Load<uint32_t>(bytes)} << 32 | Load<uint32_t>(bytes + size - 4));
    for (const char c : text) hash = hash << 8 | static_cast<unsigned char>(c);
    return mix(hash, 0);
  }

  TextFault Add(std::string_view text, Cached& cached);

  StringPool& strings_;
  std::array<Cached, 256> cache_;
  int32_t newest_ = StringPool::kNull;  // of those that were not in it
  std::optional<Error> failure_;
};

}  // namespace lode::codec
