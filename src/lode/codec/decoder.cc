#include "lode/codec/decoder.h"

#include <utility>

namespace lode::codec {

void BadRecords::Add(BadRecord record) {
  ++count_;
  if (kept_.size() < kMaxKept) kept_.push_back(std::move(record));
}

}  // namespace lode::codec
