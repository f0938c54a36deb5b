#include "lode/codec/string_pool.h"

namespace lode::codec {

Result<int32_t> StringPool::Intern(std::string_view text) {
  if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
  if (bytes_ + text.size() > limit_bytes_) {
    return Fail(ErrorKind::kBadInput, "more than {} MiB of distinct text in one import; raise --memory",
                limit_bytes_ >> 20);
  }
  bytes_ += text.size() + 64;  // the node, the map entry and the string's own header
  const auto id = static_cast<int32_t>(strings_.size());
  ids_.emplace(strings_.emplace_back(text), id);
  return id;
}

}  // namespace lode::codec
