#include "lode/codec/text_values.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "lode/base/decimal.h"
#include "lode/base/time.h"

namespace lode::codec {
namespace {

std::optional<int64_t> Price(std::string_view text, TextShape shape = TextShape::kAny) {
  int64_t scaled = 0;
  // A copy without anything behind it, so that a sanitizer sees a read past the end.
  const std::string exact(text);
  if (ReadPrice(exact, shape, scaled) != nullptr) return std::nullopt;
  return scaled;
}

std::optional<int64_t> Time(std::string_view text, TextShape shape = TextShape::kAny) {
  TimeReader reader;
  int64_t ns = 0;
  bool is_null = false;
  if (reader.Read(text, shape, ns, is_null) != nullptr || is_null) return std::nullopt;
  return ns;
}

TEST(TextValues, Digits) {
  uint64_t value = 1;
  EXPECT_TRUE(ParseDigits("0", value));
  EXPECT_EQ(value, 0U);
  EXPECT_TRUE(ParseDigits("18446744073709551615", value));
  EXPECT_EQ(value, UINT64_MAX);
  EXPECT_TRUE(ParseDigits("12345678901234567", value));
  EXPECT_EQ(value, 12345678901234567U);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "18446744073709551616", "99999999999999999999",
                          "1234567:", "1234567/", "123456789012345678901", "0x10", "1.0", "1e3"}) {
    EXPECT_FALSE(ParseDigits(bad, value)) << bad;
  }
}

TEST(TextValues, SignedDigits) {
  int64_t value = 0;
  EXPECT_TRUE(ParseSigned("-9223372036854775808", value));
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_TRUE(ParseSigned("9223372036854775807", value));
  EXPECT_EQ(value, INT64_MAX);
  EXPECT_FALSE(ParseSigned("9223372036854775808", value));
  EXPECT_FALSE(ParseSigned("-9223372036854775809", value));
  EXPECT_FALSE(ParseSigned("-", value));
  EXPECT_FALSE(ParseSigned("--1", value));
}

