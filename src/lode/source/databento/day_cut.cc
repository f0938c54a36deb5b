#include "lode/source/databento/day_cut.h"

#include <algorithm>

#include "lode/codec/dbn_layout.h"

namespace lode::source::databento {
namespace {

using codec::LoadLittleEndian;

constexpr size_t kPreludeBytes = 8;  // "DBN", version, length of the metadata behind it
constexpr size_t kTsEventOffset = 8;

bool IsGatewayRecord(uint8_t rtype) {
  return rtype == codec::kRtypeError || rtype == codec::kRtypeSymbolMapping || rtype == codec::kRtypeSystem;
}

}  // namespace

void DayCut::Reset() {
  begun_.clear();
  offset_ = skip_ = newest_ns_ = 0;
  version_ = 0;
  is_sound_ = true;
  place_.reset();
}

uint64_t DayCut::LengthOf(std::span<const std::byte> bytes) const {
  if (version_ == 0) return kPreludeBytes;
  return uint64_t{4} * std::to_integer<uint8_t>(bytes[0]);
}

void DayCut::Feed(std::span<const std::byte> bytes) {
  while (is_sound_ && !bytes.empty()) {
    if (skip_ > 0) {
      const uint64_t skipped = std::min<uint64_t>(skip_, bytes.size());
      skip_ -= skipped;
      offset_ += skipped;
      bytes = bytes.subspan(skipped);
      continue;
    }
    const uint64_t length = LengthOf(begun_.empty() ? bytes : std::span<const std::byte>(begun_));
    if (begun_.empty() && length <= bytes.size()) {
      Take(bytes.first(length));
      bytes = bytes.subspan(length);
      continue;
    }
    const uint64_t taken = std::min<uint64_t>(length - begun_.size(), bytes.size());
    begun_.insert(begun_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (begun_.size() == length) {
      Take(begun_);
      begun_.clear();
    }
  }
}

void DayCut::Take(std::span<const std::byte> record) {
  const uint64_t begin = offset_;
  offset_ += record.size();
  if (version_ == 0) {
    version_ = std::to_integer<uint8_t>(record[3]);
    skip_ = LoadLittleEndian<uint32_t>(record.data() + 4);
    is_sound_ = version_ != 0;
    return;
  }
  is_sound_ = record.size() >= codec::kDbnHeaderBytes;
  if (!is_sound_ || IsGatewayRecord(std::to_integer<uint8_t>(record[1]))) return;
  const codec::RecordLayout* layout = codec::FindRecordLayout(schema_, version_);
  const size_t at = layout == nullptr || layout->bars ? kTsEventOffset : layout->day_offset;
  is_sound_ = layout != nullptr && at + sizeof(uint64_t) <= record.size();
  if (!is_sound_) return;
  const auto time_ns = LoadLittleEndian<uint64_t>(record.data() + at);
  // Also a time that is not set, which no other would follow.
  is_sound_ = time_ns >= newest_ns_ && time_ns <= INT64_MAX;
  if (!is_sound_) return;
  newest_ns_ = time_ns;
  const Day day = DayOf(static_cast<int64_t>(time_ns));
  if (!place_ || place_->day < day) place_ = Place{day, begin};
}

}  // namespace lode::source::databento
