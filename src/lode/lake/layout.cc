#include "lode/lake/layout.h"

#include <algorithm>

#include "lode/base/hashing.h"

namespace lode::lake {
namespace {

constexpr size_t kMaxComponent = 120;

Status CheckLiteral(std::string_view text) {
  if (text.empty() || text.front() == '/' || text.find("..") != std::string_view::npos ||
      text.find('\\') != std::string_view::npos || text.find("//") != std::string_view::npos) {
    return Fail(ErrorKind::kConfig, "layout '{}' must be a relative path without '..'", text);
  }
  if (!text.ends_with(".parquet")) return Fail(ErrorKind::kConfig, "layout '{}' must end in '.parquet'", text);
  return Ok();
}

}  // namespace

Result<Layout> Layout::Parse(std::string_view text) {
  LODE_TRY(CheckLiteral(text));
  Layout layout;
  layout.text_ = text;
  bool has_time = false, has_month = false;
  while (!text.empty()) {
    const size_t open = text.find('{');
    if (open != 0) {
      layout.pieces_.push_back({Piece::Kind::kLiteral, std::string(text.substr(0, open))});
      text.remove_prefix(std::min(open, text.size()));
      continue;
    }
    const size_t close = text.find('}');
    const std::string_view field = close == std::string_view::npos ? text : text.substr(1, close - 1);
    if (field == "yyyy")
      layout.pieces_.push_back({Piece::Kind::kYear, ""});
    else if (field == "mm")
      layout.pieces_.push_back({Piece::Kind::kMonth, ""});
    else if (field == "day")
      layout.pieces_.push_back({Piece::Kind::kDay, ""});
    else if (field == "symbol")
      layout.pieces_.push_back({Piece::Kind::kSymbol, ""});
    else
      return Fail(ErrorKind::kConfig, "layout '{}': unknown field '{{{}}}'; known: yyyy, mm, day, symbol", layout.text_,
                  field);
    has_time = has_time || field == "yyyy" || field == "day";
    has_month = has_month || field == "mm";
    text.remove_prefix(close + 1);
  }
  // A month of no year is nothing; one file a symbol may hold all its days.
  if (!has_time && (has_month || !layout.has_symbol())) {
    return Fail(ErrorKind::kConfig, "layout '{}' needs {{day}} or {{yyyy}}, or {{symbol}}", layout.text_);
  }
  return layout;
}

bool Layout::has_symbol() const {
  return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.kind == Piece::Kind::kSymbol; });
}

std::string Layout::PathOf(Day day, std::string_view symbol) const {
  const auto [year, month, day_of_month] = ToYearMonthDay(day);
  std::string path;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::kLiteral: path += piece.literal; break;
      case Piece::Kind::kYear: path += fmt::format("{:04}", year); break;
      case Piece::Kind::kMonth: path += fmt::format("{:02}", month); break;
      case Piece::Kind::kDay: path += FormatDay(day); break;
      case Piece::Kind::kSymbol: path += EncodePathComponent(symbol); break;
    }
  }
  return path;
}

std::string EncodePathComponent(std::string_view value) {
  std::string encoded;
  for (const char c : value) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '=' || c == '-' ||
                       (c == '.' && !encoded.empty());
    if (plain)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (encoded.empty()) return "%";
  if (encoded.size() <= kMaxComponent) return encoded;
  std::string hash = Sha256Hex(value).substr(0, 16);
  std::ranges::transform(hash, hash.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return encoded.substr(0, kMaxComponent - 17) + "~" + hash;
}

}  // namespace lode::lake
