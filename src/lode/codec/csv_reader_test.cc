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

// Random lines of few kinds of bytes, read in blocks of any size, against the plain way to split them.
TEST(CsvReader, AgreesWithSplittingAtEveryComma) {
  constexpr uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (const size_t step : {size_t{7}, size_t{1000}, size_t{1} << 20}) {
    std::string text = "a,b,c\n";
    std::vector<std::string> expected;
    for (int i = 0; i < 20'000; ++i) {
      // Most lines short, so that many end in one block; some longer than what is indexed at once.
      const size_t longest = i % 4000 == 17 ? 40'000 : i % 3 == 0 ? 200 : 12;
      const size_t size = random() % longest;
      const bool has_quotes = random() % 50 == 0, has_return = random() % 10 == 0;
      std::string line;
      while (line.size() < size) {
        line += random() % (longest / 4 + 2) == 0 ? ',' : static_cast<char>('0' + random() % 10);
      }
      std::string plain = line;
      if (has_quotes) {
        line = fmt::format("\"{}\",\"\"\"\",x", line);
        plain += "|\"|x";
      } else {
        const auto commas = std::ranges::count(line, ',');
        std::ranges::replace(plain, ',', '|');
        if (commas < 2) plain = "<fewer fields than the header>";
        if (commas > 2) plain = "<more fields than the header>";
      }
      expected.push_back(plain);
      text += line + (has_return ? "\r\n" : "\n");
    }
    const std::vector<std::string> lines = Lines(text, step);
    ASSERT_EQ(lines.size(), expected.size());
    for (size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], expected[i]) << i;
  }
}

TEST(CsvReader, KnowsTheNumberAndPlaceOfEveryLine) {
  auto reader = Open("a,b\n1,2\n\"3\",4\n5\n6,7\n", 1000);
  ASSERT_TRUE(reader);
  std::vector<std::string> seen;
  while (*reader->Next())
    seen.push_back(fmt::format("{} {} {}", reader->line_number(), reader->offset(), reader->raw()));
  EXPECT_THAT(seen, ElementsAre("2 4 1,2", "3 8 \"3\",4", "4 14 5", "5 16 6,7"));
}

// Nothing behind the text counts, wherever it ends.
TEST(CsvIndex, LooksNoFurtherThanTheText) {
  for (size_t size = 0; size <= 200; ++size) {
    std::string text;
    while (text.size() < size) text += text.size() % 7 == 6 ? '\n' : text.size() % 3 == 1 ? ',' : 'x';
    std::vector<uint32_t> marks;
    size_t lines = 0, marks_of_lines = 0;
    for (size_t at = 0; at < size; ++at) {
      if (text[at] == 'x') continue;
      marks.push_back(static_cast<uint32_t>(at));
      if (text[at] != '\n') continue;
      ++lines;
      marks_of_lines = marks.size();
    }
    for (const std::string_view behind : {"\n", ",", "\""}) {
      std::string padded = text;
      while (padded.size() < size + CsvIndex::kPadding) padded += behind;
      CsvIndex index;
      index.Find(std::string_view(padded).substr(0, size));
      ASSERT_EQ(index.lines(), lines) << size;
      for (size_t i = 0; i < marks_of_lines; ++i) ASSERT_EQ(index.marks()[i], marks[i]) << size;
      ASSERT_TRUE(lines == 0 || index.end_mark(lines - 1) + 1 == marks_of_lines) << size;
    }
  }
}

}  // namespace
}  // namespace lode::codec
