#include "lode/source/tardis/json_elements.h"

#include <algorithm>
#include <array>

namespace lode::source::tardis {
namespace {

constexpr size_t kDeepest = 64, kLargest = size_t{16} << 20, kLongestKey = 256;

consteval std::array<bool, 256> TableOf(std::string_view stops) {
  std::array<bool, 256> table{};
  for (const char c : stops) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kStructure = TableOf("\"{}[],:");

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

JsonElements::JsonElements(std::vector<std::string> paths, Take take)
    : paths_(std::move(paths)), take_(std::move(take)) {
  piece_.reserve(kPieceBytes + (kPieceBytes >> 2));
  piece_ = "[";
}

void JsonElements::Keep(std::string_view bytes) { (cut_level_ > 0 ? piece_ : rest_).append(bytes); }

Status JsonElements::Feed(std::string_view bytes) {
  size_t begun = 0;  // of what is not kept yet
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (in_string_) {
      const size_t first = i;
      while (i < bytes.size() && (escaped_ || (bytes[i] != '"' && bytes[i] != '\\'))) {
        escaped_ = false;
        ++i;
      }
      if (is_key_ && key_.size() <= kLongestKey) key_.append(bytes.substr(first, i - first));
      if (i == bytes.size()) break;
      if (bytes[i] == '\\') {
        escaped_ = true;
        if (is_key_) key_ += '\\';
        continue;
      }
      in_string_ = false;
      if (is_key_) {
        levels_.back().key = std::move(key_);
        key_.clear();
        is_key_ = false;
      }
      continue;
    }
    while (i < bytes.size() && !kStructure[static_cast<unsigned char>(bytes[i])]) {
      if (ended_ && !IsSpace(bytes[i])) return Fail(ErrorKind::kBadInput, "more text behind the JSON document");
      ++i;
    }
    if (i == bytes.size()) break;
    if (ended_) return Fail(ErrorKind::kBadInput, "more text behind the JSON document");
    const char c = bytes[i];
    if (c == '"') {
      in_string_ = true;
      is_key_ = cut_level_ == 0 && !levels_.empty() && levels_.back().closer == '}' && levels_.back().wants_key;
      continue;
    }
    // What decides where the following bytes belong, or whether a piece is full, is kept on its own.
    const bool decides = c == '[' || c == ']' || (c == ',' && cut_level_ > 0 && levels_.size() == cut_level_);
    if (decides) {
      Keep(bytes.substr(begun, i - begun));
      begun = i + 1;
    }
    LODE_TRY(TakeStructure(c));
  }
  Keep(bytes.substr(begun));
  if (piece_.size() > kLargest + kPieceBytes || rest_.size() > kLargest) {
    return Fail(ErrorKind::kBadInput, "an element or the rest of the JSON document is over {} MiB", kLargest >> 20);
  }
  return Ok();
}

Status JsonElements::TakeStructure(char c) {
  switch (c) {
    case '{':
    case '[': return Open(c);
    case '}':
    case ']': return Close(c);
    case ':':
      if (!levels_.empty()) levels_.back().wants_key = false;
      return Ok();
    default:
      if (!levels_.empty()) levels_.back().wants_key = levels_.back().closer == '}';
      if (cut_level_ > 0 && levels_.size() == cut_level_) {
        if (piece_.size() >= kPieceBytes) return Flush(false);
        piece_ += ',';
      }
      return Ok();
  }
}

Status JsonElements::Open(char c) {
  if (levels_.size() == kDeepest) return Fail(ErrorKind::kBadInput, "JSON nested deeper than {}", kDeepest);
  if (c == '[') Keep("[");
  if (c == '[' && cut_level_ == 0 &&
      std::ranges::all_of(levels_, [](const Level& level) { return level.closer == '}'; })) {
    std::string path;
    for (const Level& level : levels_) path += (path.empty() ? "" : ".") + level.key;
    const auto found = std::ranges::find(paths_, path);
    if (found != paths_.end()) {
      array_ = static_cast<size_t>(found - paths_.begin());
      cut_level_ = levels_.size() + 1;
      flushed_ = false;
    }
  }
  levels_.push_back({c == '{' ? '}' : ']', c == '{', {}});
  return Ok();
}

Status JsonElements::Close(char c) {
  if (levels_.empty() || levels_.back().closer != c) return Fail(ErrorKind::kBadInput, "JSON brackets do not match");
  if (cut_level_ > 0 && levels_.size() == cut_level_) {
    LODE_TRY(Flush(true));
    cut_level_ = 0;
  }
  levels_.pop_back();
  if (c == ']') Keep("]");
  ended_ = levels_.empty();
  return Ok();
}

// An element's end, or the array's.
Status JsonElements::Flush(bool last) {
  const bool has_elements = std::ranges::any_of(std::string_view(piece_).substr(1), [](char c) { return !IsSpace(c); });
  Status taken = Ok();
  if (has_elements) {
    piece_ += ']';
    piece_.reserve(piece_.size() + kPadding);
    taken = take_(array_, piece_);
  } else if (!last || flushed_) {
    taken = Fail(ErrorKind::kBadInput, "a JSON array with a comma and no element");
  }
  flushed_ = true;
  piece_ = "[";
  return taken;
}

Result<std::string> JsonElements::Finish() {
  if (!ended_) return Fail(ErrorKind::kBadInput, "the JSON document ends in its middle");
  return std::move(rest_);
}

}  // namespace lode::source::tardis
