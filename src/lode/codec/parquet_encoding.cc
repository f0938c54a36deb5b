#include "lode/codec/parquet_encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

namespace lode::codec {
namespace {

static_assert(std::endian::native == std::endian::little, "Parquet values are little-endian");

constexpr size_t kBlock = 128;
constexpr size_t kMiniblocks = 4;
constexpr size_t kMiniblock = kBlock / kMiniblocks;
// Values of a literal of the hybrid come in groups.
constexpr size_t kGroup = 8;
// Shorter runs stay inside a literal: ending it costs two headers.
constexpr size_t kShortestRun = 16;

// Packs `count` values (a multiple of 8) of `width` bits, lowest first, into count * width / 8 bytes.
template <typename U>
void PackBits(const U* values, size_t count, int width, uint8_t* out) {
  uint64_t pending = 0;
  int filled = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t value = values[i];
    pending |= value << filled;
    filled += width;
    if (filled < 64) continue;
    std::memcpy(out, &pending, 8);
    out += 8;
    filled -= 64;
    pending = filled == 0 ? 0 : value >> (width - filled);
  }
  std::memcpy(out, &pending, static_cast<size_t>(filled + 7) / 8);
}

// Whether the values of a group are all the same.
bool AreEqual(const uint32_t* group) {
  uint32_t different = 0;
  for (size_t i = 1; i < kGroup; ++i) different |= group[i] ^ group[0];
  return different == 0;
}

// Literal of the hybrid: groups of 8, the last one padded with zeros.
void AppendLiteral(std::span<const uint32_t> values, int bit_width, PageBuffer& out) {
  if (values.empty()) return;
  const size_t groups = (values.size() + 7) / 8;
  out.AppendVarint(groups << 1 | 1);
  const size_t bytes = groups * static_cast<size_t>(bit_width);
  uint8_t* packed = out.Grow(bytes);
  if (bit_width == 8) {
    for (size_t i = 0; i < values.size(); ++i) packed[i] = static_cast<uint8_t>(values[i]);
    std::fill(packed + values.size(), packed + bytes, uint8_t{0});
  } else if (bit_width == 16) {
    for (size_t i = 0; i < values.size(); ++i) {
      packed[2 * i] = static_cast<uint8_t>(values[i]);
      packed[2 * i + 1] = static_cast<uint8_t>(values[i] >> 8);
    }
    std::fill(packed + 2 * values.size(), packed + bytes, uint8_t{0});
  } else {
    const size_t whole = values.size() / 8 * 8;
    const size_t width = static_cast<size_t>(bit_width);
    // 64 values at a time end on whole 64-bit words whatever the width.
    for (size_t i = 0; i < whole; i += 64) {
      PackBits(values.data() + i, std::min<size_t>(64, whole - i), bit_width, packed + i / 8 * width);
    }
    if (whole < values.size()) {
      std::array<uint32_t, 8> last{};
      std::copy(values.begin() + static_cast<ptrdiff_t>(whole), values.end(), last.begin());
      PackBits(last.data(), 8, bit_width, packed + whole / 8 * width);
    }
  }
}

// The same for widths of whole bytes. `out` needs 8 bytes to spare.
template <typename U>
void PackBytes(const U* values, size_t count, size_t width_bytes, uint8_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const uint64_t value = values[i];
    std::memcpy(out, &value, 8);
    out += width_bytes;
  }
}

template <typename U>
uint64_t ZigZag(U value) {
  using S = std::make_signed_t<U>;
  return static_cast<U>((value << 1) ^ static_cast<U>(static_cast<S>(value) >> (8 * sizeof(U) - 1)));
}

}  // namespace

uint8_t* PageBuffer::Grow(size_t count) {
  if (size_ + count > capacity_) {
    const size_t capacity = std::max<size_t>({2 * capacity_, size_ + count, 4096});
    auto grown = std::make_unique_for_overwrite<uint8_t[]>(capacity);
    if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }
  uint8_t* start = bytes_.get() + size_;
  size_ += count;
  return start;
}

