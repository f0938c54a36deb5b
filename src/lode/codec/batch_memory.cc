#include "lode/codec/batch_memory.h"

#include <arrow/buffer.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "lode/codec/arrow_result.h"

namespace lode::codec {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

struct Mapping {
  void* start = nullptr;
  size_t size = 0;
  uint8_t* data = nullptr;
};

// Mappings without a batch.
class SpareMappings {
 public:
  SpareMappings() = default;
  SpareMappings(const SpareMappings&) = delete;
  SpareMappings& operator=(const SpareMappings&) = delete;
  ~SpareMappings() {
    for (const Mapping& mapping : spare_) ::munmap(mapping.start, mapping.size);
  }
  // One of exactly that size; without a start when there is none.
  Mapping Take(size_t size) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(spare_, size, &Mapping::size);
    if (found == spare_.end()) return {};
    const Mapping mapping = *found;
    spare_.erase(found);
    return mapping;
  }
  void Keep(const Mapping& mapping) {
    Mapping oldest;
    {
      const std::lock_guard lock(mutex_);
      spare_.push_back(mapping);
      if (spare_.size() > kMost) {
        oldest = spare_.front();
        spare_.erase(spare_.begin());
      }
    }
    if (oldest.start != nullptr) ::munmap(oldest.start, oldest.size);
  }

 private:
  static constexpr size_t kMost = 12;
  std::mutex mutex_;
  std::vector<Mapping> spare_;  // oldest first
};

// Outlives its owner in the buffers that come back to it.
const std::shared_ptr<SpareMappings>& Spare() {
  static const auto spare = std::make_shared<SpareMappings>();
  return spare;
}

class MappedBuffer final : public arrow::MutableBuffer {
 public:
  MappedBuffer(const Mapping& mapping, int64_t size)
      : arrow::MutableBuffer(mapping.data, size), mapping_(mapping), spare_(Spare()) {}
  ~MappedBuffer() override { spare_->Keep(mapping_); }

 private:
  const Mapping mapping_;
  const std::shared_ptr<SpareMappings> spare_;
};

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> AllocateBatchMemory(int64_t bytes) {
  if (LODE_SANITIZED && bytes < int64_t{1} << 40) {  // their heap notices a write past the end, a mapping does not
    LODE_TRY(std::shared_ptr<arrow::Buffer> buffer, FromArrow(arrow::AllocateBuffer(bytes), "allocate a batch"));
    std::memset(buffer->mutable_data(), 0xAA, static_cast<size_t>(bytes));
    return buffer;
  }
  const auto size = std::max<size_t>(static_cast<size_t>(bytes), 1);
  const size_t huge = (size + kHugePage / 16) / kHugePage * kHugePage;  // a sixteenth of a page may stay unused
  // Address space for alignment costs nothing: pages that are never touched are never there.
  const size_t mapped = std::max(size, huge) + (huge > 0 ? kHugePage : 0);
  if (const Mapping spare = Spare()->Take(mapped); spare.start != nullptr) {
    return std::make_shared<MappedBuffer>(spare, bytes);
  }
  void* const mapping = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return Fail(ErrorKind::kInternal, "out of memory for a batch of {} bytes", bytes);
  auto address = reinterpret_cast<uintptr_t>(mapping);
  if (huge > 0) {
    address = (address + kHugePage - 1) / kHugePage * kHugePage;
    ::madvise(reinterpret_cast<void*>(address), huge, MADV_HUGEPAGE);  // a wish, not a need
  }
  return std::make_shared<MappedBuffer>(Mapping{mapping, mapped, reinterpret_cast<uint8_t*>(address)}, bytes);
}

int64_t RowsInHugePages(int64_t rows, int64_t row_bytes) {
  const int64_t pages = rows * row_bytes / static_cast<int64_t>(kHugePage);
  return pages == 0 ? rows : pages * static_cast<int64_t>(kHugePage) / row_bytes / 64 * 64;
}

}  // namespace lode::codec
