#include <gtest/gtest.h>

#include "lode/base/decimal.h"
#include "lode/base/hashing.h"
#include "lode/base/log.h"
#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode {
namespace {

TEST(Time, DaysRoundTripOverFourCenturies) {
  for (int32_t since_epoch = -80'000; since_epoch < 80'000; since_epoch += 7) {
    const Day day{since_epoch};
    EXPECT_EQ(ToDay(ToYearMonthDay(day)), day);
    EXPECT_EQ(ParseDay(FormatDay(day)).value(), day);
  }
  EXPECT_EQ(FormatDay(Day{19'782}), "2024-02-29");
}

TEST(Time, RefusesDaysThatDoNotExist) {
  for (const char* text : {"2023-02-29", "2024-06-31", "2024-13-01", "2024-1-01", "20240101", "", "2024-01-01x"}) {
    EXPECT_FALSE(ParseDay(text).has_value()) << text;
  }
}

TEST(Time, InstantsKeepNanosecondsAndRoundDaysDown) {
  const int64_t ns = ParseIsoNs("2024-01-02T03:04:05.000000007Z").value();
  EXPECT_EQ(FormatIsoNs(ns), "2024-01-02T03:04:05.000000007Z");
  EXPECT_EQ(ParseIsoNs("2024-01-02 03:04:05.5").value() % kNsPerSecond, 500'000'000);
  EXPECT_EQ(ParseIsoNs("2024-01-02").value(), ParseDay("2024-01-02").value().start_ns());
  EXPECT_EQ(FormatDay(DayOf(-1)), "1969-12-31");
  EXPECT_EQ(FormatIsoNs(-1), "1969-12-31T23:59:59.999999999Z");
  for (const char* text : {"2024-01-02T", "2024-01-02T25:00:00Z", "2024-01-02T03:04:05.1234567890Z", "2300-01-01",
                           "2024-01-02T03:04:05.Z", "nonsense"}) {
    EXPECT_FALSE(ParseIsoNs(text).has_value()) << text;
  }
}

TEST(Decimal, ParsesExactlyWhatFitsDecimal18_9) {
  EXPECT_EQ(ParseDecimal9("-12.5").value(), -12'500'000'000);
  EXPECT_EQ(ParseDecimal9("0.000000001").value(), 1);
  EXPECT_EQ(ParseDecimal9("999999999.999999999").value(), kDecimal9Max);
  EXPECT_EQ(ParseDecimal9("000000000017030.25").value(), 17'030'250'000'000);
  for (const char* text : {"", "-", ".5", "5.", "1000000000", "1e5", "nan", "1,5", " 1", "0.0000000001", "--1"}) {
    EXPECT_FALSE(ParseDecimal9(text).has_value()) << text;
  }
}

TEST(Decimal, FormatsTheWholeRangeOfInt64) {
  EXPECT_EQ(FormatDecimal9(-1), "-0.000000001");
  EXPECT_EQ(FormatDecimal9(INT64_MIN), "-9223372036.854775808");
  EXPECT_FALSE(FitsDecimal9(INT64_MAX));
}

TEST(Hashing, MatchesThePublishedVector) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// The check value of RFC 3720's CRC-32C.
TEST(Hashing, Crc32cMatchesThePublishedVectorInAnyPieces) {
  const std::string_view text = "123456789";
  EXPECT_EQ(Crc32c(text), 0xE3069283U);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Crc32c(text.substr(cut), Crc32c(text.substr(0, cut))), 0xE3069283U) << cut;
  }
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Error, ReadsOutsideIn) {
  const Error error = Error{ErrorKind::kBadInput, "record length 0", {}}.With("x.dbn").With("import nq");
  EXPECT_EQ(error.ToString(), "import nq: x.dbn: record length 0");
}

TEST(Log, RedactsRegisteredSecrets) {
  log::RedactSecret("db-verysecret");
  EXPECT_EQ(log::Redact("key db-verysecret, db-verysecret"), "key ***, ***");
}

}  // namespace
}  // namespace lode
