#include "lode/codec/line_reader.h"

#include <algorithm>
#include <span>
#include <utility>

namespace lode::codec {
namespace {

// A block that stays in the second-level cache between reading and parsing.
constexpr size_t kBlockBytes = size_t{256} << 10;

}  // namespace

LineReader::LineReader(std::unique_ptr<ByteSource> bytes, LineRules rules)
    : bytes_(std::move(bytes)), buffer_(kBlockBytes + kPadding), rules_(rules) {}

Result<bool> LineReader::Refill() {
  if (next_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + next_, filled_ - next_);
    base_ += static_cast<int64_t>(next_);
    filled_ -= next_;
    next_ = 0;
  }
  const size_t room = buffer_.size() - kPadding;
  if (filled_ == room) buffer_.Resize(std::min(2 * room, rules_.max_line_bytes + 1) + kPadding, filled_);
  const std::span<char> free(buffer_.data() + filled_, buffer_.size() - kPadding - filled_);
  LODE_TRY(const size_t got, bytes_->Read(std::as_writable_bytes(free)));
  filled_ += got;
  return got > 0;
}

Result<bool> LineReader::NextAfterRead(std::string_view& line) {
  for (;;) {
    const size_t seen = filled_ - next_;
    if (seen > rules_.max_line_bytes) {
      return Fail(ErrorKind::kBadInput, "line {}: longer than {} MiB", line_number_ + 1, rules_.max_line_bytes >> 20);
    }
    LODE_TRY(const bool more, Refill());
    if (!begun_) {
      // A mark may come in pieces: wait for three bytes or the end.
      if (more && filled_ < 3) continue;
      begun_ = true;
      if (filled_ == 0 && rules_.may_be_empty) return false;
      if (filled_ == 0) return Fail(ErrorKind::kBadInput, "empty file");
      if (std::string_view(buffer_.data(), filled_).starts_with("\xEF\xBB\xBF")) next_ = 3;
      return Next(line);  // looks at the whole of what is here
    }
    if (!more) {
      if (next_ == filled_) return false;
      if (rules_.may_end_open && line_number_ > 0) {
        ended_open_ = true;
        Take(line, filled_ - next_);
        next_ = filled_;
        return true;
      }
      return Fail(ErrorKind::kBadInput, "line {}: no line end: the file is cut short", line_number_ + 1);
    }
    if (const void* end = std::memchr(buffer_.data() + seen, '\n', filled_ - seen)) {
      Take(line, static_cast<size_t>(static_cast<const char*>(end) - buffer_.data()));
      return true;
    }
  }
}

}  // namespace lode::codec
