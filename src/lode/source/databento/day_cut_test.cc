#include "lode/source/databento/day_cut.h"

#include <gtest/gtest.h>

#include "lode/codec/testing/dbn_writer.h"

namespace lode::source::databento {
namespace {

using codec::FindDatabentoSchema;
using codec::fixture::DbnWriter;

const Day kMonday = *ParseDay("2024-01-08");

uint64_t At(int day, int64_t second) {
  return static_cast<uint64_t>((kMonday + day).start_ns() + second * 1'000'000'000);
}

DayCut FedWith(const DbnWriter& writer, const char* schema, size_t step = SIZE_MAX) {
  DayCut cut(*FindDatabentoSchema(schema));
  const auto bytes = std::as_bytes(std::span(writer.bytes()));
  for (size_t begin = 0; begin < bytes.size(); begin += std::min(step, bytes.size())) {
    cut.Feed(bytes.subspan(begin, std::min(step, bytes.size() - begin)));
  }
  return cut;
}

DbnWriter TradesOf(int version, const std::vector<uint64_t>& times) {
  DbnWriter writer({.version = version, .schema = "trades"});
  for (const uint64_t time : times) {
    writer.Add("trades", {{"instrument_id", 7}, {"ts_event", 1}, {"ts_recv", time}});
  }
  return writer;
}

TEST(DayCutTest, LiesBeforeTheFirstRecordOfTheLastDayBegun) {
  for (const int version : {1, 2, 3}) {
    const DbnWriter writer = TradesOf(version, {At(0, 0), At(0, 5), At(1, 0), At(1, 0), At(3, 7), At(3, 8)});
    for (const size_t step : {size_t{1}, size_t{7}, size_t{100}, SIZE_MAX}) {
      const auto place = FedWith(writer, "trades", step).place();
      ASSERT_TRUE(place) << version << " " << step;
      EXPECT_EQ(place->day, kMonday + 3);
      EXPECT_EQ(place->bytes, writer.record_offsets()[4]);
    }
  }
}

TEST(DayCutTest, BarsAreOfTheDayOfTheirEvent) {
  DbnWriter writer({.version = 3, .schema = "ohlcv-1d"});
  for (int day = 0; day < 3; ++day) writer.AddBar("ohlcv-1d", 1, 7, {At(day, 0), 1, 2, 3, 4, 5});
  const auto place = FedWith(writer, "ohlcv-1d").place();
  ASSERT_TRUE(place);
  EXPECT_EQ(place->day, kMonday + 2);
  EXPECT_EQ(place->bytes, writer.record_offsets()[2]);
}

TEST(DayCutTest, NothingIsToldBeforeARecordHasCome) {
  EXPECT_FALSE(FedWith(DbnWriter({.version = 3, .schema = "trades"}), "trades").place());
  DbnWriter gateway({.version = 3, .schema = "trades"});
  gateway.AddSystem("heartbeat", At(5, 0));
  EXPECT_FALSE(FedWith(gateway, "trades").place());
}

TEST(DayCutTest, NothingIsToldOfAStreamOutOfOrder) {
  EXPECT_FALSE(FedWith(TradesOf(3, {At(0, 0), At(2, 0), At(1, 0)}), "trades").place());
  EXPECT_FALSE(FedWith(TradesOf(3, {At(0, 0), codec::fixture::kUndefTimestamp}), "trades").place());
  DbnWriter torn = TradesOf(3, {At(0, 0), At(1, 0)});
  torn.AddRaw(std::string(1, '\0'));  // a record of no length
  EXPECT_FALSE(FedWith(torn, "trades").place());
}

TEST(DayCutTest, StartsAnewWhenReset) {
  DayCut cut = FedWith(TradesOf(3, {At(4, 0), At(5, 0)}), "trades");
  cut.Reset();
  EXPECT_FALSE(cut.place());
  const DbnWriter writer = TradesOf(2, {At(0, 0), At(1, 0)});
  cut.Feed(std::as_bytes(std::span(writer.bytes())));
  EXPECT_EQ(cut.place().value().day, kMonday + 1);
}

}  // namespace
}  // namespace lode::source::databento
