#include "lode/codec/string_pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace lode::codec {
namespace {

std::string Text(int i) { return fmt::format("{}-{:0{}}", i, 0, 1 + i % 60); }

// Resident memory of this process.
size_t ResidentBytes() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096;
}

TEST(StringPool, InternFindsEqualTextAndAppendDoesNot) {
  StringPool pool;
  EXPECT_EQ(pool.Intern("a"), 0);
  EXPECT_EQ(pool.Intern("b"), 1);
  EXPECT_EQ(pool.Intern("a"), 0);
  const int32_t first = *pool.Append("a"), second = *pool.Append("a");
  EXPECT_NE(first, second);
  EXPECT_FALSE(StringPool::IsInterned(first));
  EXPECT_EQ(pool.Get(first), "a");
  EXPECT_EQ(pool.Get(second), "a");
  EXPECT_EQ(pool.size(), 2U);
  EXPECT_EQ(pool.Get(*pool.Append("")), "");
  const std::string widest(AppendedText::kMaxTextBytes, 'w');
  EXPECT_EQ(pool.Get(*pool.Append(widest)), widest);
}

TEST(StringPool, AppendedTextCountsAgainstTheLimitUnlessItIsSpilled) {
  constexpr size_t kLimit = size_t{4} << 20;
  StringPool kept(kLimit);
  const std::string text(100, 'x');
  Result<int32_t> last = 0;
  int appended = 0;
  for (; appended < 200'000 && last; ++appended) last = kept.Append(text);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().kind, ErrorKind::kBadInput);
  EXPECT_GT(appended, 30'000);

  StringPool spilled(kLimit);
  ASSERT_TRUE(spilled.SpillTo(::testing::TempDir()));
  for (int i = 0; i < 200'000; ++i) ASSERT_TRUE(spilled.Append(text)) << i;
  EXPECT_LE(spilled.bytes(), size_t{2} << 20);
}

TEST(StringPool, SpilledTextKeepsItsPlaceAndLeavesMemory) {
  StringPool pool;
  ASSERT_TRUE(pool.SpillTo(::testing::TempDir()));
  constexpr int kTexts = 1'000'000;  // 40 MB
  std::vector<int32_t> ids;
  ids.reserve(kTexts);
  ids.push_back(*pool.Append(Text(0)));
  const std::string_view early = pool.Get(ids[0]);
  const size_t before = ResidentBytes();
  for (int i = 1; i < kTexts; ++i) ids.push_back(*pool.Append(Text(i)));
  const size_t filled = ResidentBytes();
  EXPECT_EQ(pool.Get(ids[0]).data(), early.data());
  for (int i = 0; i < kTexts; ++i) ASSERT_EQ(pool.Get(ids[static_cast<size_t>(i)]), Text(i));
  pool.ReleasePages();
  if (!LODE_SANITIZED) {  // whose shadow memory counts as resident
    EXPECT_LT(filled, before + (size_t{20} << 20));
    EXPECT_LT(ResidentBytes(), before + (size_t{20} << 20));
  }
  for (int i = 0; i < kTexts; i += 997) ASSERT_EQ(pool.Get(ids[static_cast<size_t>(i)]), Text(i));
}

// A window of texts over a long file: those before it are forgotten, and the window stays whole.
TEST(StringPool, ForgottenTextGivesItsMemoryToLaterText) {
  for (const bool spills : {false, true}) {
    StringPool pool(size_t{32} << 20);
    ASSERT_TRUE(!spills || pool.SpillTo(::testing::TempDir()));
    constexpr int kTexts = 1'000'000, kStep = 50'000;  // 40 MB, 2 MB a step
    std::vector<int32_t> window;                       // of this step and the one before
    uint64_t mark = pool.mark();
    for (int begin = 0; begin < kTexts; begin += kStep) {
      const uint64_t next_mark = pool.mark();
      for (int i = begin; i < begin + kStep; ++i) window.push_back(*pool.Append(Text(i)));
      const int first = begin + kStep - static_cast<int>(window.size());
      for (size_t i = 0; i < window.size(); i += 7) ASSERT_EQ(pool.Get(window[i]), Text(first + static_cast<int>(i)));
      ASSERT_LE(pool.bytes(), size_t{8} << 20);
      pool.ForgetAppended(mark);
      mark = next_mark;
      if (begin > 0) window.erase(window.begin(), window.begin() + kStep);
    }
  }
}

// What went to the file before it was forgotten is not taken for memory.
TEST(StringPool, ForgettingSpilledTextLeavesTheRestWhole) {
  StringPool pool;
  ASSERT_TRUE(pool.SpillTo(::testing::TempDir()));
  constexpr int kTexts = 200'000;  // 8 MB
  std::vector<int32_t> ids;
  const auto append = [&](int first, int last) {
    for (int i = first; i < last; ++i) ids.push_back(*pool.Append(Text(i)));
  };
  append(0, kTexts);
  const uint64_t mark = pool.mark();
  append(kTexts, 2 * kTexts);
  pool.ForgetAppended(mark);
  append(2 * kTexts, 3 * kTexts);
  pool.ReleasePages();
  EXPECT_LE(pool.bytes(), size_t{14} << 20);
  for (size_t i = kTexts; i < ids.size(); ++i) ASSERT_EQ(pool.Get(ids[i]), Text(static_cast<int>(i)));
}

TEST(StringPool, AFolderThatIsNotThereIsAStorageError) {
  StringPool pool;
  EXPECT_EQ(pool.SpillTo("/nonexistent").error().kind, ErrorKind::kStorage);
}

}  // namespace
}  // namespace lode::codec
