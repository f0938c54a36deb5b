#include "lode/codec/extra_keys.h"

#include "lode/base/log.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

constexpr size_t kMaxDriftKeys = 64;

}  // namespace

void ExtraKeys::NoteDrift(std::string_view key) {
  if (drift_.size() > kMaxDriftKeys || drift_.contains(key)) return;
  drift_.emplace(key);
  if (drift_.size() > kMaxDriftKeys) {
    log::Warning("{}: more than {} unknown keys; the others go to _extra without a notice", schema_.name,
                 kMaxDriftKeys);
    return;
  }
  log::Warning("{}: '{}' is not in version {} of the schema; its values go to _extra", schema_.name, Excerpt(key),
               schema_.version);
}

void ExtraKeys::Put(std::string_view key, std::string_view json_value) {
  object_ += object_.empty() ? '{' : ',';
  AppendJsonString(object_, key);
  object_ += ':';
  object_ += json_value;
}

bool ExtraKeys::PutText(std::string_view key, std::string_view value) {
  if (!IsPrintableUtf8(value)) return false;
  value_.clear();
  if (value.empty()) {
    value_ = "null";
  } else {
    AppendJsonString(value_, value);
  }
  Put(key, value_);
  return true;
}

}  // namespace lode::codec
