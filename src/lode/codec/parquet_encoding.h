// Value encodings of Parquet data pages, straight from spans of values to bytes.
//
// Format: https://parquet.apache.org/docs/file-format/data-pages/encodings/ (PLAIN, RLE/bit-packed hybrid,
// DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT). Own code because Arrow's column writers cost about twice
// as much and cannot choose bit widths, which is what makes prices compress well.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lode::codec {

// Growing bytes without zero-filling. Pointers from Grow live until the next Grow.
class PageBuffer {
 public:
  // Room for `count` more bytes, uninitialised.
  uint8_t* Grow(size_t count);
  // Gives back the tail of what Grow handed out.
  void Truncate(size_t size) { size_ = size; }
  void Clear() { size_ = 0; }
  void Append(const void* bytes, size_t count) { std::memcpy(Grow(count), bytes, count); }
  void AppendByte(uint8_t byte) { *Grow(1) = byte; }
  void AppendVarint(uint64_t value);
  uint8_t* data() { return bytes_.get(); }
  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// RLE/bit-packed hybrid without a length prefix. Values must be below 2^bit_width; 1 <= bit_width <= 32.
void AppendHybrid(std::span<const uint32_t> values, int bit_width, PageBuffer& out);
// One run of `count` equal values.
void AppendHybridRun(uint32_t value, size_t count, int bit_width, PageBuffer& out);

// How wide a miniblock of DELTA_BINARY_PACKED is: as many bits as it needs, or whole bytes. Prices differ by multiples
// of a tick, 250'000'000 units: 28 bits that only zstd can shorten, and it sees them only when they start on bytes
// (NQ bars: 13 bits a price instead of 15 tight, 20 as a dictionary).
enum class DeltaWidth { kTight, kBytes };

// DELTA_BINARY_PACKED with blocks of 128 and miniblocks of 32. int32_t or int64_t; differences wrap.
template <typename T>
void AppendDelta(std::span<const T> values, DeltaWidth width, PageBuffer& out);
extern template void AppendDelta<int32_t>(std::span<const int32_t>, DeltaWidth, PageBuffer&);
extern template void AppendDelta<int64_t>(std::span<const int64_t>, DeltaWidth, PageBuffer&);

// PLAIN: little-endian values as they lie in memory.
template <typename T>
void AppendPlain(std::span<const T> values, PageBuffer& out) {
  if (!values.empty()) out.Append(values.data(), values.size_bytes());
}
// PLAIN booleans: one bit a value, lowest first. `values` hold 0 or 1.
void AppendPlainBits(std::span<const uint8_t> values, PageBuffer& out);
// PLAIN byte array: 4-byte length, bytes.
void AppendPlainText(std::string_view value, PageBuffer& out);

// DELTA_BYTE_ARRAY, built text by text: how many bytes of the one before begin it, and the rest. Ids that count up cost
// little more than a byte.
class TextDeltas {
 public:
  void Clear();
  // `text` stays where it is until the next Add. Whether it is greater than the one before (of the first: than an empty
  // one).
  bool Add(std::string_view text);
  // Bytes the texts so far will need, about.
  size_t bytes() const { return suffix_bytes_ + 2 * lengths_.size(); }
  void AppendTo(PageBuffer& out) const;

 private:
  // The last `size` bytes of `text`.
  void AppendSuffix(std::string_view text, size_t size);

  std::vector<int32_t> prefixes_, lengths_;  // of the suffixes
  std::vector<char> suffixes_;               // one behind the other, then room
  size_t suffix_bytes_ = 0;
  std::string_view last_;
};

// BYTE_STREAM_SPLIT of 8-byte values.
void AppendByteStreamSplit(std::span<const int64_t> values, PageBuffer& out);

// Distinct values in order of first appearance. Bounded: gives up past `limit` distinct values, or when values chosen
// to collide make probing expensive.
template <typename T>
class ValueDictionary {
 public:
  void Reset(size_t limit);
  // Writes each value's index to `indices`; false when the dictionary gave up, whose state then means nothing.
  bool Append(std::span<const T> values, uint32_t* indices);
  // The values ascending from here on, and `indices`, of all that were appended, into them. The next call is Reset.
  void Sort(std::span<uint32_t> indices);
  std::span<const T> values() const { return values_; }

 private:
  void Rehash(size_t slots);
  size_t limit_ = 0;
  size_t probes_ = 0;  // steps past the first slot
  size_t appended_ = 0;
  std::vector<uint32_t> slots_;  // index + 1, 0: free; a power of two
  int shift_ = 64;
  std::vector<T> values_;
};
extern template class ValueDictionary<int32_t>;
extern template class ValueDictionary<int64_t>;

// Bits that hold indices below `count`, at least 1; up to two bytes rounded up to 1, 2, 4, 8 or 16, so that zstd sees
// neighbouring indices on bytes.
int IndexBitWidth(size_t count);

}  // namespace lode::codec
