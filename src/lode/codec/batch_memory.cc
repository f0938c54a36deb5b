#include "lode/codec/batch_memory.h"

#include <arrow/buffer.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "lode/codec/arrow_result.h"

namespace lode::codec {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kAddressSanitizer = false;
#endif

class MappedBuffer final : public arrow::MutableBuffer {
 public:
  MappedBuffer(void* mapping, size_t mapped, uint8_t* data, int64_t size)
      : arrow::MutableBuffer(data, size), mapping_(mapping), mapped_(mapped) {}
  ~MappedBuffer() override { ::munmap(mapping_, mapped_); }

 private:
  void* mapping_;
  size_t mapped_;
};

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> AllocateBatchMemory(int64_t bytes) {
  if (kAddressSanitizer && bytes < int64_t{1} << 40) {  // its heap notices a write past the end, a mapping does not
    LODE_TRY(std::shared_ptr<arrow::Buffer> buffer, FromArrow(arrow::AllocateBuffer(bytes), "allocate a batch"));
    std::memset(buffer->mutable_data(), 0, static_cast<size_t>(bytes));
    return buffer;
  }
  const auto size = std::max<size_t>(static_cast<size_t>(bytes), 1);
  const size_t huge = (size + kHugePage / 16) / kHugePage * kHugePage;  // a sixteenth of a page may stay unused
  // Address space for alignment costs nothing: pages that are never touched are never there.
  const size_t mapped = std::max(size, huge) + (huge > 0 ? kHugePage : 0);
  void* const mapping = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return Fail(ErrorKind::kInternal, "out of memory for a batch of {} bytes", bytes);
  auto address = reinterpret_cast<uintptr_t>(mapping);
  if (huge > 0) {
    address = (address + kHugePage - 1) / kHugePage * kHugePage;
    ::madvise(reinterpret_cast<void*>(address), huge, MADV_HUGEPAGE);  // a wish, not a need
  }
  return std::make_shared<MappedBuffer>(mapping, mapped, reinterpret_cast<uint8_t*>(address), bytes);
}

int64_t RowsInHugePages(int64_t rows, int64_t row_bytes) {
  const int64_t pages = rows * row_bytes / static_cast<int64_t>(kHugePage);
  return pages == 0 ? rows : pages * static_cast<int64_t>(kHugePage) / row_bytes / 64 * 64;
}

}  // namespace lode::codec
