#include "lode/codec/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace lode::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Gives its bytes a few at a time, so that every boundary is met.
class Trickle final : public ByteSource {
 public:
  Trickle(std::string bytes, size_t step) : bytes_(std::move(bytes)), step_(step) {}
  Result<size_t> Read(std::span<std::byte> out) override {
    const size_t count = std::min({out.size(), step_, bytes_.size() - at_});
    if (count > 0) std::memcpy(out.data(), bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string bytes_;
  size_t step_;
  size_t at_ = 0;
};

Result<CsvReader> Open(std::string text, size_t step = 3) {
  return CsvReader::Open(std::make_unique<Trickle>(std::move(text), step));
}

// Every data line as its fields joined by '|', or its fault in <>; a structural error in [].
std::vector<std::string> Lines(std::string text, size_t step = 3) {
  std::vector<std::string> lines;
  auto reader = Open(std::move(text), step);
  if (!reader) return {"[" + reader.error().message + "]"};
  for (;;) {
    const auto more = reader->Next();
    if (!more) lines.push_back("[" + more.error().message + "]");
    if (!more || !*more) return lines;
    lines.push_back(reader->fault() != nullptr ? fmt::format("<{}>", reader->fault())
                                               : fmt::format("{}", fmt::join(reader->fields(), "|")));
  }
}

TEST(CsvReader, ReadsLinesAtAnyBlockBoundary) {
  for (const size_t step : {1, 2, 3, 5, 1000}) {
    EXPECT_THAT(Lines("a,b\n1,2\n3,\n,\n", step), ElementsAre("1|2", "3|", "|"));
  }
}

TEST(CsvReader, ToleratesByteOrderMarkAndCarriageReturns) {
  auto reader = Open(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2\r\n",
      1);
  ASSERT_TRUE(reader);
  EXPECT_THAT(reader->columns(), ElementsAre("a", "b"));
  EXPECT_EQ(reader->Find("b"), 1);
  EXPECT_EQ(reader->Find("c"), -1);
  ASSERT_TRUE(*reader->Next());
  EXPECT_THAT(reader->fields(), ElementsAre("1", "2"));
  EXPECT_EQ(reader->line_number(), 2);
  EXPECT_EQ(reader->row(), 0);
  EXPECT_EQ(reader->offset(), 8);
}

TEST(CsvReader, Quotes) {
  EXPECT_THAT(Lines("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"\",\"z\"\r\n"), ElementsAre("x,y|say \"hi\"", "|z"));
  EXPECT_THAT(Lines("a,b\n\"x,y\n1,2\n"), ElementsAre("<a quoted field does not end on its line>", "1|2"));
  EXPECT_THAT(Lines("a\n\"x\"y\n"), ElementsAre("<text follows a closing quote>"));
  EXPECT_THAT(Lines("a\nx\"y\"\n"), ElementsAre("<a quote inside a field that does not begin with one>"));
}

TEST(CsvReader, CountsFields) {
  EXPECT_THAT(Lines("a,b\n1\n1,2,3\n\n"), ElementsAre("<fewer fields than the header>", "<more fields than the header>",
                                                      "<fewer fields than the header>"));
}

TEST(CsvReader, AHeaderAloneIsAFileOfNoRecords) { EXPECT_THAT(Lines("a,b\n"), ElementsAre()); }

TEST(CsvReader, StructuralFaults) {
  EXPECT_THAT(Lines(""), ElementsAre("[empty file]"));
  EXPECT_THAT(Lines("\xEF\xBB\xBF"), ElementsAre("[line 1: no header]"));
  EXPECT_THAT(Lines("a,b"), ElementsAre("[line 1: no line end: the file is cut short]"));
  EXPECT_THAT(Lines("a\n1\n2"), ElementsAre("1", "[line 3: no line end: the file is cut short]"));
  EXPECT_THAT(Lines("a,a\n"), ElementsAre("[line 1: header: column 'a' comes twice]"));
  EXPECT_THAT(Lines("a,\"b\n"), ElementsAre(HasSubstr("header: a quoted field")));
  EXPECT_THAT(Lines("a,\x01\n"), ElementsAre(HasSubstr("control character")));
  EXPECT_THAT(Lines("h" + std::string(5000, ',') + "\n"), ElementsAre(HasSubstr("more than 4096 columns")));
}

TEST(CsvReader, ALineMayBeAMebibyteAndNoLonger) {
  const std::string longest(LineRules{}.max_line_bytes, 'x');
  EXPECT_THAT(Lines("a\n" + longest + "\n2\n", 1 << 16), ElementsAre(longest, "2"));
  EXPECT_THAT(Lines("a\n" + longest + "x\n2\n", 1 << 16), ElementsAre("[line 2: longer than 1 MiB]"));
}

// The wide splitter against the plain one, on random lines padded by bytes that must not count.
TEST(CsvReader, BothSplittersAgree) {
  constexpr uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  std::vector<std::string_view> fast, plain;
  std::string scratch;
  for (int i = 0; i < 20'000; ++i) {
    const size_t size = random() % 70;
    std::string buffer;
    while (buffer.size() < size) buffer += random() % 4 == 0 ? ',' : static_cast<char>('0' + random() % 10);
    buffer += std::string(LineReader::kPadding, random() % 2 == 0 ? ',' : '"');
    const std::string_view line = std::string_view(buffer).substr(0, size);
    ASSERT_TRUE(SplitPlainCsv(line, fast)) << line;
    ASSERT_EQ(SplitCsv(line, plain, scratch), nullptr) << line;
    ASSERT_EQ(fast, plain) << line;
  }
}

}  // namespace
}  // namespace lode::codec
