#include "lode/codec/json_template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lode::codec {
namespace {

// The scalars as "text" or 'text' when quoted, "-" when the line does not match.
std::string Match(const JsonTemplate& shape, std::string_view line) {
  const std::string padded = std::string(line) + R"("\"\"\"\"\"\"\"\"\")";  // bytes behind the line must not count
  std::vector<JsonScalar> scalars;
  if (!shape.Match(std::string_view(padded).substr(0, line.size()), scalars)) return "-";
  std::string shown;
  for (const JsonScalar& scalar : scalars) {
    const char* const quote = scalar.quoted ? "'" : "";
    shown += fmt::format("{0}{1}{0} ", quote, scalar.text);
  }
  return shown;
}

JsonTemplate Learned() {
  constexpr std::string_view kLine = R"({"a":"x","b":{"c":12},"d":[null]})";
  JsonTemplate shape;
  EXPECT_TRUE(shape.empty());
  shape.Learn(kLine, {{kLine.substr(6, 1), true}, {kLine.substr(18, 2), false}, {kLine.substr(27, 4), false}},
              {5, 6, 7});
  return shape;
}

TEST(JsonTemplate, MatchesLinesOfItsShape) {
  const JsonTemplate shape = Learned();
  EXPECT_FALSE(shape.empty());
  EXPECT_EQ(shape.fields(), (std::vector<int>{5, 6, 7}));
  EXPECT_EQ(Match(shape, R"({"a":"x","b":{"c":12},"d":[null]})"), "'x' 12 null ");
  EXPECT_EQ(Match(shape, R"({"a":"","b":{"c":"a long text, with {}"},"d":[-1.5]})"), "'' 'a long text, with {}' -1.5 ");
  EXPECT_EQ(Match(shape, R"({"a":null,"b":{"c":},"d":[]})"), "null   ");
}

TEST(JsonTemplate, RefusesEveryOtherShape) {
  const JsonTemplate shape = Learned();
  for (const std::string_view other :
       {R"({"a":"x","b":{"c":12},"d":[null]} )", R"({"a":"x","b":{"c":12},"d":[null,1]})",
        R"({"A":"x","b":{"c":12},"d":[null]})", R"({"a":"x\"","b":{"c":12},"d":[null]})",
        R"({"a":"x,"b":{"c":12},"d":[null]})", R"({"a":"x","b":{"c":12},"d":[nul)", R"({"a":"x","b":{"c":1)",
        R"({"a":")", R"({"a":)", "", R"({"a":[1],"b":{"c":12},"d":[null]})"}) {
    EXPECT_EQ(Match(shape, other), "-") << other;
  }
}

}  // namespace
}  // namespace lode::codec
