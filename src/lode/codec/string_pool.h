// Interned strings of one import unit: text columns travel as int32 ids, sorting and merging never touch bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/appended_text.h"

namespace lode::codec {

// Bounded: kBadInput past `limit_bytes` (the memory promise). Not thread-safe. Views from Get live as long as the pool.
class StringPool {
 public:
  static constexpr int32_t kNull = -1;

  explicit StringPool(size_t limit_bytes = size_t{64} << 20) : limit_bytes_(limit_bytes) {}

  // Finds or adds `text`. These ids are dense, from 0, in order of first appearance.
  Result<int32_t> Intern(std::string_view text);
  // Of two interned texts, that `next` came after `id` when it was last looked: whoever finds `id` again may try it
  // before Intern. kNull: nothing known.
  void SetFollower(int32_t id, int32_t next) { followers_[static_cast<size_t>(id)] = next; }
  int32_t follower(int32_t id) const { return followers_[static_cast<size_t>(id)]; }

  // Adds `text` without looking for its equal, in a few ns: for columns whose rows nearly all differ. Its id is none of
  // Intern's, and equal texts get different ids.
  Result<int32_t> Append(std::string_view text);
  // Where appended texts go instead of memory, but for the last few MiB; without it they count against the limit.
  // kStorage.
  Status SpillTo(const std::filesystem::path& folder) {
    return appended_.SpillTo(folder, std::min(kMostKeptBytes, limit_bytes_ / 4));
  }

  // Later than the texts appended so far, earlier than those to come.
  uint64_t mark() const { return appended_.mark(); }
  // Nobody asks any more for texts appended before `mark`: their memory and ids may be used again.
  void ForgetAppended(uint64_t mark) { appended_.Forget(mark); }

  std::string_view Get(int32_t id) const {
    if (IsInterned(id)) return strings_[static_cast<size_t>(id)];
    return appended_.Get(static_cast<uint32_t>(id - kFirstAppended));
  }
  static bool IsInterned(int32_t id) { return id < kFirstAppended; }
  // Interned strings.
  size_t size() const { return strings_.size(); }
  // Memory that the pool holds, about.
  size_t bytes() const { return bytes_ + appended_.memory_bytes(); }
  // Lets go of spilled pages that Get() brought back; call it now and then while reading many appended texts.
  void ReleasePages() const { appended_.ReleasePages(); }

 private:
  static constexpr int32_t kFirstAppended = int32_t{1} << 30;
  // Texts of the rows that wait for their file at once: writing them out and reading them back costs a twentieth of an
  // import.
  static constexpr size_t kMostKeptBytes = size_t{12} << 20;

  size_t limit_bytes_;
  size_t bytes_ = 0;
  std::deque<std::string> strings_;
  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<int32_t> followers_;  // of each of strings_
  AppendedText appended_;
};

}  // namespace lode::codec
