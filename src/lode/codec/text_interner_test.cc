#include "lode/codec/text_interner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lode::codec {
namespace {

// Each file has an interner of its own over the unit's pool; what one file's order suggests must not show in another's.
TEST(TextInterner, IdsAreThePoolsInWhateverOrderFilesList) {
  std::mt19937 random(7);
  std::vector<std::string> tickers;
  for (int i = 0; i < 3000; ++i) tickers.push_back(fmt::format("T{:0{}}", i * 7 % 3001, 1 + i % 30));
  StringPool strings;
  for (int file = 0; file < 12; ++file) {
    TextInterner interner(strings);
    std::vector<std::string> rows;
    for (const std::string& ticker : tickers) {
      if (random() % 20 != 0) rows.push_back(ticker);  // not every one trades every day
    }
    if (file % 4 == 3) std::ranges::shuffle(rows, random);
    if (file % 4 == 2) std::ranges::copy(rows.begin(), rows.begin() + 300, rows.end() - 300);
    for (const std::string& row : rows) {
      int32_t id = StringPool::kNull;
      ASSERT_EQ(interner.Intern(row, id), nullptr);
      ASSERT_EQ(strings.Get(id), row);
      ASSERT_EQ(strings.Intern(row), id);  // no text has two ids
    }
  }
}

TEST(TextInterner, NoTextIsTakenThatALakeMayNotHold) {
  StringPool strings;
  ASSERT_TRUE(strings.Intern("a\x01"));  // by somebody who does not check
  for (int file = 0; file < 3; ++file) {
    TextInterner interner(strings);
    int32_t id = StringPool::kNull;
    EXPECT_EQ(interner.Intern("before", id), nullptr);
    EXPECT_NE(interner.Intern("a\x01", id), nullptr);
    EXPECT_EQ(interner.Intern("after", id), nullptr);
  }
}

TEST(TextInterner, SaysWhenThePoolIsFull) {
  StringPool strings(1000);
  TextInterner interner(strings);
  int32_t id = StringPool::kNull;
  TextFault fault = nullptr;
  int taken = 0;
  while ((fault = interner.Intern(fmt::format("text {}", taken), id)) == nullptr) ++taken;
  EXPECT_GT(taken, 5);
  EXPECT_LT(taken, 20);
  ASSERT_TRUE(interner.failure());
  EXPECT_EQ(interner.failure()->kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace lode::codec
