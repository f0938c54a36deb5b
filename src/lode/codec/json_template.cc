#include "lode/codec/json_template.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "lode/codec/digits.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace lode::codec {
namespace {

// Literals are short, so a call of memcmp costs more than their comparison. Eight bytes after both are readable.
bool AreSame(const char* text, const char* literal, size_t size) {
  for (; size >= 8; size -= 8, text += 8, literal += 8) {
    if (Load8(text) != Load8(literal)) return false;
  }
  return size == 0 || (Load8(text) ^ Load8(literal)) << (64 - 8 * size) == 0;
}

// What ends an unquoted scalar.
constexpr std::array<bool, 256> kEndsScalar = [] {
  std::array<bool, 256> ends{};
  for (const char c : std::string_view(",}]{[\"")) ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();

// The closing quote of a text that begins at `at`; nullptr when there is none or a backslash comes first.
const char* FindQuote(const char* at, const char* end) {
#if defined(__x86_64__)
  for (; at < end; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (hits == 0) continue;
    at += std::countr_zero(hits);
    break;
  }
#else
  while (at < end && *at != '"' && *at != '\\') ++at;
#endif
  return at < end && *at == '"' ? at : nullptr;
}

}  // namespace

void JsonTemplate::Learn(std::string_view line, const std::vector<JsonScalar>& scalars, std::vector<int> fields) {
  literals_.clear();
  sizes_.clear();
  fields_ = std::move(fields);
  const char* at = line.data();
  for (const JsonScalar& scalar : scalars) {
    const char* const begin = scalar.text.data() - (scalar.quoted ? 1 : 0);
    literals_.append(at, begin);
    sizes_.push_back(static_cast<uint32_t>(begin - at));
    at = scalar.text.data() + scalar.text.size() + (scalar.quoted ? 1 : 0);
  }
  const char* const end = line.data() + line.size();
  literals_.append(at, end);
  sizes_.push_back(static_cast<uint32_t>(end - at));
  literals_.append(8, '\0');
}

bool JsonTemplate::Match(std::string_view line, std::vector<JsonScalar>& scalars) const {
  const char* at = line.data();
  const char* const end = at + line.size();
  const char* literal = literals_.data();
  const size_t count = sizes_.size() - 1;
  scalars.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t size = sizes_[i];
    if (static_cast<size_t>(end - at) <= size || !AreSame(at, literal, size)) return false;
    at += size;
    literal += size;
    if (*at == '"') {
      const char* const close = FindQuote(at + 1, end);
      if (close == nullptr) return false;
      scalars[i] = {{at + 1, close}, true};
      at = close + 1;
    } else {
      const char* const begin = at;
      while (at < end && !kEndsScalar[static_cast<unsigned char>(*at)]) ++at;
      scalars[i] = {{begin, at}, false};
    }
  }
  return static_cast<size_t>(end - at) == sizes_.back() && AreSame(at, literal, sizes_.back());
}

}  // namespace lode::codec
