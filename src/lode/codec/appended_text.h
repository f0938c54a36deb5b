// Texts that nearly all differ (trade ids): written one behind the other, never looked up, and kept in an unlinked file
// instead of memory where a folder for it is given. A text's address never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::codec {

// Not thread-safe, but views may be read from any thread.
//
// Texts fill chunks of reserved address space. A chunk whose texts were all forgotten is filled again. When too many
// are full, the oldest is written to the file and the file's pages are mapped in its place: the same bytes at the same
// address, but the system may drop them whenever it likes.
class AppendedText {
 public:
  static constexpr size_t kMaxTextBytes = 65'535;
  // Numbers are multiples of eight bytes, which makes 8 GiB of texts.
  static constexpr uint32_t kMaxNumbers = uint32_t{1} << 30;

  AppendedText() = default;
  AppendedText(const AppendedText&) = delete;
  AppendedText& operator=(const AppendedText&) = delete;
  ~AppendedText();

  // Full chunks past `kept_bytes` go to a file without a name in `folder` from now on. kStorage: no file can be made
  // there.
  Status SpillTo(const std::filesystem::path& folder, size_t kept_bytes);
  // The text's number. kStorage: the file cannot be written; kBadInput: 8 GiB are full.
  Result<uint32_t> Append(std::string_view text) {
    const size_t size = (kHeadBytes + text.size() + kUnit - 1) / kUnit * kUnit;
    if (size > end_ - filled_) LODE_TRY(NextChunk());
    char* const at = base_ + filled_;
    const auto length = static_cast<uint16_t>(text.size());
    std::memcpy(at, &length, kHeadBytes);
    Copy(text, at + kHeadBytes);
    const auto number = static_cast<uint32_t>(filled_ / kUnit);
    filled_ += size;
    return number;
  }
  std::string_view Get(uint32_t number) const {
    const char* const at = base_ + size_t{number} * kUnit;
    uint16_t length;
    std::memcpy(&length, at, kHeadBytes);
    return {at + kHeadBytes, length};
  }

  // Later than the texts so far, earlier than those to come.
  uint64_t mark() const { return chunks_begun_; }
  // Nobody asks any more for the texts before `mark`: their memory may take others, and their numbers with it.
  void Forget(uint64_t mark);

  // Bytes that cannot leave memory.
  size_t memory_bytes() const { return writable_ - spilled_bytes_; }
  // Lets go of the file's pages that reading brought into memory.
  void ReleasePages() const;

 private:
  static constexpr size_t kUnit = 8, kHeadBytes = 2;

  struct FullChunk {
    size_t begin;
    uint64_t number;  // in the order of filling, from 1
  };
  struct Range {
    size_t begin, end;
  };

  // Ids are short: copied by two words that overlap.
  static void Copy(std::string_view text, char* to) {
    const size_t size = text.size();
    if (size < 8 || size > 16) {
      std::memcpy(to, text.data(), size);
      return;
    }
    uint64_t first, last;
    std::memcpy(&first, text.data(), 8);
    std::memcpy(&last, text.data() + size - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + size - 8, &last, 8);
  }
  Status NextChunk();
  // Address space behind all chunks.
  Status Extend();
  Status Spill(size_t begin);

  char* base_ = nullptr;
  size_t filled_ = 0;    // where the next text goes; texts do not cross chunks
  size_t end_ = 0;       // of the chunk that is being filled
  size_t writable_ = 0;  // end of the last chunk
  uint64_t chunks_begun_ = 0;
  std::deque<FullChunk> full_;  // in memory, oldest first
  std::vector<size_t> free_;    // begins of chunks whose texts were forgotten
  std::vector<Range> spilled_;  // mapped from the file
  size_t spilled_bytes_ = 0, kept_bytes_ = 0;
  int fd_ = -1;
};

}  // namespace lode::codec