TEST(TextValues, PricesInBothShapes) {
  EXPECT_EQ(Price("17030.250000000"), 17'030'250'000'000);
  EXPECT_EQ(Price("-0.163000000"), -163'000'000);
  EXPECT_EQ(Price("-12.5"), -12'500'000'000);
  EXPECT_EQ(Price("372025000000000"), 372'025'000'000'000);
  EXPECT_EQ(Price("-1"), -1);
  EXPECT_EQ(Price("999999999.999999999"), kDecimal9Max);
  EXPECT_EQ(Price("9223372036854775807"), kTextUndefPrice);
  EXPECT_EQ(Price("9223372036.854775807"), kTextUndefPrice);
  for (const char* bad : {"1000000000.000000000", "1000000000000000000", "-1000000000000000000", "12,5", "1e5", "nan",
                          "-", ".", "1.", ".5", "1.0000000001", "17030.25000000x", "1703x.250000000", "--1.000000000",
                          "+1.5", "+17030.250000000", "9223372036854775806", "17030.2500000 0"}) {
    EXPECT_EQ(Price(bad), std::nullopt) << bad;
  }
}

TEST(TextValues, AKnownPriceShapeRefusesTheOther) {
  EXPECT_EQ(Price("17030.250000000", TextShape::kPretty), 17'030'250'000'000);
  EXPECT_EQ(Price("17030", TextShape::kPretty), std::nullopt);
  EXPECT_EQ(Price("17030", TextShape::kRaw), 17'030);
  EXPECT_EQ(Price("17030.250000000", TextShape::kRaw), std::nullopt);
}

TEST(TextValues, TimesInBothShapes) {
  EXPECT_EQ(Time("2024-01-02T00:00:00.000000001Z"), 1'704'153'600'000'000'001);
  EXPECT_EQ(Time("2024-01-02T23:59:59.999999999Z"), 1'704'239'999'999'999'999);
  EXPECT_EQ(Time("2024-01-02 00:00:00"), 1'704'153'600'000'000'000);
  EXPECT_EQ(Time("2024-01-02"), 1'704'153'600'000'000'000);
  EXPECT_EQ(Time("1704153600000000000"), 1'704'153'600'000'000'000);
  EXPECT_EQ(Time("0"), 0);
  for (const char* bad : {"2024-02-30T00:00:00.000000000Z", "2024-01-02T24:00:00.000000000Z", "today", "-5",
                          "2024-01-02T00:60:00.000000000Z", "2024-01-02T00:00:00.00000000xZ", "20240102", "x",
                          "2024-01-02T00:00:0:.000000000Z", "9223372036854775808", "99999-01-02T00:00:00.0000000Z"}) {
    if (std::string_view(bad) == "20240102") continue;  // nanoseconds, however early
    EXPECT_EQ(Time(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(Time("2024-01-02", TextShape::kRaw), std::nullopt);
  EXPECT_EQ(Time("1704153600000000000", TextShape::kPretty), std::nullopt);
}

TEST(TextValues, UndefinedTimeIsNull) {
  TimeReader reader;
  int64_t ns = 1;
  bool is_null = false;
  EXPECT_EQ(reader.Read("18446744073709551615", TextShape::kAny, ns, is_null), nullptr);
  EXPECT_TRUE(is_null);
}

TEST(TextValues, TheRememberedDayChangesNothing) {
  TimeReader reader;
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t expected = static_cast<int64_t>(random() >> 1) % (3 * kNsPerDay) - kNsPerDay;
    const std::string text = FormatIsoNs(expected);
    int64_t ns = 0;
    bool is_null = true;
    ASSERT_EQ(reader.Read(text, TextShape::kAny, ns, is_null), nullptr) << text;
    ASSERT_EQ(ns, expected) << text;
  }
}

// The readers against the plain ones of base, on random texts near the vendor's forms.
TEST(TextValues, AgreeWithThePlainReaders) {
  constexpr uint64_t kSeed = 20'240'101;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  TimeReader reader;
  for (int i = 0; i < 50'000; ++i) {
    std::string price = FormatDecimal9(static_cast<int64_t>(random() % 2'000'000'000'000'000'000) - kDecimal9Max);
    std::string time = FormatIsoNs(static_cast<int64_t>(random() % 4'000'000'000'000'000'000));
    if (random() % 2 == 0) price[random() % price.size()] = static_cast<char>(random() % 128);
    if (random() % 2 == 0) time[random() % time.size()] = static_cast<char>(random() % 128);
    int64_t scaled = 0, ns = 0;
    bool is_null = false;
    const auto plain_price = ParseDecimal9(price);
    const bool price_taken = ReadPrice(price, TextShape::kPretty, scaled) == nullptr;
    ASSERT_EQ(price_taken, plain_price.has_value() && price.contains('.') && price[0] != '+') << price;
    if (price_taken) {
      ASSERT_EQ(scaled, *plain_price) << price;
    }
    const auto plain_time = ParseIsoNs(time);
    const bool time_taken = reader.Read(time, TextShape::kPretty, ns, is_null) == nullptr;
    ASSERT_EQ(time_taken, plain_time.has_value()) << time;
    if (time_taken) {
      ASSERT_EQ(ns, *plain_time) << time;
    }
  }
}

TEST(TextValues, Text) {
  EXPECT_EQ(CheckText(""), nullptr);
  EXPECT_EQ(CheckText("ES:BF H4-M4-U4 \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), nullptr);
  EXPECT_EQ(CheckText("../../etc/passwd"), nullptr);
  EXPECT_EQ(CheckText(std::string(256, 'x')), nullptr);
  EXPECT_NE(CheckText(std::string(257, 'x')), nullptr);
  using std::string_view_literals::operator""sv;
  for (const std::string_view bad : {"a\0b"sv, "\n"sv, "\x7F"sv, "\xC2\x85"sv, "\x80"sv, "\xC0\xAF"sv, "\xE0\x80\xAF"sv,
                                     "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv, "\xC3"sv, "\xE2\x82"sv, "\xFF"sv}) {
    EXPECT_NE(CheckText(bad), nullptr) << Excerpt(bad);
  }
}

TEST(TextValues, ExcerptsFitALine) {
  EXPECT_EQ(Excerpt("a\nb\x1B[31m"), "a?b?[31m");
  EXPECT_EQ(Excerpt(std::string(50, 'x')), fmt::format("{:x>40}...", ""));
}

TEST(TextValues, JsonStrings) {
  std::string out;
  AppendJsonString(out, "a\"b\\c\n\xC3\xA9");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\u000a\xC3\xA9\"");
}

}  // namespace
}  // namespace lode::codec
