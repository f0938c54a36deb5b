#include "trades.h"

#include <cmath>

namespace lode::vendor {
namespace {

// Share of the product's trading that a contract has, by its distance from expiry in contract periods: the nearest has
// most until shortly before it ends, when the next one takes over.
double Share(double periods_left) {
  const double x = periods_left;
  if (x < 0) return 0;
  if (x < 0.24) return 0.05 + 0.95 * x / 0.24;
  if (x < 1.0) return 1.0;
  if (x < 1.24) return 1.0 - 0.75 * (x - 1.0) / 0.24;
  if (x < 2.0) return 0.25;
  if (x < 3.0) return 0.06;
  return x < 6.0 ? 0.02 : 0.008;
}

double PeriodsLeft(const Contract& contract, Day day) {
  return (contract.expiry.since_epoch - day.since_epoch) / contract.period_days;
}

double Unit(uint64_t bits) { return static_cast<double>(bits >> 11) / 9007199254740992.0; }

bool IsEquity(const Universe& universe, const Contract& contract) {
  return contract.instrument_class == 'K' || universe.product_of(contract).kind == ProductKind::kOsi;
}

}  // namespace

int32_t SecondOfDay(bool is_equity, int week_day, int32_t second) {
  if (is_equity) return 52'200 + second;
  if (week_day == 0) return 82'800 + second;
  return second < 79'200 ? second : second + 3'600;
}

DayShape ShapeOf(const Universe& universe, const Contract& contract, Day day) {
  DayShape shape;
  if (day < contract.first || day >= contract.last_exclusive) return shape;
  const int week_day = fixtures::WeekDay(day);
  const bool equity = IsEquity(universe, contract);
  if (week_day == 6 || (equity && week_day == 0)) return shape;
  const auto number = static_cast<uint64_t>(day.since_epoch);
  const uint64_t bits = fixtures::Mix(contract.key, number);
  double expected;
  switch (contract.instrument_class) {
    case 'S': expected = 9 * Share(PeriodsLeft(contract, day)); break;
    case 'C':
    case 'P': expected = 3; break;
    case 'K': expected = 300; break;
    default: expected = 220 * Share(PeriodsLeft(contract, day));
  }
  if (week_day == 0) expected *= 0.06;
  expected *= 0.65 + 0.7 * Unit(bits);
  shape.trades = static_cast<int>(expected);
  if (Unit(fixtures::Mix(bits, 1)) < expected - shape.trades) ++shape.trades;
  shape.session_s = equity ? 23'400 : week_day == 0 ? 3'600 : week_day == 5 ? 79'200 : 82'800;
  const int64_t slow = static_cast<int64_t>(fixtures::Mix(contract.product, number / 90) % 801) - 400;
  const int64_t fast = static_cast<int64_t>(fixtures::Mix(bits, 2) % 61) - 30;
  const bool is_level = contract.instrument_class == 'F' || contract.instrument_class == 'K';
  shape.open_price = contract.price + (is_level ? slow + fast : fast / 4) * contract.tick;
  if (contract.instrument_class == 'C' || contract.instrument_class == 'P') {
    shape.open_price = std::max(shape.open_price, 40 * contract.tick);
  }
  if (contract.symbol == "CLK0" && day == ToDay({2020, 4, 20})) shape.open_price = -37'630'000'000;
  shape.max_size = contract.instrument_class == 'F' ? 24 : contract.instrument_class == 'K' ? 400 : 12;
  shape.random_seed = fixtures::Mix(bits, 3);
  return shape;
}

int64_t OpenInterestOf(const Universe& universe, const Contract& contract, Day day) {
  if (day < contract.first || day >= contract.last_exclusive || IsEquity(universe, contract)) return 0;
  // Positions move on a few days before trading does.
  const double share = Share(PeriodsLeft(contract, day + 3));
  const double noise = 0.98 + 0.04 * Unit(fixtures::Mix(contract.key + 5, static_cast<uint64_t>(day.since_epoch)));
  return std::llround((contract.instrument_class == 'F' ? 180'000 : 900) * share * noise) + 1;
}

}  // namespace lode::vendor