void PageBuffer::AppendVarint(uint64_t value) {
  while (value >= 0x80) {
    AppendByte(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  AppendByte(static_cast<uint8_t>(value));
}

void AppendHybridRun(uint32_t value, size_t count, int bit_width, PageBuffer& out) {
  if (count == 0) return;
  out.AppendVarint(uint64_t{count} << 1);
  out.Append(&value, static_cast<size_t>(bit_width + 7) / 8);
}

void AppendHybrid(std::span<const uint32_t> values, int bit_width, PageBuffer& out) {
  // A run worth writing fills one of the groups, wherever it begins.
  static_assert(kShortestRun >= 2 * kGroup - 1);
  size_t literal = 0;  // start of values not written yet
  for (size_t group = 0; group + kGroup <= values.size();) {
    if (!AreEqual(values.data() + group)) {
      group += kGroup;
      continue;
    }
    const uint32_t value = values[group];
    size_t begin = group, end = group + kGroup;
    while (begin > literal && values[begin - 1] == value) --begin;
    while (end < values.size() && values[end] == value) ++end;
    const size_t padding = (kGroup - (begin - literal) % kGroup) % kGroup;  // a literal before a run holds whole groups
    if (end - begin >= kShortestRun + padding) {
      AppendLiteral(values.subspan(literal, begin + padding - literal), bit_width, out);
      AppendHybridRun(value, end - begin - padding, bit_width, out);
      literal = end;
    }
    group = (end + kGroup - 1) / kGroup * kGroup;
  }
  AppendLiteral(values.subspan(literal), bit_width, out);
}

template <typename T>
void AppendDelta(std::span<const T> values, DeltaWidth rounding, PageBuffer& out) {
  using U = std::make_unsigned_t<T>;
  out.AppendVarint(kBlock);
  out.AppendVarint(kMiniblocks);
  out.AppendVarint(values.size());
  out.AppendVarint(values.empty() ? 0 : ZigZag(static_cast<U>(values[0])));
  std::array<U, kBlock> deltas;
  for (size_t start = 1; start < values.size(); start += kBlock) {
    const size_t count = std::min(kBlock, values.size() - start);
    T least = 0;
    for (size_t i = 0; i < count; ++i) {
      deltas[i] = static_cast<U>(static_cast<U>(values[start + i]) - static_cast<U>(values[start + i - 1]));
      least = i == 0 ? static_cast<T>(deltas[0]) : std::min(least, static_cast<T>(deltas[i]));
    }
    out.AppendVarint(ZigZag(static_cast<U>(least)));
    const size_t widths = out.size();
    std::memset(out.Grow(kMiniblocks), 0, kMiniblocks);
    for (size_t mini = 0; mini * kMiniblock < count; ++mini) {
      U* block = deltas.data() + mini * kMiniblock;
      const size_t filled = std::min(kMiniblock, count - mini * kMiniblock);
      U all = 0;
      for (size_t i = 0; i < filled; ++i) all |= block[i] = static_cast<U>(block[i] - static_cast<U>(least));
      std::fill(block + filled, block + kMiniblock, U{0});
      auto width = static_cast<int>(std::bit_width(all));
      if (rounding == DeltaWidth::kBytes) width = (width + 7) / 8 * 8;
      out.data()[widths + mini] = static_cast<uint8_t>(width);
      if (width == 0) continue;
      const size_t bytes = kMiniblock / 8 * static_cast<size_t>(width);
      if (rounding == DeltaWidth::kBytes) {
        PackBytes(block, kMiniblock, static_cast<size_t>(width) / 8, out.Grow(bytes + 8));
        out.Truncate(out.size() - 8);
      } else {
        PackBits(block, kMiniblock, width, out.Grow(bytes));
      }
    }
  }
}
template void AppendDelta<int32_t>(std::span<const int32_t>, DeltaWidth, PageBuffer&);
template void AppendDelta<int64_t>(std::span<const int64_t>, DeltaWidth, PageBuffer&);

void AppendPlainBits(std::span<const uint8_t> values, PageBuffer& out) {
  uint8_t* packed = out.Grow((values.size() + 7) / 8);
  for (size_t i = 0; i < values.size(); i += 8) {
    unsigned byte = 0;
    const size_t count = std::min<size_t>(8, values.size() - i);
    for (size_t bit = 0; bit < count; ++bit) byte |= static_cast<unsigned>(values[i + bit]) << bit;
    packed[i / 8] = static_cast<uint8_t>(byte);
  }
}

void AppendPlainText(std::string_view value, PageBuffer& out) {
  const auto length = static_cast<uint32_t>(value.size());
  uint8_t* bytes = out.Grow(sizeof(length) + value.size());
  std::memcpy(bytes, &length, sizeof(length));
  if (!value.empty()) std::memcpy(bytes + sizeof(length), value.data(), value.size());
}

void TextDeltas::Clear() {
  prefixes_.clear();
  lengths_.clear();
  suffix_bytes_ = 0;
  last_ = {};
}

// Most suffixes are a byte or two: the end of a word.
void TextDeltas::AppendSuffix(std::string_view text, size_t size) {
  if (suffixes_.size() - suffix_bytes_ < size + sizeof(uint64_t)) {
    suffixes_.resize(2 * suffixes_.size() + size + 4096);
  }
  char* const to = suffixes_.data() + suffix_bytes_;
  suffix_bytes_ += size;
  if (size - 1 < sizeof(uint64_t) && text.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + text.size() - sizeof word, sizeof word);
    word >>= 8 * (sizeof word - size);
    std::memcpy(to, &word, sizeof word);
  } else {
    std::memcpy(to, text.data() + text.size() - size, size);
  }
}

bool TextDeltas::Add(std::string_view text) {
  const size_t most = std::min(text.size(), last_.size());
  size_t prefix = 0;
  while (prefix + 8 <= most) {
    uint64_t here = 0, before = 0;
    std::memcpy(&here, text.data() + prefix, 8);
    std::memcpy(&before, last_.data() + prefix, 8);
    if (here != before) {
      prefix += static_cast<size_t>(std::countr_zero(here ^ before)) / 8;
      break;
    }
    prefix += 8;
  }
  while (prefix < most && text[prefix] == last_[prefix]) ++prefix;
  prefixes_.push_back(static_cast<int32_t>(prefix));
  lengths_.push_back(static_cast<int32_t>(text.size() - prefix));
  AppendSuffix(text, text.size() - prefix);
  const bool is_greater =
      prefix == most ? text.size() > most : static_cast<uint8_t>(text[prefix]) > static_cast<uint8_t>(last_[prefix]);
  last_ = text;
  return is_greater;
}

void TextDeltas::AppendTo(PageBuffer& out) const {
  AppendDelta<int32_t>(prefixes_, DeltaWidth::kTight, out);
  AppendDelta<int32_t>(lengths_, DeltaWidth::kTight, out);
  if (suffix_bytes_ > 0) out.Append(suffixes_.data(), suffix_bytes_);
}

void AppendByteStreamSplit(std::span<const int64_t> values, PageBuffer& out) {
  if (values.empty()) return;
  uint8_t* streams = out.Grow(values.size_bytes());
  for (size_t byte = 0; byte < 8; ++byte) {
    for (size_t i = 0; i < values.size(); ++i) {
      *streams++ = static_cast<uint8_t>(static_cast<uint64_t>(values[i]) >> (8 * byte));
    }
  }
}

template <typename T>
void ValueDictionary<T>::Reset(size_t limit) {
  limit_ = limit;
  probes_ = appended_ = 0;
  values_.clear();
  slots_.assign(1024, 0);
  shift_ = 64 - std::countr_zero(slots_.size());
}

template <typename T>
void ValueDictionary<T>::Rehash(size_t slots) {
  slots_.assign(slots, 0);
  shift_ = 64 - std::countr_zero(slots);
  for (size_t i = 0; i < values_.size(); ++i) {
    size_t slot = (static_cast<uint64_t>(values_[i]) * 0x9E3779B97F4A7C15u) >> shift_;
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

template <typename T>
bool ValueDictionary<T>::Append(std::span<const T> values, uint32_t* indices) {
  appended_ += values.size();
  for (const T value : values) {
    const size_t mask = slots_.size() - 1;
    size_t slot = (static_cast<uint64_t>(value) * 0x9E3779B97F4A7C15u) >> shift_;
    while (slots_[slot] != 0 && values_[slots_[slot] - 1] != value) {
      slot = (slot + 1) & mask;
      ++probes_;
    }
    if (slots_[slot] == 0) {
      if (values_.size() == limit_ || probes_ > 64 * (appended_ + 1024)) return false;
      values_.push_back(value);
      slots_[slot] = static_cast<uint32_t>(values_.size());
      *indices++ = static_cast<uint32_t>(values_.size() - 1);
      if (values_.size() * 2 > slots_.size()) Rehash(slots_.size() * 4);
    } else {
      *indices++ = slots_[slot] - 1;
    }
  }
  return true;
}

template <typename T>
void ValueDictionary<T>::Sort(std::span<uint32_t> indices) {
  if (std::ranges::is_sorted(values_)) return;
  std::vector<std::pair<T, uint32_t>> sorted;
  sorted.reserve(values_.size());
  for (const T value : values_) sorted.emplace_back(value, static_cast<uint32_t>(sorted.size()));
  std::ranges::sort(sorted);
  std::vector<uint32_t> place(sorted.size());
  for (size_t i = 0; i < sorted.size(); ++i) {
    values_[i] = sorted[i].first;
    place[sorted[i].second] = static_cast<uint32_t>(i);
  }
  for (uint32_t& index : indices) index = place[index];
}
template class ValueDictionary<int32_t>;
template class ValueDictionary<int64_t>;

int IndexBitWidth(size_t count) {
  const int needed = count <= 1 ? 1 : static_cast<int>(std::bit_width(count - 1));
  return needed > 16 ? needed : static_cast<int>(std::bit_ceil(static_cast<unsigned>(needed)));
}

}  // namespace lode::codec
