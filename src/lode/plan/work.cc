#include "lode/plan/work.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "lode/plan/coverage.h"

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;
using State = VendorDay::State;

// What becomes of one expected cell.
enum class Verdict { kNothing, kRequest, kPending, kMissing, kNoKey, kUnresolved, kBefore, kAfter };

CellState StateOf(Verdict verdict) {
  if (verdict == Verdict::kPending) return CellState::kPending;
  const bool is_missing = verdict == Verdict::kMissing || verdict == Verdict::kNoKey;
  return is_missing ? CellState::kMissing : CellState::kNotListed;
}

std::string ReasonOf(Verdict verdict, const Listing& listing, const WorkOptions& options) {
  switch (verdict) {
    case Verdict::kPending: return options.pending_reason;
    case Verdict::kMissing: return options.missing_reason;
    case Verdict::kNoKey: return "the vendor gives it only with an API key, and none is configured";
    case Verdict::kUnresolved: return listing.unresolved;
    case Verdict::kBefore: return "not listed before " + FormatDay(*listing.first);
    case Verdict::kAfter: return "not listed after " + FormatDay(*listing.last);
    case Verdict::kNothing:
    case Verdict::kRequest: break;
  }
  return {};
}

bool WentWrong(CellState state) { return state == CellState::kFailed || state == CellState::kNotEntitled; }

// A version says it exactly. Dates do where there is none, or none to compare with: a file may be published twice a
// day.
bool IsRevised(const Cell& cell, const VendorDay& expected) {
  const bool holds = cell.state == CellState::kComplete || cell.state == CellState::kEmpty;
  if (!holds) return false;
  if (!expected.version.empty() && ledger::IsVersionProof(cell.proof)) {
    return cell.proof != ledger::VersionProof(expected.version);
  }
  return cell.modified && expected.modified && *expected.modified > *cell.modified;
}

// The walk over one symbol's expected days, beside its present cells.
class SymbolWalk {
 public:
  SymbolWalk(const Listing& listing, const WorkOptions& options, Work& work)
      : listing_(listing), options_(options), work_(work) {}

  void Go(DayRun range, std::span<const CellRow> present) {
    size_t next = 0;
    Verdict open = Verdict::kNothing;
    uint32_t begin = range.begin;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const Day day = work_.days[i].day;
      for (; next < present.size() && present[next].cell.day < day; ++next) {
        if (i > range.begin) NoteUnexpected(present[next].cell);
      }
      const bool there = next < present.size() && present[next].cell.day == day;
      const Verdict verdict = Judge(work_.days[i], there ? &present[next++].cell : nullptr);
      if (verdict == open) continue;
      Close(open, {begin, i});
      open = verdict;
      begin = i;
    }
    Close(open, {begin, range.end});
    if (!runs_.empty()) work_.symbols.push_back({listing_.symbol, std::move(runs_)});
  }

 private:
  // Settled: nothing to ask for. A closed day that is expected after all is not.
  static bool IsDone(const Cell* cell) {
    return cell != nullptr && ledger::IsSettled(cell->state) && cell->state != CellState::kClosed;
  }

  // Between expected days the ledger waits for one that is none any more: a holiday was added to the calendar. Before
  // the first and after the last a vendor's list may just not reach.
  void NoteUnexpected(const Cell& cell) {
    const bool is_open = cell.state == CellState::kMissing || cell.state == CellState::kPending;
    if (!is_open || cell.reason == kLostReason || options_.retry_failed_only) return;
    work_.closed.push_back({listing_.symbol, cell.day});
  }

  Verdict Judge(const VendorDay& expected, const Cell* cell) {
    if (options_.retry_failed_only && (cell == nullptr || !WentWrong(cell->state))) return Verdict::kNothing;
    const Verdict known = KnownWithoutRequest(expected);
    if (known == Verdict::kNoKey && !IsDone(cell)) ++work_.keyless_cells;
    if (known != Verdict::kNothing) return IsNews(known, expected, cell) ? known : Verdict::kNothing;
    if (!IsDone(cell)) return Verdict::kRequest;
    if (IsRevised(*cell, expected)) {
      work_.stale.push_back({listing_.symbol, expected.day, cell->modified});
      return Verdict::kRequest;
    }
    if (options_.retry_failed_only) return Verdict::kRequest;  // refused before, perhaps not now
    const bool surely_listed = listing_.first || listing_.last;
    if (cell->state == CellState::kNotListed && surely_listed) return Verdict::kRequest;
    return options_.refetch ? Verdict::kRequest : Verdict::kNothing;
  }

  Verdict KnownWithoutRequest(const VendorDay& expected) const {
    if (!listing_.unresolved.empty()) return Verdict::kUnresolved;
    if (listing_.first && expected.day < *listing_.first) return Verdict::kBefore;
    if (listing_.last && expected.day > *listing_.last) return Verdict::kAfter;
    if (expected.state == State::kPending) return Verdict::kPending;
    if (expected.state == State::kMissing) return Verdict::kMissing;
    if (expected.state == State::kNoKey) return Verdict::kNoKey;
    return Verdict::kNothing;
  }

  // Whether the ledger would learn something: a second plan over the first one's receipt records nothing.
  bool IsNews(Verdict verdict, const VendorDay& expected, const Cell* cell) {
    if (cell == nullptr) return true;
    // To the ledger a cell of a lost partition is still complete, and stays so whatever is recorded.
    if (cell->reason == kLostReason) return false;
    const CellState state = StateOf(verdict);
    if (cell->state == state) {
      if (state == CellState::kNotListed) return false;
      if (cell->modified == expected.modified && cell->reason == Reason(verdict)) return false;
    }
    Cell newer;
    newer.state = state;
    newer.modified = expected.modified;
    return ledger::Replaces(newer, *cell);
  }

  const std::string& Reason(Verdict verdict) {
    std::string& reason = reasons_[static_cast<size_t>(verdict)];
    if (reason.empty()) reason = ReasonOf(verdict, listing_, options_);
    return reason;
  }

  void Close(Verdict verdict, DayRun run) {
    if (verdict == Verdict::kNothing || run.size() == 0) return;
    if (verdict == Verdict::kRequest) {
      work_.cells += run.size();
      runs_.push_back(run);
    } else {
      work_.recorded.push_back({listing_.symbol, run, StateOf(verdict), Reason(verdict)});
    }
  }

  const Listing& listing_;
  const WorkOptions& options_;
  Work& work_;
  std::vector<DayRun> runs_;
  std::array<std::string, 8> reasons_;  // by verdict, made when first needed
};

