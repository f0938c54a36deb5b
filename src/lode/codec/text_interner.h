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

  static uint64_t Hash(std::string_view text) {
    uint64_t hash = text.size();
    for (size_t at = 0; at < text.size(); at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, text.data() + at, text.size() - at < 8 ? text.size() - at : 8);
      hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    }
    return hash;
  }

  TextFault Add(std::string_view text, Cached& cached);

  StringPool& strings_;
  std::array<Cached, 256> cache_;
  std::optional<Error> failure_;
};

}  // namespace lode::codec
