// Plans of lakes of size, with the time and memory they take: an options exchange of 1.4 million contracts over 1,000
// sessions, and 290,000 instruments × 5 data types on one day. Prints "NAME: … s CPU …", one line each;
// bench/planning.py runs it.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>

#include "lode/plan/coverage.h"
#include "lode/plan/work.h"

namespace lode::plan {
namespace {

using ledger::CellState;

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

long PeakMib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

std::vector<VendorDay> Sessions(Day first, size_t count) {
  std::vector<VendorDay> days;
  for (Day day = first; days.size() < count; day = day + 1) {
    const int32_t weekday = (day.since_epoch + 4) % 7;  // 0: Sunday
    if (weekday != 0 && weekday != 6) days.push_back({day, VendorDay::State::kAvailable, day + 1});
  }
  return days;
}

// Contracts with lives of a week to half a year, three of four with all their days, the others with some missing.
void Options(size_t contracts, size_t sessions) {
  std::mt19937_64 random(11);
  const std::vector<VendorDay> days = Sessions(ToDay({2020, 1, 1}), sessions);
  Listings all;
  PresentCells present;
  int64_t cells = 0, holes = 0;
  double build_s = 0;
  for (size_t i = 0; i < contracts; ++i) {
    const auto begin = static_cast<size_t>(random() % sessions);
    const size_t end = std::min(sessions, begin + 5 + random() % 120);
    const std::string symbol = fmt::format("SPXW  {:06}C{:08}", i / 400, (i % 400) * 25'000);
    all.Add({symbol, days[begin].day, days[end - 1].day, {}});
    const size_t hole = random() % 4 == 0 ? begin + random() % (end - begin) : sessions;
    const size_t hole_end = hole + 1 + random() % 3;
    const uint64_t quiet = random() % 3 == 0 ? 7 : 1000;  // days without a trade
    const double start_s = CpuSeconds();
    for (size_t day = begin; day < end; ++day) {
      if (day >= hole && day < hole_end) {
        ++holes;
        continue;
      }
      present.Add({.symbol = symbol,
                   .day = days[day].day,
                   .state = day % quiet == 3 ? CellState::kEmpty : CellState::kComplete,
                   .proof = "stream",
                   .modified = days[day].day + 1});
      ++cells;
    }
    build_s += CpuSeconds() - start_s;
  }
  present.Finish();
  const auto listings = std::make_shared<const Listings>(std::move(all));
  const long before_mib = PeakMib();
  double best_s = 1e9;
  Work work;
  for (int turn = 0; turn < 3; ++turn) {
    const std::vector<VendorDay> again = days;
    work = {};
    const double start_s = CpuSeconds();
    work = FindWork(again, listings, present, {.pending_reason = "", .missing_reason = ""});
    best_s = std::min(best_s, CpuSeconds() - start_s);
  }
  std::printf(
      "options: %zu contracts x %zu sessions, %ld cells there, %ld missing: %.3f s CPU to plan, %ld found, %.2f s "
      "to take the cells in, %ld MiB peak, %ld before the plan\n",
      contracts, sessions, static_cast<long>(cells), static_cast<long>(holes), best_s, static_cast<long>(work.cells),
      build_s, PeakMib(), before_mib);
}

// One day's files, one in 50 missing.
void OneDay(size_t instruments, size_t types) {
  std::mt19937_64 random(12);
  const std::vector<VendorDay> days = Sessions(ToDay({2024, 1, 8}), 1);
  std::vector<std::string> names;
  for (size_t i = 0; i < instruments; ++i) {
    names.push_back(fmt::format("BTC-{:06}-{}-C", i / 200, 10'000 + i % 200 * 500));
  }
  std::ranges::sort(names);
  Listings all;
  for (const std::string& name : names) all.Add({name, days[0].day - 30, {}, {}});
  const auto listings = std::make_shared<const Listings>(std::move(all));
  const double start_s = CpuSeconds();
  int64_t missing = 0, found = 0;
  for (size_t type = 0; type < types; ++type) {
    PresentCells present;
    for (const Listing& listing : listings->all()) {
      if (random() % 50 == 0) {
        ++missing;
        continue;
      }
      present.Add({.symbol = listing.symbol, .day = days[0].day, .state = CellState::kComplete, .proof = "object abc"});
    }
    present.Finish();
    found += FindWork(days, listings, present, {}).cells;
  }
  std::printf(
      "one day: %zu instruments x %zu data types, %ld missing: %.3f s CPU to plan with the cells taken in, %ld "
      "found, %ld MiB peak\n",
      instruments, types, static_cast<long>(missing), CpuSeconds() - start_s, static_cast<long>(found), PeakMib());
}

}  // namespace
}  // namespace lode::plan

int main() {
  lode::plan::Options(1'400'000, 1'000);
  lode::plan::OneDay(290'000, 5);
}
