// Interned strings of one import unit: text columns travel as int32 ids, sorting and merging never touch bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lode/base/result.h"

namespace lode::codec {

// Ids are dense, from 0, in order of first appearance. Bounded: kBadInput past `limit_bytes` (the memory promise).
// Not thread-safe. Views from Get live as long as the pool.
class StringPool {
 public:
  static constexpr int32_t kNull = -1;

  explicit StringPool(size_t limit_bytes = size_t{64} << 20) : limit_bytes_(limit_bytes) {}

  // Finds or adds `text`.
  Result<int32_t> Intern(std::string_view text);
  std::string_view Get(int32_t id) const { return strings_[static_cast<size_t>(id)]; }
  size_t size() const { return strings_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  size_t limit_bytes_;
  size_t bytes_ = 0;
  std::deque<std::string> strings_;
  std::unordered_map<std::string_view, int32_t> ids_;
};

}  // namespace lode::codec
