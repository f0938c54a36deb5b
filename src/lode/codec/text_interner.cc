#include "lode/codec/text_interner.h"

#include <utility>

namespace lode::codec {

TextFault TextInterner::Add(std::string_view text, Cached& cached) {
  if (const TextFault fault = CheckText(text)) return fault;
  auto interned = strings_.Intern(text);
  if (!interned) {
    failure_ = std::move(interned).error();
    return "does not fit in memory";
  }
  cached = {strings_.Get(*interned), *interned};
  return nullptr;
}

}  // namespace lode::codec
