// Memory that is written before it is read. std::vector clears what it makes room for, which takes longer than reading
// a small file into it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace lode {

template <typename T>
class RawBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  RawBuffer() = default;
  explicit RawBuffer(size_t size) : data_(std::make_unique_for_overwrite<T[]>(size)), size_(size) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  const T& operator[](size_t index) const { return data_[index]; }

  // Another size; the first `kept` elements stay.
  void Resize(size_t size, size_t kept) {
    RawBuffer resized(size);
    std::copy_n(data(), kept, resized.data());
    *this = std::move(resized);
  }

 private:
  std::unique_ptr<T[]> data_;
  size_t size_ = 0;
};

}  // namespace lode
