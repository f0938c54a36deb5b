#include "lode/source/tardis/csv_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "lode/codec/testing/deflate.h"

namespace lode::source::tardis {
namespace {

using codec::fixture::Gzip;
using testing::HasSubstr;

constexpr std::string_view kHeader = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";

std::string Rows(int count, std::string_view first = "deribit,BTC-PERPETUAL") {
  std::string text(kHeader);
  for (int i = 0; i < count; ++i) {
    text += fmt::format("{},1709251200000000,17092512{:08},{},buy,{},{}\n", first, i * 7919 % 100'000'000, i * 31,
                        50'000 + i % 977, i % 13);
  }
  return text;
}

class TardisCsvBody : public testing::Test {
 protected:
  TardisCsvBody() {
    std::string name = std::filesystem::temp_directory_path() / "lode-csv-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~TardisCsvBody() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<CsvBody> Open(std::string symbol = "BTC-PERPETUAL") {
    auto body = CsvBody::Open(folder_ / "file", true, {"deribit", std::move(symbol)});
    EXPECT_TRUE(body);
    return *body;
  }
  static Status Write(CsvBody& body, std::string_view bytes, size_t step = SIZE_MAX) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
      LODE_TRY(body.Write(std::as_bytes(std::span(bytes.substr(0, step)))));
    }
    return Ok();
  }
  // A whole answer from the start.
  Status Take(std::string_view bytes, net::ResponseHead head = {.status = 200}) {
    const auto body = Open();
    LODE_TRY(body->Begin(head, 0));
    LODE_TRY(Write(*body, bytes));
    return body->End();
  }
  // What came, wherever it is.
  std::string Got(CsvBody& body) const {
    if (auto bytes = body.bytes().Take()) return *std::move(bytes);
    std::ifstream in(folder_ / "file", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(TardisCsvBody, KeepsTheBytesAsTheyCame) {
  for (const std::string& all : {Gzip(Rows(300)), Gzip(std::string(kHeader)) + Gzip(Rows(20).substr(kHeader.size())),
                                 Gzip(std::string(kHeader)), Gzip("")}) {
    const auto body = Open();
    ASSERT_TRUE(body->Begin({.status = 200}, 0));
    ASSERT_TRUE(Write(*body, all, 11));
    const Status ended = body->End();
    ASSERT_TRUE(ended) << ended.error().ToString();
    EXPECT_EQ(body->bytes().size(), all.size());
    EXPECT_EQ(Got(*body), all);
  }
}

TEST_F(TardisCsvBody, NoPartOfAFileIsTakenForIt) {
  const std::string all = Gzip(Rows(40));
  for (size_t size = 0; size < all.size(); ++size) {
    const Status taken = Take(all.substr(0, size));
    ASSERT_FALSE(taken) << size;
    EXPECT_EQ(taken.error().kind, ErrorKind::kCorrupt);
    std::filesystem::remove(folder_ / "file");
  }
  for (size_t at = 10; at < all.size(); ++at) {
    std::string damaged = all;
    damaged[at] = static_cast<char>(~damaged[at]);
    EXPECT_FALSE(Take(damaged)) << at;
    std::filesystem::remove(folder_ / "file");
  }
  for (const std::string& other :
       {all + all.substr(0, 9), all + "x", std::string("[]"), std::string("<html>"), Rows(3)}) {
    EXPECT_FALSE(Take(other));
    std::filesystem::remove(folder_ / "file");
  }
}

// In the pieces a network makes of it, the second header's too.
TEST_F(TardisCsvBody, AFileThatCameTwiceOverIsNotTaken) {
  for (const std::string& all :
       {Gzip(Rows(300)), Gzip(Rows(1)), Gzip(std::string(kHeader)) + Gzip(Rows(20).substr(kHeader.size()))}) {
    for (const size_t step : {size_t{1}, size_t{7}, SIZE_MAX}) {
      const auto body = Open();
      ASSERT_TRUE(body->Begin({.status = 200}, 0));
      const Status taken = Write(*body, all + all, step);
      ASSERT_FALSE(taken) << step;
      EXPECT_EQ(taken.error().kind, ErrorKind::kCorrupt);
      EXPECT_EQ(body->held(), 0u);
      std::filesystem::remove(folder_ / "file");
    }
  }
}

TEST_F(TardisCsvBody, NothingIsAnEmptyDayOnlyWhereSomethingSaysSo) {
  const auto with = [](std::string name, std::string value) {
    net::ResponseHead head{.status = 200};
    head.headers.push_back({std::move(name), std::move(value)});
    return head;
  };
  EXPECT_FALSE(Take(""));
  EXPECT_FALSE(Take("", with("ETag", "\"0123456789abcdef0123456789abcdef\"")));
  EXPECT_TRUE(Take("", with("ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"")));
  EXPECT_TRUE(Take("", with("x-md5", "D41D8CD98F00B204E9800998ECF8427E")));
}

TEST_F(TardisCsvBody, AnAnswerToAnotherQuestionIsNone) {
  const Status other = Take(Gzip(Rows(5, "deribit,ETH-PERPETUAL")));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("the answer is for deribit ETH-PERPETUAL"));
  std::filesystem::remove(folder_ / "file");
  EXPECT_FALSE(Take(Gzip(Rows(5, "bitmex,BTC-PERPETUAL"))));
  std::filesystem::remove(folder_ / "file");
  EXPECT_FALSE(Take(Gzip(std::string(20'000, 'x'))));
  std::filesystem::remove(folder_ / "file");
  EXPECT_TRUE(Take(Gzip(Rows(5, "deribit,btc:perpetual"))));  // the exchange's own spelling
  const auto grouped = Open("");
  ASSERT_TRUE(grouped->Begin({.status = 200}, 0));
  ASSERT_TRUE(Write(*grouped, Gzip(Rows(5, "deribit,ETH-PERPETUAL"))));
  EXPECT_TRUE(grouped->End());
}

TEST_F(TardisCsvBody, GoesOnWhereItBrokeInThisRunAndTheNext) {
  const std::string all = Gzip(Rows(2'000));
  {
    const auto body = Open();
    EXPECT_EQ(body->held(), 0u);
    ASSERT_TRUE(body->Begin({.status = 200}, 0));
    ASSERT_TRUE(Write(*body, std::string_view(all).substr(0, 1'000)));
    EXPECT_FALSE(body->End());  // a chunked body that was ended in its middle
    EXPECT_EQ(body->held(), 1'000u);
    ASSERT_TRUE(body->Begin({.status = 206}, 1'000));
    ASSERT_TRUE(Write(*body, std::string_view(all).substr(1'000, 500)));
    ASSERT_TRUE(body->bytes().Leave());
  }
  const auto body = Open();  // the next run
  EXPECT_EQ(body->held(), 1'500u);
  ASSERT_TRUE(body->Begin({.status = 206}, 1'500));
  ASSERT_TRUE(Write(*body, std::string_view(all).substr(1'500)));
  ASSERT_TRUE(body->End());
  EXPECT_EQ(Got(*body), all);
}

TEST_F(TardisCsvBody, WhatIsNoBeginningIsDroppedAndAChangedFileNoticed) {
  const std::string all = Gzip(Rows(2'000)), other = Gzip(Rows(2'000, "deribit,btc-perpetual"));
  for (const std::string& held :
       {std::string("no gzip at all"), all, Gzip(Rows(400, "bitmex,XBTUSD")).substr(0, 3'000)}) {
    std::ofstream(folder_ / "file", std::ios::binary) << held;
    EXPECT_EQ(Open()->held(), 0u);  // `all` is whole: what should the next byte be?
  }
  std::ofstream(folder_ / "file", std::ios::binary) << all.substr(0, 1'000);
  const auto body = Open();
  ASSERT_EQ(body->held(), 1'000u);
  ASSERT_TRUE(body->Begin({.status = 206}, 1'000));
  const Status rest = Write(*body, std::string_view(other).substr(1'000));
  EXPECT_FALSE(rest && body->End());
  ASSERT_EQ(body->held(), 0u);  // from the start, then
  ASSERT_TRUE(body->Begin({.status = 200}, 0));
  ASSERT_TRUE(Write(*body, other));
  ASSERT_TRUE(body->End());
  EXPECT_EQ(Got(*body), other);
}

}  // namespace
}  // namespace lode::source::tardis
