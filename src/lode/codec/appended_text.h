// Texts that nearly all differ (trade ids): written one behind the other, never looked up, and kept in an unlinked file
// instead of memory where a folder for it is given. A text's address never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "lode/base/result.h"

namespace lode::codec {

// Not thread-safe, but views may be read from any thread.
//
// Texts fill chunks of reserved address space. A full chunk is written to the file and the file's pages are mapped in
// its place: the same bytes at the same address, but the system may drop them whenever it likes.
class AppendedText {
 public:
  static constexpr size_t kMaxTextBytes = 65'535;
  // Numbers are multiples of eight bytes, which makes 8 GiB of texts.
  static constexpr uint32_t kMaxNumbers = uint32_t{1} << 30;

  AppendedText() = default;
  AppendedText(const AppendedText&) = delete;
  AppendedText& operator=(const AppendedText&) = delete;
  ~AppendedText();

  // Full chunks go to a file without a name in `folder` from now on. kStorage: no file can be made there.
  Status SpillTo(const std::filesystem::path& folder);
  // The text's number. kStorage: the file cannot be written; kBadInput: 8 GiB are full.
  Result<uint32_t> Append(std::string_view text) {
    const size_t size = (kHeadBytes + text.size() + kUnit - 1) / kUnit * kUnit;
    if (size > writable_ - filled_) LODE_TRY(NextChunk());
    char* const at = base_ + filled_;
    const auto length = static_cast<uint16_t>(text.size());
    std::memcpy(at, &length, kHeadBytes);
    std::memcpy(at + kHeadBytes, text.data(), text.size());
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

  // Bytes that cannot leave memory.
  size_t memory_bytes() const { return writable_ - spilled_; }
  // Lets go of the file's pages that reading brought into memory.
  void ReleasePages() const;

 private:
  static constexpr size_t kUnit = 8, kHeadBytes = 2;

  Status NextChunk();
  Status SpillChunk();

  char* base_ = nullptr;
  size_t filled_ = 0;    // bytes of texts
  size_t writable_ = 0;  // end of the chunk that is being filled; texts do not cross chunks
  size_t spilled_ = 0;   // bytes mapped from the file, whole chunks from the start
  int fd_ = -1;
};

}  // namespace lode::codec
