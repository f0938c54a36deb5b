#include "lode/codec/text_interner.h"

#include <utility>

namespace lode::codec {

TextFault TextInterner::Add(std::string_view text, Cached& cached) {
  // The files of a market's days list the same tickers in the same order.
  const int32_t guess = newest_ == StringPool::kNull ? StringPool::kNull : strings_.follower(newest_);
  if (guess != StringPool::kNull && strings_.Get(guess) == text) {
    newest_ = guess;
    cached = {strings_.Get(guess), guess};
    return nullptr;
  }
  if (const TextFault fault = CheckText(text)) return fault;
  auto interned = strings_.Intern(text);
  if (!interned) {
    failure_ = std::move(interned).error();
    return "does not fit in memory";
  }
  if (newest_ != StringPool::kNull) strings_.SetFollower(newest_, *interned);
  newest_ = *interned;
  cached = {strings_.Get(*interned), *interned};
  return nullptr;
}

}  // namespace lode::codec
