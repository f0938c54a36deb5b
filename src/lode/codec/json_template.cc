#include "lode/codec/json_template.h"

#include <bit>
#include <cstring>
#include <utility>

namespace lode::codec {
namespace {

// A set high bit in every byte that equals `byte`. Bytes above the lowest hit may be marked wrongly, the lowest never.
uint64_t Equal(uint64_t word, char byte) {
  constexpr uint64_t kOnes = 0x0101010101010101U;
  const uint64_t diff = word ^ (kOnes * static_cast<unsigned char>(byte));
  return (diff - kOnes) & ~diff & (kOnes << 7);
}

// The closing quote of a text that begins at `at`; nullptr when there is none or a backslash comes first.
const char* FindQuote(const char* at, const char* end) {
  for (; at < end; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const uint64_t hits = Equal(word, '"') | Equal(word, '\\');
    if (hits == 0) continue;
    const char* const hit = at + std::countr_zero(hits) / 8;
    return hit < end && *hit == '"' ? hit : nullptr;
  }
  return nullptr;
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
}

bool JsonTemplate::Match(std::string_view line, std::vector<JsonScalar>& scalars) const {
  const char* at = line.data();
  const char* const end = at + line.size();
  const char* literal = literals_.data();
  scalars.clear();
  for (size_t i = 0; i + 1 < sizes_.size(); ++i) {
    const uint32_t size = sizes_[i];
    if (static_cast<size_t>(end - at) <= size || std::memcmp(at, literal, size) != 0) return false;
    at += size;
    literal += size;
    if (*at == '"') {
      const char* const close = FindQuote(at + 1, end);
      if (close == nullptr) return false;
      scalars.push_back({{at + 1, close}, true});
      at = close + 1;
    } else {
      const char* const begin = at;
      while (at < end && *at != ',' && *at != '}' && *at != ']' && *at != '{' && *at != '[' && *at != '"') ++at;
      scalars.push_back({{begin, at}, false});
    }
  }
  return static_cast<size_t>(end - at) == sizes_.back() && std::memcmp(at, literal, sizes_.back()) == 0;
}

}  // namespace lode::codec
