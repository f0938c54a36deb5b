// The trades of an instrument and day, from which bars, quotes and statistics follow: every schema of the simulator
// tells of the same day.
#pragma once

#include <algorithm>
#include <cstdint>

#include "market.h"
#include "universe.h"

namespace lode::vendor {

struct Trade {
  uint64_t ts_ns;  // ts_event; the record is received kReceiveDelayNs later, within the same second
  int64_t price;
  uint32_t size;
  char side;  // A or B, the aggressor
  uint16_t publisher_id;
};

inline constexpr uint64_t kReceiveDelayNs = 135'000;

// How many trades a day has, and where its prices begin. Depends on contract, day and seed only.
struct DayShape {
  int trades = 0;
  int64_t open_price = 0;
  uint32_t max_size = 1;
  uint64_t random_seed = 0;
  int32_t session_s = 0;  // seconds of trading in the UTC day
};
DayShape ShapeOf(const Universe& universe, const Contract& contract, Day day);

// At the end of the day; rises and falls with the contract's life.
int64_t OpenInterestOf(const Universe& universe, const Contract& contract, Day day);

// Second of the UTC day of the n-th second of trading: Sundays 23:00 to 24:00, Fridays until 22:00, other days pause
// from 22:00 to 23:00; stocks and their options 14:30 to 21:00.
int32_t SecondOfDay(bool is_equity, int week_day, int32_t session_second);

// Calls take(const Trade&) in order of time. `revision` n > 0: the first trade is n lots larger, the last n ticks
// lower; one or two trades turn out never to have been.
template <typename Take>
void ForEachTrade(const Universe& universe, const Contract& contract, Day day, int revision, Take&& take) {
  const DayShape shape = ShapeOf(universe, contract, day);
  if (shape.trades == 0 || (revision > 0 && shape.trades <= 2)) return;
  fixtures::Random random(shape.random_seed);
  const int week_day = fixtures::WeekDay(day);
  const auto& publishers = universe.dataset().publishers;
  const bool is_equity = publishers.size() > 1 || contract.instrument_class == 'K';
  const auto start = static_cast<uint64_t>(day.start_ns());
  Trade trade{0, shape.open_price, 1, 'A', publishers[0].first};
  for (int i = 0; i < shape.trades; ++i) {
    const uint64_t bits = random.Next();
    const int64_t from = int64_t{shape.session_s} * i / shape.trades;
    const int64_t to = std::max<int64_t>(int64_t{shape.session_s} * (i + 1) / shape.trades, from + 1);
    const auto second =
        static_cast<int32_t>(from + static_cast<int64_t>((bits & 0xFFFF) % static_cast<uint64_t>(to - from)));
    const uint64_t fraction_ns = 1'000 + ((bits >> 16) & 0xFFFFFF) * 45;  // below 0.76 s
    const uint64_t at =
        start + static_cast<uint64_t>(SecondOfDay(is_equity, week_day, second)) * 1'000'000'000 + fraction_ns;
    trade.ts_ns = std::max(at, trade.ts_ns + 1'000);
    trade.price += (static_cast<int64_t>((bits >> 40) % 5) - 2) * contract.tick;
    trade.size = 1 + static_cast<uint32_t>((bits >> 44) & 0xFFFF) % shape.max_size;
    trade.side = (bits >> 60) & 1 ? 'A' : 'B';
    trade.publisher_id = publishers[(bits >> 61) % publishers.size()].first;
    Trade taken = trade;
    if (revision > 0 && i == 0) taken.size += static_cast<uint32_t>(revision);
    if (revision > 0 && i + 1 == shape.trades) taken.price -= revision * contract.tick;
    take(taken);
  }
}

}  // namespace lode::vendor
