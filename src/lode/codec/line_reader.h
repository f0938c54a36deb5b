// Splits a byte stream into lines that end in LF, in bounded memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "lode/base/raw_buffer.h"
#include "lode/base/result.h"
#include "lode/codec/byte_source.h"

namespace lode::codec {

// What a vendor's files may lack.
struct LineRules {
  size_t max_line_bytes = size_t{1} << 20;
  bool may_be_empty = false;  // an empty stream is a proper one without lines
  bool may_end_open = false;  // the last line but the first may lack its LF; ended_open() then says so
};

// A line is a record, so a last line without LF is a file cut short: an error, as are an empty stream and a line
// longer than max_line_bytes. A byte order mark at the start is passed over. Not thread-safe.
class LineReader {
 public:
  // Bytes after every line that may be read (not trusted): simdjson and word-wise scanners run past the end.
  static constexpr size_t kPadding = 64;

  explicit LineReader(std::unique_ptr<ByteSource> bytes, LineRules rules = {});

  // The next line without its LF; it lives until the next call. False at the proper end. kBadInput names the line.
  Result<bool> Next(std::string_view& line) {
    const char* const start = buffer_.data() + next_;
    if (const void* end = next_ < filled_ ? std::memchr(start, '\n', filled_ - next_) : nullptr) {
      Take(line, static_cast<size_t>(static_cast<const char*>(end) - start));
      return true;
    }
    return NextAfterRead(line);
  }

  // Bytes behind the last line that are here already, as they are until the next call of Next.
  std::string_view buffered() const { return {buffer_.data() + next_, filled_ - next_}; }
  // As Next, of a line that buffered() is known to begin with: `size` bytes and an LF.
  std::string_view TakeBuffered(size_t size) {
    std::string_view line;
    Take(line, size);
    return line;
  }

  // Whether the last line had no LF.
  bool ended_open() const { return ended_open_; }
  // Of the line Next() gave last: its number from 1, and its first byte's place in the stream.
  int64_t line_number() const { return line_number_; }
  int64_t offset() const { return offset_; }
  // Readable bytes from the line's start to the end of the buffer, padding included.
  size_t readable(std::string_view line) const {
    return buffer_.size() - static_cast<size_t>(line.data() - buffer_.data());
  }

 private:
  void Take(std::string_view& line, size_t size) {
    line = {buffer_.data() + next_, size};
    offset_ = base_ + static_cast<int64_t>(next_);
    next_ += size + 1;
    ++line_number_;
  }
  Result<bool> NextAfterRead(std::string_view& line);
  // Moves the begun line to the front and reads more behind it; false at the stream's end.
  Result<bool> Refill();

  std::unique_ptr<ByteSource> bytes_;
  RawBuffer<char> buffer_;
  size_t next_ = 0;    // first byte not yet given out
  size_t filled_ = 0;  // bytes read into the buffer
  int64_t base_ = 0;   // stream offset of buffer_[0]
  int64_t line_number_ = 0;
  int64_t offset_ = 0;
  bool begun_ = false;
  LineRules rules_;
  bool ended_open_ = false;
};

}  // namespace lode::codec
