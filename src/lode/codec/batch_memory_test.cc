#include "lode/codec/batch_memory.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace lode::codec {
namespace {

TEST(BatchMemory, IsAlignedAndWritableToItsLastByte) {
  for (const int64_t bytes :
       {int64_t{1}, int64_t{4096}, int64_t{2} << 20, (int64_t{2} << 20) - 64, int64_t{5'000'001}}) {
    const auto memory = AllocateBatchMemory(bytes);
    ASSERT_TRUE(memory.has_value());
    ASSERT_EQ((*memory)->size(), bytes);
    EXPECT_EQ((*memory)->address() % 64, 0u);
    std::memset((*memory)->mutable_data(), 0xA5, static_cast<size_t>(bytes));
    EXPECT_EQ((*memory)->data()[bytes - 1], 0xA5);
  }
}

TEST(BatchMemory, BatchesInUseNeverShareMemory) {
  constexpr int64_t kBytes = int64_t{3} << 20;
  std::vector<std::shared_ptr<arrow::Buffer>> in_use;
  for (int round = 0; round < 4; ++round) {
    in_use.erase(in_use.begin(), in_use.begin() + static_cast<ptrdiff_t>(in_use.size() / 2));
    while (in_use.size() < 10) {
      auto memory = AllocateBatchMemory(kBytes);
      ASSERT_TRUE(memory.has_value());
      in_use.push_back(std::move(*memory));
    }
    for (size_t i = 0; i < in_use.size(); ++i) {
      std::memset(in_use[i]->mutable_data(), static_cast<int>(i), kBytes);
    }
    for (size_t i = 0; i < in_use.size(); ++i) {
      EXPECT_EQ(in_use[i]->data()[0], i);
      EXPECT_EQ(in_use[i]->data()[kBytes - 1], i);
    }
  }
}

TEST(BatchMemory, WhatCannotBeHadIsAnError) {
  const auto memory = AllocateBatchMemory(int64_t{1} << 60);
  ASSERT_FALSE(memory.has_value());
  EXPECT_EQ(memory.error().kind, ErrorKind::kInternal);
}

TEST(BatchMemory, RowsFillWholeHugePagesAndNeverGrow) {
  constexpr int64_t kHuge = int64_t{2} << 20;
  for (const int64_t row_bytes : {1, 8, 61, 68, 1024}) {
    for (const int64_t rows : {1, 63, 1000, 34'952, 65'536, 1'000'000}) {
      const int64_t kept = RowsInHugePages(rows, row_bytes);
      EXPECT_LE(kept, rows);
      EXPECT_GE(kept, 1);
      if (rows * row_bytes < kHuge) {
        EXPECT_EQ(kept, rows);
      } else {
        EXPECT_GT(2 * kept, rows);  // less than half is given up
      }
    }
  }
}

}  // namespace
}  // namespace lode::codec
