#include "lode/codec/string_pool.h"

namespace lode::codec {
namespace {

std::unexpected<Error> TooMuch(size_t limit_bytes) {
  return Fail(ErrorKind::kBadInput, "more than {} MiB of distinct text in one import; raise --memory",
              limit_bytes >> 20);
}

}  // namespace

Result<int32_t> StringPool::Intern(std::string_view text) {
  if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
  if (bytes() + text.size() > limit_bytes_) return TooMuch(limit_bytes_);
  bytes_ += text.size() + 68;  // the node, the map entry, the string's own header, the follower
  const auto id = static_cast<int32_t>(strings_.size());
  ids_.emplace(strings_.emplace_back(text), id);
  followers_.push_back(kNull);
  return id;
}

Result<int32_t> StringPool::Append(std::string_view text) {
  if (bytes() > limit_bytes_) return TooMuch(limit_bytes_);
  LODE_TRY(const uint32_t number, appended_.Append(text));
  return kFirstAppended + static_cast<int32_t>(number);
}

}  // namespace lode::codec
