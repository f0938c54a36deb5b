// SHA-256 of a file that is being written. A small one is hashed by the writer; a large one by a thread that reads it
// behind the writer, who has the network to see to.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "lode/base/hashing.h"
#include "lode/base/result.h"

namespace lode::net {

class FileHash {
 public:
  FileHash();
  ~FileHash();

  // `bytes` are in the file now, after all that were taken before; `file` is a descriptor that can read it, and may be
  // closed after the call.
  void Take(std::span<const std::byte> bytes, int file);
  // Waits for the thread. kStorage when the file could not be read, or has become shorter.
  Result<std::string> Finish();
  // Of nothing, again.
  void Reset();

 private:
  class Follower;

  Sha256 hash_;  // of the first taken_ bytes, while there is no follower
  uint64_t taken_ = 0;
  std::unique_ptr<Follower> follower_;
};

}  // namespace lode::net
