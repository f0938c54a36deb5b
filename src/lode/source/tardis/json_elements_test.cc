#include "lode/source/tardis/json_elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace lode::source::tardis {
namespace {

using nlohmann::json;

// Feeds a document in pieces of `step` bytes; the elements of each path, and the rest.
struct Cut {
  std::vector<json> elements;
  json rest;
};
Result<Cut> CutOut(const std::string& text, const std::vector<std::string>& paths, size_t step) {
  Cut cut{std::vector<json>(paths.size(), json::array()), {}};
  JsonElements elements(paths, [&](size_t array, std::string_view piece) -> Status {
    const json parsed = json::parse(piece, nullptr, false);
    if (!parsed.is_array() || parsed.empty()) return Fail(ErrorKind::kBadInput, "piece: {}", piece);
    for (const json& element : parsed) cut.elements[array].push_back(element);
    return Ok();
  });
  for (size_t i = 0; i < text.size(); i += step) LODE_TRY(elements.Feed(std::string_view(text).substr(i, step)));
  LODE_TRY(const std::string rest, elements.Finish());
  cut.rest = json::parse(rest, nullptr, false);
  return cut;
}

TEST(JsonElements, ArraysAreCutOutWhereverTheBytesBreak) {
  const std::string text = R"( {"id":"x","a,[b":[1],"list":[{"s":"br]ack,et\"\\"},[1,[2]],"two", 3 ],
      "deep":{"other":[[1]],"list":[{"k":{"list":[5]}}],"none":[ ]},"key\"":{"list":[9]},"last":"]}"} )";
  for (const size_t step : {1, 2, 3, 7, 1000}) {
    const auto cut = CutOut(text, {"list", "deep.list", "deep.none"}, step);
    ASSERT_TRUE(cut) << cut.error().ToString();
    EXPECT_EQ(cut->elements[0], json::parse(R"([{"s":"br]ack,et\"\\"},[1,[2]],"two",3])")) << step;
    EXPECT_EQ(cut->elements[1], json::parse(R"([{"k":{"list":[5]}}])"));
    EXPECT_EQ(cut->elements[2], json::array());
    json rest = json::parse(text);
    rest["list"] = rest["deep"]["list"] = json::array();
    EXPECT_EQ(cut->rest, rest);
  }
}

TEST(JsonElements, TheDocumentMayBeTheArrayAndPiecesAreBounded) {
  json all = json::array();
  for (int i = 0; i < 40'000; ++i) all.push_back({{"id", "SYMBOL-" + std::to_string(i)}, {"n", {i, {{"x", i}}}}});
  size_t pieces = 0, largest = 0;
  json got = json::array();
  JsonElements elements({""}, [&](size_t, std::string_view piece) -> Status {
    ++pieces;
    largest = std::max(largest, piece.size());
    for (const json& element : json::parse(piece)) got.push_back(element);
    return Ok();
  });
  const std::string text = all.dump();
  for (size_t i = 0; i < text.size(); i += 16'000) {
    ASSERT_TRUE(elements.Feed(std::string_view(text).substr(i, 16'000)));
  }
  ASSERT_EQ(*elements.Finish(), "[]");
  EXPECT_EQ(got, all);
  EXPECT_GT(pieces, 4u);
  EXPECT_LT(largest, JsonElements::kPieceBytes + 1'000);
}

TEST(JsonElements, WhatIsNoWholeDocumentIsRefused) {
  const std::string good = R"({"a":[{"b":"]"},2],"c":{"d":1}})";
  ASSERT_TRUE(CutOut(good, {"a"}, 5));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(CutOut(good.substr(0, size), {"a"}, 5)) << good.substr(0, size);
  }
  for (const char* bad : {R"({"a":[1}})", R"({"a":[1,]})", R"({"a":[,1]})", R"({"a":[1]}})", R"({"a":[1]} x)",
                          R"({"a":[1]}{})", "", "  ", R"("text")", "17", "]"}) {
    EXPECT_FALSE(CutOut(bad, {"a"}, 3)) << bad;
  }
  EXPECT_FALSE(CutOut(std::string(100, '[') + std::string(100, ']'), {"a"}, 50));
}

TEST(JsonElements, RandomDocumentsComeOutAsTheyWentIn) {
  std::random_device device;
  const uint64_t seed = device();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](uint64_t limit) { return random() % limit; };
  const std::function<json(int)> value = [&](int depth) -> json {
    switch (below(depth > 3 ? 3 : 5)) {
      case 0: return std::string(std::vector<std::string>{"", "\"", "\\", "]}", "a,b:c", "[{", "\\\""}[below(7)]);
      case 1: return static_cast<int64_t>(below(1000)) - 500;
      case 2: return nullptr;
      case 3: {
        json list = json::array();
        for (uint64_t i = below(4); i > 0; --i) list.push_back(value(depth + 1));
        return list;
      }
      default: {
        json object = json::object();
        for (uint64_t i = below(4); i > 0; --i)
          object[std::vector<std::string>{"a", "list", "]", "\""}[below(4)]] = value(depth + 1);
        return object;
      }
    }
  };
  for (int i = 0; i < 500; ++i) {
    json document = {{"list", json::array()}, {"rest", value(0)}};
    for (uint64_t n = below(6); n > 0; --n) document["list"].push_back(value(0));
    const std::string text = document.dump(below(2) == 0 ? -1 : 2);
    const auto cut = CutOut(text, {"list"}, 1 + below(20));
    ASSERT_TRUE(cut) << "seed " << seed << ": " << text << ": " << cut.error().ToString();
    EXPECT_EQ(cut->elements[0], document["list"]) << "seed " << seed;
    document["list"] = json::array();
    EXPECT_EQ(cut->rest, document) << "seed " << seed;
  }
}

}  // namespace
}  // namespace lode::source::tardis
