#include "lode/codec/csv_reader.h"

#include <algorithm>
#include <set>

#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

std::string_view WithoutCarriageReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

const char* FaultOfCount(size_t fields, size_t columns) {
  if (fields == columns) return nullptr;
  return fields < columns ? "fewer fields than the header" : "more fields than the header";
}

}  // namespace

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
  if (next_line_ == index_.lines()) {
    index_.Find(lines_.buffered());
    next_line_ = next_mark_ = line_begin_ = 0;
  }
  if (next_line_ < index_.lines()) {
    TakeIndexed();
    return true;
  }
  // A line with quotes, a very long one, or one that is not here yet.
  LODE_TRY(const bool more, lines_.Next(raw_));
  if (!more) return false;
  fault_ = SplitCsv(WithoutCarriageReturn(raw_), fields_, scratch_);
  if (fault_ == nullptr) fault_ = FaultOfCount(fields_.size(), columns_.size());
  return true;
}

void CsvReader::TakeIndexed() {
  const uint32_t first_mark = next_mark_, begin = line_begin_;
  const uint32_t end_mark = index_.end_mark(next_line_++);
  const uint32_t* const marks = index_.marks();
  raw_ = lines_.TakeBuffered(marks[end_mark] - begin);
  next_mark_ = end_mark + 1;
  line_begin_ = marks[end_mark] + 1;
  const size_t count = end_mark + 1 - first_mark;
  fault_ = FaultOfCount(count, columns_.size());
  if (fault_ != nullptr) return;
  if (fields_.size() != count) fields_.resize(count);
  const char* const window = raw_.data() - begin;
  std::string_view* field = fields_.data();
  size_t field_begin = begin;
  for (const uint32_t mark : std::span(marks + first_mark, count)) {
    *field++ = {window + field_begin, mark - field_begin};
    field_begin = mark + size_t{1};
  }
  fields_.back() = WithoutCarriageReturn(fields_.back());
}

}  // namespace lode::codec
