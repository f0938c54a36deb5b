// Memory for the columns of one batch: one mapping, in huge pages where the system gives them. Batches wait in the
// sorter by the dozen, and a fault for each 4 KiB of them cost a tenth of an import.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "lode/base/result.h"

namespace lode::codec {

// At least `bytes` bytes, 64-byte aligned, of any content, given back with the buffer. The last few mappings that came
// back are kept for the next batches of their size: pages that need no clearing. kInternal: out of memory.
Result<std::shared_ptr<arrow::Buffer>> AllocateBatchMemory(int64_t bytes);

// At most `rows`, fewer where that saves a last huge page from being touched for little: rows of a batch of
// `row_bytes`.
int64_t RowsInHugePages(int64_t rows, int64_t row_bytes);

}  // namespace lode::codec
