#include "lode/codec/csv_index.h"

#include <algorithm>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lode::codec {
namespace {

constexpr size_t kBlock = 64;
static_assert(CsvIndex::kPadding >= kBlock);

// A bit for each byte of a block.
struct BlockBits {
  uint64_t marks = 0;  // comma or LF
  uint64_t ends = 0;   // LF
  uint64_t quotes = 0;
};

#if defined(__x86_64__)

BlockBits ReadSse2(const char* block) {
  const __m128i commas = _mm_set1_epi8(','), ends = _mm_set1_epi8('\n'), quotes = _mm_set1_epi8('"');
  BlockBits bits;
#pragma GCC unroll 4
  for (unsigned at = 0; at < kBlock; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + at));
    const auto equal = [&](__m128i what) {
      return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, what)))} << at;
    };
    const uint64_t end_bits = equal(ends);
    bits.marks |= equal(commas) | end_bits;
    bits.ends |= end_bits;
    bits.quotes |= equal(quotes);
  }
  return bits;
}

[[gnu::target("avx2")]] BlockBits ReadAvx2(const char* block) {
  const __m256i commas = _mm256_set1_epi8(','), ends = _mm256_set1_epi8('\n'), quotes = _mm256_set1_epi8('"');
  BlockBits bits;
#pragma GCC unroll 2
  for (unsigned at = 0; at < kBlock; at += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + at));
    const __m256i is_end = _mm256_cmpeq_epi8(bytes, ends);
    const __m256i is_mark = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, commas), is_end);
    const __m256i is_quote = _mm256_cmpeq_epi8(bytes, quotes);
    bits.marks |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_mark))} << at;
    bits.ends |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_end))} << at;
    bits.quotes |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(is_quote))} << at;
  }
  return bits;
}

#else

BlockBits ReadBytes(const char* block) {
  BlockBits bits;
  for (unsigned at = 0; at < kBlock; ++at) {
    const uint64_t bit = uint64_t{1} << at;
    if (block[at] == ',' || block[at] == '\n') bits.marks |= bit;
    if (block[at] == '\n') bits.ends |= bit;
    if (block[at] == '"') bits.quotes |= bit;
  }
  return bits;
}

#endif

// Bits below the lowest one of `bits`; all when there is none.
uint64_t Below(uint64_t bits) { return bits == 0 ? ~uint64_t{0} : (bits & (0 - bits)) - 1; }

// The lines of `text`; marks and end marks go where there is room for all, and for eight more.
template <BlockBits (*kRead)(const char*)>
[[gnu::always_inline]] inline size_t FindLines(std::string_view text, uint32_t* marks, uint32_t* end_marks) {
  uint32_t count = 0;
  size_t lines = 0;
  for (size_t at = 0; at < text.size(); at += kBlock) {
    BlockBits bits = kRead(text.data() + at);
    if (text.size() - at < kBlock) {
      const uint64_t inside = (uint64_t{1} << (text.size() - at)) - 1;
      bits.marks &= inside;
      bits.ends &= inside;
      bits.quotes &= inside;
    }
    for (uint64_t ends = bits.ends & Below(bits.quotes); ends != 0; ends &= ends - 1) {
      end_marks[lines++] = count + static_cast<uint32_t>(std::popcount(bits.marks & Below(ends)));
    }
    // Eight at a time whether they are there or not: a loop of their number is guessed wrong once a block.
    const auto found = static_cast<uint32_t>(std::popcount(bits.marks));
    uint32_t* next = marks + count;
    for (uint32_t written = 0; written < found; written += 8) {
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        *next++ = static_cast<uint32_t>(at) + static_cast<uint32_t>(std::countr_zero(bits.marks));
        bits.marks &= bits.marks - 1;
      }
    }
    count += found;
    if (bits.quotes != 0) break;
  }
  return lines;
}

#if defined(__x86_64__)

size_t FindLinesSse2(std::string_view text, uint32_t* marks, uint32_t* end_marks) {
  return FindLines<ReadSse2>(text, marks, end_marks);
}

[[gnu::target("avx2,bmi,popcnt")]] size_t FindLinesAvx2(std::string_view text, uint32_t* marks, uint32_t* end_marks) {
  return FindLines<ReadAvx2>(text, marks, end_marks);
}

auto ForThisProcessor() {
  const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
  return wide ? FindLinesAvx2 : FindLinesSse2;
}

#else

auto ForThisProcessor() { return FindLines<ReadBytes>; }

#endif

}  // namespace

void CsvIndex::Find(std::string_view text) {
  static const auto find_lines = ForThisProcessor();
  if (marks_.size() == 0) {
    marks_ = RawBuffer<uint32_t>(kWindow + kBlock);
    end_marks_ = RawBuffer<uint32_t>(kWindow);
  }
  lines_ = find_lines(text.substr(0, kWindow), marks_.data(), end_marks_.data());
}

}  // namespace lode::codec