using CellsBySymbol = std::unordered_map<std::string_view, std::span<const CellRow>>;

CellsBySymbol IndexBySymbol(std::span<const CellRow> present) {
  CellsBySymbol index;
  for (size_t begin = 0; begin < present.size();) {
    size_t end = begin + 1;
    while (end < present.size() && present[end].cell.symbol == present[begin].cell.symbol) ++end;
    index.emplace(present[begin].cell.symbol, present.subspan(begin, end - begin));
    begin = end;
  }
  return index;
}

}  // namespace

Work FindWork(std::vector<VendorDay> days, std::span<const Listing> listings, std::span<const CellRow> present,
              const WorkOptions& options) {
  Work work;
  work.days = std::move(days);
  auto begin = work.days.begin(), end = work.days.end();
  if (options.first) begin = std::ranges::lower_bound(work.days, *options.first, {}, &VendorDay::day);
  if (options.last) end = std::ranges::upper_bound(work.days, *options.last, {}, &VendorDay::day);
  end = std::max(begin, end);
  const DayRun range{static_cast<uint32_t>(begin - work.days.begin()), static_cast<uint32_t>(end - work.days.begin())};
  const CellsBySymbol index = IndexBySymbol(present);
  std::unordered_set<std::string_view> done;
  for (const Listing& listing : listings) {
    if (!done.insert(listing.symbol).second) continue;
    const auto found = index.find(listing.symbol);
    SymbolWalk(listing, options, work).Go(range, found == index.end() ? std::span<const CellRow>() : found->second);
  }
  return work;
}

int64_t LeaveOut(Work* work, std::string_view symbol, Day first, Day last) {
  const auto found = std::ranges::find(work->symbols, symbol, &SymbolWork::symbol);
  if (found == work->symbols.end()) return 0;
  const auto index_of = [&](auto bound) { return static_cast<uint32_t>(bound - work->days.begin()); };
  const uint32_t begin = index_of(std::ranges::lower_bound(work->days, first, {}, &VendorDay::day));
  const uint32_t end = index_of(std::ranges::upper_bound(work->days, last, {}, &VendorDay::day));
  if (begin >= end) return 0;
  int64_t left_out = 0;
  std::vector<DayRun> runs;
  for (const DayRun run : found->runs) {
    const DayRun before{run.begin, std::min(run.end, begin)}, after{std::max(run.begin, end), run.end};
    left_out += run.size();
    for (const DayRun rest : {before, after}) {
      if (rest.begin >= rest.end) continue;
      left_out -= rest.size();
      runs.push_back(rest);
    }
  }
  found->runs = std::move(runs);
  if (found->runs.empty()) work->symbols.erase(found);
  work->cells -= left_out;
  return left_out;
}

void KeepOnly(Work* work, std::span<const SymbolDays> ranges) {
  std::map<std::string_view, std::vector<std::pair<Day, Day>>> wanted;
  for (const SymbolDays& range : ranges) wanted[range.symbol].emplace_back(range.first, range.last);
  const auto is_wanted = [&](std::string_view symbol, Day day) {
    const auto found = wanted.find(symbol);
    return found != wanted.end() && std::ranges::any_of(found->second, [&](const auto& range) {
             return day >= range.first && day <= range.second;
           });
  };
  for (SymbolWork& symbol : work->symbols) {
    std::vector<DayRun> kept;
    for (const DayRun run : symbol.runs) {
      for (uint32_t i = run.begin; i < run.end; ++i) {
        if (!is_wanted(symbol.symbol, work->days[i].day)) {
          --work->cells;
        } else if (!kept.empty() && kept.back().end == i) {
          ++kept.back().end;
        } else {
          kept.push_back({i, i + 1});
        }
      }
    }
    symbol.runs = std::move(kept);
  }
  std::erase_if(work->symbols, [](const SymbolWork& symbol) { return symbol.runs.empty(); });
  std::erase_if(work->stale, [&](const StaleCell& cell) { return !is_wanted(cell.symbol, cell.day); });
}

std::vector<Cell> RecordedCells(const Work& work) {
  std::vector<Cell> cells;
  for (const RecordedRun& recorded : work.recorded) {
    for (uint32_t i = recorded.run.begin; i < recorded.run.end; ++i) {
      Cell cell;
      cell.symbol = recorded.symbol;
      cell.day = work.days[i].day;
      cell.state = recorded.state;
      cell.reason = recorded.reason;
      if (recorded.state != CellState::kNotListed) cell.modified = work.days[i].modified;
      cells.push_back(std::move(cell));
    }
  }
  for (const ClosedCell& closed : work.closed) {
    cells.push_back({.symbol = closed.symbol,
                     .day = closed.day,
                     .state = CellState::kClosed,
                     .reason = "no session: the calendar, or the vendor's list, does not have the day any more"});
  }
  return cells;
}

}  // namespace lode::plan
