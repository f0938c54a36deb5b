// Many short runs of items in few allocations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace lode::plan {

// Grows without moving what is there, and each run that was added is in one piece.
template <typename T>
class Pieces {
 public:
  // Where it begins, for Get.
  uint32_t Add(std::span<const T> items) {
    const bool fits = !blocks_.empty() && blocks_.back().size() + items.size() <= kBlock;
    if (!fits) {
      // The first block grows as it needs: most lakes never fill it.
      std::vector<T>& block = blocks_.emplace_back();
      if (blocks_.size() > 1) block.reserve(std::max<size_t>(kBlock, items.size()));
    }
    std::vector<T>& block = blocks_.back();
    const auto begin = static_cast<uint32_t>((blocks_.size() - 1) * kBlock + block.size());
    block.insert(block.end(), items.begin(), items.end());
    return begin;
  }
  // Valid until the next Add.
  std::span<const T> Get(uint32_t begin, size_t count) const {
    return {blocks_[begin / kBlock].data() + begin % kBlock, count};
  }

 private:
  static constexpr uint32_t kBlock = 1U << 16;
  std::vector<std::vector<T>> blocks_;
};

}  // namespace lode::plan
