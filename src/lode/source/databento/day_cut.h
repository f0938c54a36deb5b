// Where a stream of DBN that broke can be cut so that whole days are left: before the first record of the last day
// begun.
//
// The vendor sends the records of a request in the order of the time by which it is asked (ts_recv; ts_event of bars),
// which is also the time that decides a row's day. So all records of the days before the last one begun have come.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lode/base/time.h"
#include "lode/codec/schema.h"

namespace lode::source::databento {

class DayCut {
 public:
  struct Place {
    Day day;         // everything before it is there
    uint64_t bytes;  // of the stream, its metadata included
  };

  explicit DayCut(const codec::TableSchema& schema) : schema_(schema) {}

  // Forgets what was fed.
  void Reset();
  // The next bytes of the stream, decompressed.
  void Feed(std::span<const std::byte> bytes);
  // nullopt before the first record, and when the records are not in order or not of the schema.
  std::optional<Place> place() const { return is_sound_ ? place_ : std::nullopt; }

 private:
  // Of the metadata's beginning or the record that `bytes`, one at least, begin with.
  uint64_t LengthOf(std::span<const std::byte> bytes) const;
  void Take(std::span<const std::byte> record);

  const codec::TableSchema& schema_;
  std::vector<std::byte> begun_;  // of the metadata or record in hand
  uint64_t offset_ = 0;           // of what is in hand
  uint64_t skip_ = 0;             // bytes of the metadata still to come
  uint8_t version_ = 0;           // 0: the metadata has not come
  bool is_sound_ = true;
  uint64_t newest_ns_ = 0;
  std::optional<Place> place_;
};

}  // namespace lode::source::databento
