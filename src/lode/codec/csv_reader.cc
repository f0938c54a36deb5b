#include "lode/codec/csv_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "lode/codec/text_values.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lode::codec {
namespace {

std::string_view WithoutCarriageReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

#if defined(__SSE2__)

// Sixteen bytes a step (every x86-64 has SSE2): the commas' bits are walked from the lowest.
bool SplitPlainCsv(std::string_view line, std::vector<std::string_view>& fields) {
  static_assert(LineReader::kPadding >= 16);
  fields.clear();
  const char* const begin = line.data();
  const char* start = begin;
  const __m128i commas = _mm_set1_epi8(','), quotes = _mm_set1_epi8('"');
  for (size_t at = 0; at < line.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin + at));
    auto comma_bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, commas)));
    auto quote_bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, quotes)));
    if (line.size() - at < 16) {
      const unsigned inside = (1U << (line.size() - at)) - 1;
      comma_bits &= inside;
      quote_bits &= inside;
    }
    if (quote_bits != 0) return false;
    for (; comma_bits != 0; comma_bits &= comma_bits - 1) {
      const char* const comma = begin + at + std::countr_zero(comma_bits);
      fields.emplace_back(start, static_cast<size_t>(comma - start));
      start = comma + 1;
    }
  }
  fields.emplace_back(start, static_cast<size_t>(begin + line.size() - start));
  return true;
}

#else

bool SplitPlainCsv(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  if (line.find('"') != std::string_view::npos) return false;
  size_t start = 0;
  for (size_t comma; (comma = line.find(',', start)) != std::string_view::npos; start = comma + 1) {
    fields.push_back(line.substr(start, comma - start));
  }
  fields.push_back(line.substr(start));
  return true;
}

#endif

const char* SplitCsv(std::string_view line, std::vector<std::string_view>& fields, std::string& scratch) {
  fields.clear();
  scratch.clear();
  // Unescaped text never outgrows the line, so views into the scratch stay valid.
  scratch.reserve(line.size() + LineReader::kPadding);
  for (size_t at = 0;;) {
    if (at < line.size() && line[at] == '"') {
      const size_t begin = scratch.size();
      for (++at;; ++at) {
        if (at >= line.size()) return "a quoted field does not end on its line";
        if (line[at] == '"' && (at + 1 >= line.size() || line[at + 1] != '"')) break;
        if (line[at] == '"') ++at;
        scratch += line[at];
      }
      ++at;
      if (at < line.size() && line[at] != ',') return "text follows a closing quote";
      fields.emplace_back(scratch.data() + begin, scratch.size() - begin);
    } else {
      const size_t comma = std::min(line.find(',', at), line.size());
      const std::string_view field = line.substr(at, comma - at);
      if (field.find('"') != std::string_view::npos) return "a quote inside a field that does not begin with one";
      fields.push_back(field);
      at = comma;
    }
    if (at >= line.size()) return nullptr;
    ++at;
  }
}

Result<CsvReader> CsvReader::Open(std::unique_ptr<ByteSource> bytes, LineRules rules) {
  CsvReader reader(std::move(bytes), rules);
  std::string_view line;
  LODE_TRY(const bool any, reader.lines_.Next(line));
  if (!any && rules.may_be_empty) return reader;
  if (!any) return Fail(ErrorKind::kBadInput, "line 1: no header");  // a byte order mark and nothing else
  if (const char* fault = SplitCsv(WithoutCarriageReturn(line), reader.fields_, reader.scratch_)) {
    return Fail(ErrorKind::kBadInput, "line 1: header: {}", fault);
  }
  if (reader.fields_.size() > kMaxColumns) {
    return Fail(ErrorKind::kBadInput, "line 1: header: more than {} columns", kMaxColumns);
  }
  std::set<std::string_view> seen;
  for (const std::string_view name : reader.fields_) {
    if (const char* fault = CheckText(name)) {
      return Fail(ErrorKind::kBadInput, "line 1: header: column '{}' {}", Excerpt(name), fault);
    }
    if (!seen.insert(name).second) {
      return Fail(ErrorKind::kBadInput, "line 1: header: column '{}' comes twice", Excerpt(name));
    }
    reader.columns_.emplace_back(name);
  }
  reader.fields_.clear();
  return reader;
}

int CsvReader::Find(std::string_view column) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] == column) return static_cast<int>(i);
  }
  return -1;
}

Result<bool> CsvReader::Next() {
  LODE_TRY(const bool more, lines_.Next(raw_));
  if (!more) return false;
  const std::string_view line = WithoutCarriageReturn(raw_);
  fault_ = SplitPlainCsv(line, fields_) ? nullptr : SplitCsv(line, fields_, scratch_);
  if (fault_ == nullptr && fields_.size() != columns_.size()) {
    fault_ = fields_.size() < columns_.size() ? "fewer fields than the header" : "more fields than the header";
  }
  return true;
}

}  // namespace lode::codec
