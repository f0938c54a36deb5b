#include "lode/source/tardis/csv_body.h"

#include <algorithm>
#include <array>
#include <vector>

#include "lode/codec/byte_source.h"
#include "lode/source/tardis/api.h"

namespace lode::source::tardis {
namespace {

constexpr std::string_view kMd5OfNothing = "d41d8cd98f00b204e9800998ecf8427e";
constexpr std::string_view kMagic = "\x1F\x8B\x08";
constexpr std::string_view kHeaderBegins = "exchange,symbol,";
constexpr size_t kLongestHead = 16384;  // of header and first row
constexpr size_t kBlockBytes = size_t{256} << 10;

// The cell of a column, by the header's names; empty when there is none.
std::string_view CellOf(std::string_view header, std::string_view row, std::string_view column) {
  while (true) {
    const size_t name_end = header.find(','), cell_end = row.find(',');
    if (header.substr(0, name_end) == column) return row.substr(0, cell_end);
    if (name_end == std::string_view::npos || cell_end == std::string_view::npos) return {};
    header.remove_prefix(name_end + 1);
    row.remove_prefix(cell_end + 1);
  }
}

std::string_view WithoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<std::shared_ptr<CsvBody>> CsvBody::Open(const std::filesystem::path& file, bool resume, Asked asked) {
  LODE_TRY(auto kept, net::SpooledBody::Open({.path = file, .resume = resume}));
  std::shared_ptr<CsvBody> body(new CsvBody(std::move(kept), std::move(asked)));
  LODE_TRY(body->ReadHeld(file));
  return body;
}

Status CsvBody::ReadHeld(const std::filesystem::path& file) {
  if (bytes_->held() == 0) return Ok();
  LODE_TRY(auto source, codec::OpenFile(file));
  std::vector<std::byte> block(kBlockBytes);
  while (is_sound_) {
    LODE_TRY(const size_t got, source->Read(block));
    if (got == 0) break;
    if (!Check(std::span(block).first(got))) is_sound_ = false;
  }
  // One that is whole already cannot be continued: nobody would say so.
  if (is_sound_ && gzip_.End()) is_sound_ = false;
  return Ok();
}

std::unexpected<Error> CsvBody::NotSound(std::string_view why) {
  is_sound_ = false;
  return Fail(ErrorKind::kCorrupt, "{}", why);
}

void CsvBody::Restart() {
  gzip_.Reset();
  head_.clear();
  magic_bytes_ = 0;
  member_ = 0;
  member_head_.clear();
  is_begun_ = is_checked_ = may_be_empty_ = false;
  is_sound_ = true;
}

Status CsvBody::Begin(const net::ResponseHead& head, uint64_t offset) {
  if (offset == 0) Restart();
  const auto is_nothing = [&](std::string_view header) {
    std::string value(head.Find(header));
    std::erase(value, '"');
    return net::EqualIgnoringCase(value, kMd5OfNothing);
  };
  may_be_empty_ = offset == 0 && (is_nothing("ETag") || is_nothing("x-md5"));
  return bytes_->Begin(head, offset);
}

// A body that came twice over has the header again, at the beginning of a member; rows begin with the exchange's name.
Status CsvBody::CheckMember(std::string_view text) {
  if (gzip_.text_member() != member_) {
    is_begun_ = !member_head_.empty();
    member_ = gzip_.text_member();
    member_head_.clear();
  }
  if (member_head_.size() == kHeaderBegins.size()) return Ok();
  member_head_ += text.substr(0, kHeaderBegins.size() - member_head_.size());
  if (is_begun_ && member_head_ == kHeaderBegins) {
    return NotSound("the answer holds the file more than once");
  }
  return Ok();
}

Status CsvBody::CheckFirstRow() {
  const size_t header_end = head_.find('\n');
  const size_t row_end = header_end == std::string::npos ? header_end : head_.find('\n', header_end + 1);
  if (row_end == std::string::npos) {
    if (head_.size() > kLongestHead) return NotSound("the answer is no CSV: its first lines do not end");
    return Ok();
  }
  const std::string_view text = head_;
  const std::string_view header = WithoutReturn(text.substr(0, header_end));
  const std::string_view row = WithoutReturn(text.substr(header_end + 1, row_end - header_end - 1));
  const std::string_view exchange = CellOf(header, row, "exchange"), symbol = CellOf(header, row, "symbol");
  if (exchange != asked_.exchange || (!asked_.symbol.empty() && DatasetSymbol(symbol) != asked_.symbol)) {
    return NotSound(fmt::format("the answer is for {} {}, which was not asked for",
                                exchange.empty() ? "no exchange," : exchange.substr(0, 64), symbol.substr(0, 64)));
  }
  is_checked_ = true;
  head_ = {};
  return Ok();
}

Status CsvBody::Check(std::span<const std::byte> bytes) {
  // Two bytes that are no gzip must not be taken for a beginning that could be continued.
  for (size_t i = 0; i < bytes.size() && magic_bytes_ < kMagic.size(); ++i, ++magic_bytes_) {
    if (static_cast<unsigned char>(bytes[i]) != static_cast<unsigned char>(kMagic[magic_bytes_])) {
      return NotSound("the answer is no gzip");
    }
  }
  Status taken = gzip_.Feed(bytes, [this](std::string_view text) -> Status {
    LODE_TRY(CheckMember(text));
    if (is_checked_) return Ok();
    head_ += text;
    return CheckFirstRow();
  });
  if (!taken) return NotSound(taken.error().message);
  return Ok();
}

Status CsvBody::Write(std::span<const std::byte> bytes) {
  LODE_TRY(Check(bytes));
  return bytes_->Write(bytes);
}

Status CsvBody::End() {
  if (bytes_->held() == 0 && !may_be_empty_) {
    return NotSound("an answer without a byte, and nothing that says it should be so");
  }
  if (bytes_->held() > 0) {
    // What came is a beginning all the same: the next try goes on from here.
    if (const Status ended = gzip_.End(); !ended) return Fail(ErrorKind::kCorrupt, "{}", ended.error().message);
  }
  return bytes_->End();
}

}  // namespace lode::source::tardis
