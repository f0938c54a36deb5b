#include "lode/plan/chunk.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>

#include "lode/base/hashing.h"

namespace lode::plan {
namespace {

constexpr int32_t kYearDays = 365;

// A partition and its days; several runs when days of other partitions lie between.
struct Partition {
  std::string name;
  std::vector<DayRun> runs;
};

std::vector<Partition> FindPartitions(std::span<const VendorDay> days, const PartitionOfDay& partition_of) {
  std::vector<Partition> partitions;
  std::unordered_map<std::string, size_t> index;
  size_t previous = 0;
  for (uint32_t i = 0; i < days.size(); ++i) {
    std::string name = partition_of(days[i].day);
    if (i > 0 && partitions[previous].name == name) {
      ++partitions[previous].runs.back().end;
      continue;
    }
    const auto [found, is_new] = index.emplace(name, partitions.size());
    if (is_new) partitions.push_back({std::move(name), {}});
    previous = found->second;
    partitions[previous].runs.push_back({i, i + 1});
  }
  return partitions;
}

// Appends what `runs` and `window` share.
void Intersect(std::span<const DayRun> runs, DayRun window, std::vector<DayRun>& shared) {
  for (auto run = std::ranges::upper_bound(runs, window.begin, {}, &DayRun::end); run != runs.end(); ++run) {
    if (run->begin >= window.end) return;
    shared.push_back({std::max(run->begin, window.begin), std::min(run->end, window.end)});
  }
}

// Symbols whose work within one partition is the same.
struct Bundle {
  std::vector<DayRun> runs;
  std::vector<uint32_t> listings;  // of them
};

std::vector<Bundle> FindBundles(const Work& work, const Partition& partition) {
  std::vector<Bundle> bundles;
  std::map<std::vector<DayRun>, size_t> index;
  std::vector<DayRun> shared;
  for (const SymbolWork& symbol : work.symbols) {
    shared.clear();
    for (const DayRun window : partition.runs) Intersect(work.RunsOf(symbol), window, shared);
    if (shared.empty()) continue;
    // Nearly always the first symbol's bundle: no tree, no copy.
    size_t at = 0;
    if (bundles.empty() || bundles.front().runs != shared) {
      const auto [found, is_new] = index.try_emplace(shared, bundles.size());
      if (is_new) bundles.push_back({shared, {}});
      at = found->second;
    }
    bundles[at].listings.push_back(symbol.listing);
  }
  return bundles;
}

bool Fits(Day first, Day last, int32_t limit_days) {
  if (last.since_epoch - first.since_epoch < limit_days) return true;
  return limit_days == kYearDays && ToYearMonthDay(first).year == ToYearMonthDay(last).year;
}

// Cuts a run into spans of at most `limit_days`.
std::vector<DayRun> CutDays(std::span<const VendorDay> days, DayRun run, int32_t limit_days) {
  std::vector<DayRun> cuts;
  while (run.size() > 0) {
    uint32_t end = run.begin + 1;
    while (end < run.end && Fits(days[run.begin].day, days[end].day, limit_days)) ++end;
    cuts.push_back({run.begin, end});
    run.begin = end;
  }
  return cuts;
}

void AddRequests(const Work& work, const Bundle& bundle, const ChunkLimits& limits, std::vector<Request>& requests) {
  const size_t most_symbols = std::max<size_t>(limits.symbols, 1);
  for (const DayRun run : bundle.runs) {
    for (const DayRun cut : CutDays(work.days, run, limits.days)) {
      for (size_t begin = 0; begin < bundle.listings.size(); begin += most_symbols) {
        Request request;
        const size_t end = std::min(begin + most_symbols, bundle.listings.size());
        request.symbols.reserve(end - begin);
        for (size_t i = begin; i < end; ++i) request.symbols.emplace_back(work.listings->SymbolOf(bundle.listings[i]));
        request.days.assign(work.days.begin() + cut.begin, work.days.begin() + cut.end);
        requests.push_back(std::move(request));
      }
    }
  }
}

Day LastDay(const RequestGroup& group) { return std::ranges::max(group.requests, {}, &Request::last).last(); }

// The group of the last day moves to the front, and in it the requests of that day.
void OrderForProbing(std::vector<RequestGroup>& groups) {
  for (RequestGroup& group : groups) std::ranges::stable_sort(group.requests, {}, &Request::first);
  if (groups.empty()) return;
  const auto last = std::ranges::max_element(groups, {}, LastDay);
  const Day last_day = LastDay(*last);
  std::ranges::stable_partition(last->requests, [&](const Request& request) { return request.last() == last_day; });
  std::rotate(groups.begin(), last, last + 1);
}

}  // namespace

ChunkLimits DefaultLimits(std::string_view schema) {
  ChunkLimits limits;
  if (schema == "ohlcv-1d" || schema == "ohlcv-eod") limits.days = kYearDays;
  return limits;
}

std::vector<RequestGroup> Chunk(const Work& work, const ChunkLimits& limits, const PartitionOfDay& partition_of) {
  std::vector<RequestGroup> groups;
  for (const Partition& partition : FindPartitions(work.days, partition_of)) {
    RequestGroup group{partition.name, {}};
    for (const Bundle& bundle : FindBundles(work, partition)) AddRequests(work, bundle, limits, group.requests);
    if (!group.requests.empty()) groups.push_back(std::move(group));
  }
  OrderForProbing(groups);
  return groups;
}

std::optional<std::pair<Request, Request>> Split(const Request& request) {
  const auto halves = [](const auto& all) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() + 1) / 2);
    using List = std::remove_cvref_t<decltype(all)>;
    return std::pair(List(all.begin(), middle), List(middle, all.end()));
  };
  if (request.symbols.size() > 1) {
    auto [front, back] = halves(request.symbols);
    return std::pair(Request{std::move(front), request.days}, Request{std::move(back), request.days});
  }
  if (request.days.size() > 1) {
    auto [front, back] = halves(request.days);
    return std::pair(Request{request.symbols, std::move(front)}, Request{request.symbols, std::move(back)});
  }
  return std::nullopt;
}

std::string RequestId(const Selection& selection, const Request& request) {
  std::string parts;
  const auto add = [&](std::string_view text) {
    parts.append(text).push_back('\0');  // no text holds one: the parts cannot run into each other
  };
  add(selection.dataset);
  add(selection.schema);
  add(selection.stype_in);
  for (const std::string& symbol : request.symbols) add(symbol);
  add("");
  add(FormatDay(request.first()));
  add(FormatDay(request.last()));
  std::optional<Day> modified;
  for (const VendorDay& day : request.days) modified = std::max(modified, day.modified);  // nullopt is the least
  if (modified) add(FormatDay(*modified));
  for (const VendorDay& day : request.days) {
    if (!day.version.empty()) add(day.version);
  }
  return Sha256Hex(parts).substr(0, 16);
}

}  // namespace lode::plan
