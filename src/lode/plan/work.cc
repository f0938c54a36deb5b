#include "lode/plan/work.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "lode/plan/coverage.h"

namespace lode::plan {
namespace {

using ledger::Cell;
using ledger::CellRow;
using ledger::CellState;
using State = VendorDay::State;

// How far from its listing a day beside it may be: more than sessions ever are apart. A run that begins later adds no
// cell, or each night's run would add one for every contract that ever expired.
constexpr int32_t kBorderDays = 7;

CellState StateOf(KnownState known) {
  switch (known) {
    case KnownState::kPending: return CellState::kPending;
    case KnownState::kMissing:
    case KnownState::kNoKey: return CellState::kMissing;
    case KnownState::kUnresolved:
    case KnownState::kBeforeListing:
    case KnownState::kAfterListing: break;
  }
  return CellState::kNotListed;
}

std::string ReasonOf(KnownState known, const Listing& listing, const Work& work) {
  switch (known) {
    case KnownState::kPending: return work.pending_reason;
    case KnownState::kMissing: return work.missing_reason;
    case KnownState::kNoKey: return "the vendor gives it only with an API key, and none is configured";
    case KnownState::kUnresolved: return std::string(listing.unresolved);
    case KnownState::kBeforeListing: return "not listed before " + FormatDay(*listing.first);
    case KnownState::kAfterListing: return "not listed after " + FormatDay(*listing.last);
  }
  return {};
}

// What becomes of one expected cell: asked for, known without asking, or neither.
struct Verdict {
  bool request = false;
  std::optional<KnownState> record = {};
};

bool WentWrong(CellState state) { return state == CellState::kFailed || state == CellState::kNotEntitled; }

// Settled: nothing to ask for. A closed day that is expected after all is not.
bool IsDone(const std::optional<PresentCell>& cell) {
  return cell && ledger::IsSettled(cell->state) && cell->state != CellState::kClosed;
}

// The expected days of a range as words, which line up with those of PresentCells.
class DayWords {
 public:
  DayWords(std::span<const VendorDay> days, DayRun range) : days_(days), range_(range) {
    if (range.size() == 0) return;
    first_word_ = WordOf(days[range.begin].day);
    const auto count = static_cast<size_t>(WordOf(days[range.end - 1].day) - first_word_ + 1);
    expected_.resize(count);
    requestable_.resize(count);
    begins_.resize(count);
    for (uint32_t i = range.end; i-- > range.begin;) {
      const size_t word = IndexOf(days[i].day);
      expected_[word] |= BitOf(days[i].day);
      begins_[word] = i;
      const bool can = days[i].state == State::kAvailable || days[i].state == State::kDegraded;
      if (can) requestable_[word] |= BitOf(days[i].day);
      if (!can) special_.push_back(i);
    }
    std::ranges::reverse(special_);
  }

  size_t size() const { return expected_.size(); }
  DayRun range() const { return range_; }
  int32_t first_word() const { return first_word_; }
  uint64_t expected(size_t word) const { return expected_[word]; }
  uint64_t requestable(size_t word) const { return requestable_[word]; }
  // Days that are expected and not to be asked for.
  std::span<const uint32_t> special() const { return special_; }
  const VendorDay& day(uint32_t index) const { return days_[index]; }

  size_t IndexOf(Day day) const { return static_cast<size_t>(WordOf(day) - first_word_); }
  // The first expected day from `day` on; range().end: none.
  uint32_t LowerBound(Day day) const {
    const auto own = days_.subspan(range_.begin, range_.size());
    return range_.begin + static_cast<uint32_t>(std::ranges::lower_bound(own, day, {}, &VendorDay::day) - own.begin());
  }
  // Of an expected day's bit in a word.
  uint32_t DayAt(size_t word, uint64_t bit) const {
    return begins_[word] + static_cast<uint32_t>(__builtin_popcountll(expected_[word] & (bit - 1)));
  }

  // Days that the vendor has modified later than so many days after themselves.
  std::span<const uint64_t> ModifiedLaterThan(int32_t days_after) {
    if (days_after == last_after_) return *last_later_;
    std::vector<uint64_t>& words = later_[days_after];
    last_after_ = days_after;
    last_later_ = &words;
    if (!words.empty()) return words;
    words.resize(size());
    for (uint32_t i = range_.begin; i < range_.end; ++i) {
      const VendorDay& one = days_[i];
      if (one.modified && *one.modified > one.day + days_after) words[IndexOf(one.day)] |= BitOf(one.day);
    }
    return words;
  }

 private:
  std::span<const VendorDay> days_;
  DayRun range_;
  int32_t first_word_ = 0;
  std::vector<uint64_t> expected_, requestable_;
  std::vector<uint32_t> begins_;  // index of each word's first expected day
  std::vector<uint32_t> special_;
  std::map<int32_t, std::vector<uint64_t>> later_;
  std::optional<int32_t> last_after_;  // asked for last, nearly always again
  const std::vector<uint64_t>* last_later_ = nullptr;
};

// One symbol's expected days beside its present cells: whole words where nothing is odd, one by one where something is.
class SymbolWalk {
 public:
  SymbolWalk(DayWords& words, const PresentCells& present, const WorkOptions& options, Work& work)
      : words_(words), present_(present), options_(options), work_(work), todo_(words.size()) {
    for (const VendorDay& day : work.days)
      versions_.push_back(day.version.empty() ? 0 : VersionMark(ledger::VersionProof(day.version)));
  }

  void Go(const Listing& listing, uint32_t index, const PresentCells::Symbol& cells) {
    if (words_.range().size() == 0) return;
    listing_ = listing;
    listing_index_ = index;
    cells_ = &cells;
    recorded_.clear();
    life_ = LifeOf(listing);
    if (listing.unresolved.empty()) {
      TakeWords();
      TakeSpecialDays();
      TakeBorders();
    } else {
      for (uint32_t i = words_.range().begin; i < words_.range().end; ++i) {
        if (!IsOther(words_.day(i).day)) JudgeDay(i, cells.Find(words_.day(i).day));
      }
    }
    TakeOthers();
    AddRuns();
    AddRecorded();
  }

 private:
  DayRun LifeOf(const Listing& listing) const {
    DayRun life = words_.range();
    if (!listing.unresolved.empty()) return {life.begin, life.begin};
    if (listing.first) life.begin = words_.LowerBound(*listing.first);
    if (listing.last) life.end = std::max(life.begin, words_.LowerBound(*listing.last + 1));
    return life;
  }

  // Bits of a word from a day of the life on, and up to one.
  uint64_t LifeMask(size_t word) const {
    const Day first = words_.day(life_.begin).day, last = words_.day(life_.end - 1).day;
    uint64_t mask = ~uint64_t{0};
    if (words_.IndexOf(first) == word) mask &= ~(BitOf(first) - 1);
    if (words_.IndexOf(last) == word) mask &= BitOf(last) | (BitOf(last) - 1);
    return mask;
  }

  void TakeWords() {
    if (life_.size() == 0 || options_.retry_failed_only) return;
    const size_t first = words_.IndexOf(words_.day(life_.begin).day),
                 last = words_.IndexOf(words_.day(life_.end - 1).day);
    std::span<const uint64_t> later;
    if (cells_->modified_after) later = words_.ModifiedLaterThan(*cells_->modified_after);
    const int64_t shift = int64_t{words_.first_word()} - cells_->first_word;
    for (size_t word = first; word <= last; ++word) {
      const uint64_t wanted =
          words_.requestable(word) & (word == first || word == last ? LifeMask(word) : ~uint64_t{0});
      const int64_t own = static_cast<int64_t>(word) + shift;
      const bool has = own >= 0 && own < static_cast<int64_t>(cells_->complete.size());
      uint64_t there = has ? cells_->complete[static_cast<size_t>(own)] : 0;
      if (has && !cells_->empty.empty()) there |= cells_->empty[static_cast<size_t>(own)];
      todo_[word] = options_.refetch ? wanted : wanted & ~there;
      if (later.empty()) continue;
      const uint64_t revised = wanted & there & later[word];
      todo_[word] |= revised;
      for (uint64_t bits = revised; bits != 0; bits &= bits - 1) {
        const Day day = words_.day(words_.DayAt(word, bits & -bits)).day;
        work_.stale.push_back({std::string(listing_.symbol), day, day + *cells_->modified_after});
      }
    }
  }

  bool IsOther(Day day) const { return std::ranges::binary_search(cells_->others, day, {}, &PresentCell::day); }

  void TakeSpecialDays() {
    for (const uint32_t i : words_.special()) {
      if (i < life_.begin || i >= life_.end || IsOther(words_.day(i).day)) continue;
      JudgeDay(i, cells_->Find(words_.day(i).day));
    }
  }

  // Outside its listing a symbol has no cells; the last day before it and the first one after it say so for all.
  void TakeBorders() {
    const DayRun range = words_.range();
    for (const uint32_t i : {life_.begin - 1, life_.end}) {
      const bool is_before = i + 1 == life_.begin;
      if (is_before ? life_.begin == range.begin : life_.end == range.end) continue;
      const Day day = words_.day(i).day;
      const bool is_near = is_before ? day + kBorderDays >= *listing_.first : day <= *listing_.last + kBorderDays;
      if (is_near && !IsOther(day)) JudgeDay(i, cells_->Find(day));
    }
  }

  void TakeOthers() {
    const DayRun range = words_.range();
    const Day first = words_.day(range.begin).day, last = words_.day(range.end - 1).day;
    for (auto cell = std::ranges::lower_bound(cells_->others, first, {}, &PresentCell::day);
         cell != cells_->others.end() && cell->day <= last; ++cell) {
      const size_t word = words_.IndexOf(cell->day);
      if ((words_.expected(word) & BitOf(cell->day)) == 0) {
        NoteUnexpected(*cell);
        continue;
      }
      todo_[word] &= ~BitOf(cell->day);
      JudgeDay(words_.DayAt(word, BitOf(cell->day)), *cell);
    }
  }

  // Between expected days the ledger waits for one that is none any more: a holiday was added to the calendar. Before
  // the first and after the last a vendor's list may just not reach.
  void NoteUnexpected(const PresentCell& cell) {
    const bool is_open = cell.state == CellState::kMissing || cell.state == CellState::kPending;
    if (!is_open || cell.is_lost || options_.retry_failed_only) return;
    work_.closed.push_back({std::string(listing_.symbol), cell.day});
  }

  void JudgeDay(uint32_t index, const std::optional<PresentCell>& cell) {
    const Verdict verdict = Judge(index, cell);
    if (verdict.request) todo_[words_.IndexOf(words_.day(index).day)] |= BitOf(words_.day(index).day);
    if (verdict.record) recorded_.emplace_back(index, *verdict.record);
  }

  Verdict Judge(uint32_t index, const std::optional<PresentCell>& cell) {
    const VendorDay& expected = words_.day(index);
    if (options_.retry_failed_only && (!cell || !WentWrong(cell->state))) return {};
    const std::optional<KnownState> known = KnownWithoutRequest(expected);
    if (known == KnownState::kNoKey && !IsDone(cell)) ++work_.keyless_cells;
    if (known) return {.record = IsNews(*known, expected, cell) ? known : std::nullopt};
    constexpr Verdict kRequest{.request = true};
    if (!IsDone(cell)) return kRequest;
    if (IsRevised(*cell, expected, versions_[index])) {
      work_.stale.push_back({std::string(listing_.symbol), expected.day, cell->modified});
      return kRequest;
    }
    if (options_.retry_failed_only) return kRequest;  // refused before, perhaps not now
    const bool surely_listed = listing_.first || listing_.last;
    if (cell->state == CellState::kNotListed && surely_listed) return kRequest;
    return {.request = options_.refetch};
  }

  // A version says it exactly. Dates do where there is none, or none to compare with: a file may be published twice a
  // day.
  static bool IsRevised(const PresentCell& cell, const VendorDay& expected, uint64_t version) {
    if (cell.state != CellState::kComplete && cell.state != CellState::kEmpty) return false;
    if (version != 0 && cell.version != 0) return cell.version != version;
    return cell.modified && expected.modified && *expected.modified > *cell.modified;
  }

  std::optional<KnownState> KnownWithoutRequest(const VendorDay& expected) const {
    if (!listing_.unresolved.empty()) return KnownState::kUnresolved;
    if (listing_.first && expected.day < *listing_.first) return KnownState::kBeforeListing;
    if (listing_.last && expected.day > *listing_.last) return KnownState::kAfterListing;
    if (expected.state == State::kPending) return KnownState::kPending;
    if (expected.state == State::kMissing) return KnownState::kMissing;
    if (expected.state == State::kNoKey) return KnownState::kNoKey;
    return std::nullopt;
  }

  // Whether the ledger would learn something: a second plan over the first one's receipt records nothing.
  bool IsNews(KnownState known, const VendorDay& expected, const std::optional<PresentCell>& cell) const {
    if (!cell) return true;
    // To the ledger a cell of a lost partition is still complete, and stays so whatever is recorded.
    if (cell->is_lost) return false;
    const CellState state = StateOf(known);
    if (cell->state == state) {
      if (state == CellState::kNotListed) return false;
      const bool same_reason = present_.ReasonOf(*cell) == ReasonOf(known, listing_, work_);
      if (cell->modified == expected.modified && same_reason) return false;
    }
    Cell newer, older;
    newer.state = state;
    newer.modified = expected.modified;
    older.state = cell->state;
    older.modified = cell->modified;
    return ledger::Replaces(newer, older);
  }

  // The days to ask for, as runs of expected days. Leaves todo_ empty.
  void AddRuns() {
    std::vector<DayRun>& runs = work_.runs;
    const size_t own = runs.size();
    const auto add = [&](uint32_t begin, uint32_t end) {
      work_.cells += end - begin;
      if (runs.size() > own && runs.back().end == begin) {
        runs.back().end = end;
      } else {
        runs.push_back({begin, end});
      }
    };
    for (size_t word = 0; word < todo_.size(); ++word) {
      uint64_t bits = std::exchange(todo_[word], 0);
      if (bits == 0) continue;
      if (bits == words_.expected(word)) {
        const uint32_t begin = words_.DayAt(word, bits & -bits);
        add(begin, begin + static_cast<uint32_t>(__builtin_popcountll(bits)));
        continue;
      }
      for (; bits != 0; bits &= bits - 1) {
        const uint32_t index = words_.DayAt(word, bits & -bits);
        add(index, index + 1);
      }
    }
    const auto count = static_cast<uint32_t>(runs.size() - own);
    if (count > 0) work_.symbols.push_back({listing_index_, static_cast<uint32_t>(own), count});
  }

  void AddRecorded() {
    std::ranges::sort(recorded_);
    for (const auto& [index, known] : recorded_) {
      std::deque<RecordedRun>& all = work_.recorded;
      const bool goes_on = !all.empty() && all.back().listing == listing_index_ && all.back().state == known &&
                           all.back().run.end == index;
      if (goes_on) {
        ++all.back().run.end;
      } else {
        all.push_back({listing_index_, {index, index + 1}, known});
      }
    }
  }

  DayWords& words_;
  const PresentCells& present_;
  const WorkOptions& options_;
  Work& work_;
  std::vector<uint64_t> versions_;  // marks of the days' own, 0: none
  Listing listing_;
  uint32_t listing_index_ = 0;
  const PresentCells::Symbol* cells_ = nullptr;
  DayRun life_;
  std::vector<uint64_t> todo_;
  std::vector<std::pair<uint32_t, KnownState>> recorded_;  // by index of the day
};

bool Ascend(const Listings& listings) {
  for (size_t i = 1; i < listings.size(); ++i) {
    if (listings.SymbolOf(i - 1) >= listings.SymbolOf(i)) return false;
  }
  return true;
}

}  // namespace

Work FindWork(std::vector<VendorDay> days, std::shared_ptr<const Listings> listings, const PresentCells& present,
              const WorkOptions& options) {
  Work work;
  work.days = std::move(days);
  work.listings = std::move(listings);
  work.pending_reason = options.pending_reason;
  work.missing_reason = options.missing_reason;
  auto begin = work.days.begin(), end = work.days.end();
  if (options.first) begin = std::ranges::lower_bound(work.days, *options.first, {}, &VendorDay::day);
  if (options.last) end = std::ranges::upper_bound(work.days, *options.last, {}, &VendorDay::day);
  end = std::max(begin, end);
  DayWords words(work.days,
                 {static_cast<uint32_t>(begin - work.days.begin()), static_cast<uint32_t>(end - work.days.begin())});
  SymbolWalk walk(words, present, options, work);
  // Names that ascend cannot come twice, and are found in one pass.
  const bool ascending = Ascend(*work.listings);
  std::unordered_set<std::string_view> done;
  size_t at = 0;
  for (size_t i = 0; i < work.listings->size(); ++i) {
    const Listing listing = (*work.listings)[i];
    if (!ascending && !done.insert(listing.symbol).second) continue;
    at = present.LowerBound(listing.symbol, ascending ? at : 0);
    const bool found = at < present.size() && present[at].name == listing.symbol;
    walk.Go(listing, static_cast<uint32_t>(i), found ? present[at] : PresentCells::Symbol{});
  }
  return work;
}

namespace {

// What `keep` makes of each of the symbol's runs takes their place.
void ReplaceRuns(Work* work, SymbolWork& symbol, const std::function<void(DayRun, std::vector<DayRun>&)>& keep) {
  std::vector<DayRun> kept;
  for (const DayRun run : work->RunsOf(symbol)) keep(run, kept);
  symbol.begin = static_cast<uint32_t>(work->runs.size());
  symbol.size = static_cast<uint32_t>(kept.size());
  work->runs.insert(work->runs.end(), kept.begin(), kept.end());
}

}  // namespace

int64_t LeaveOut(Work* work, std::string_view symbol, Day first, Day last) {
  const auto found = std::ranges::find(work->symbols, symbol, [&](const SymbolWork& one) { return work->NameOf(one); });
  if (found == work->symbols.end()) return 0;
  const auto index_of = [&](auto bound) { return static_cast<uint32_t>(bound - work->days.begin()); };
  const uint32_t begin = index_of(std::ranges::lower_bound(work->days, first, {}, &VendorDay::day));
  const uint32_t end = index_of(std::ranges::upper_bound(work->days, last, {}, &VendorDay::day));
  if (begin >= end) return 0;
  int64_t left_out = 0;
  ReplaceRuns(work, *found, [&](DayRun run, std::vector<DayRun>& kept) {
    const DayRun before{run.begin, std::min(run.end, begin)}, after{std::max(run.begin, end), run.end};
    left_out += run.size();
    for (const DayRun rest : {before, after}) {
      if (rest.begin >= rest.end) continue;
      left_out -= rest.size();
      kept.push_back(rest);
    }
  });
  if (found->size == 0) work->symbols.erase(found);
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
    const std::string_view name = work->NameOf(symbol);
    ReplaceRuns(work, symbol, [&](DayRun run, std::vector<DayRun>& kept) {
      for (uint32_t i = run.begin; i < run.end; ++i) {
        if (!is_wanted(name, work->days[i].day)) {
          --work->cells;
        } else if (!kept.empty() && kept.back().end == i) {
          ++kept.back().end;
        } else {
          kept.push_back({i, i + 1});
        }
      }
    });
  }
  std::erase_if(work->symbols, [](const SymbolWork& symbol) { return symbol.size == 0; });
  std::erase_if(work->stale, [&](const StaleCell& cell) { return !is_wanted(cell.symbol, cell.day); });
}

namespace {

// One listing's expected days, by index: what is not settled of them.
class GapWalk {
 public:
  GapWalk(const Work& work, const PresentCells& present) : work_(work), present_(present) {}

  void TakePresent(const PresentCells::Symbol& cells) {
    for (const PresentCell& cell : cells.others) {
      const auto day = std::ranges::lower_bound(work_.days, cell.day, {}, &VendorDay::day);
      if (day == work_.days.end() || day->day != cell.day || ledger::IsSettled(cell.state)) continue;
      open_[static_cast<uint32_t>(day - work_.days.begin())] = {cell.state, present_.ReasonOf(cell)};
    }
  }

  void TakeRecorded(const RecordedRun& recorded, const Listing& listing) {
    const CellState state = StateOf(recorded.state);
    for (uint32_t i = recorded.run.begin; i < recorded.run.end; ++i) {
      open_.erase(i);
      if (!ledger::IsSettled(state)) open_[i] = {state, ReasonOf(recorded.state, listing, work_)};
    }
  }

  // What is work and not open in the ledger was never fetched, or was and the vendor has it anew.
  void TakeWork(const SymbolWork& symbol, const PresentCells::Symbol& cells) {
    for (const DayRun run : work_.RunsOf(symbol)) {
      for (uint32_t i = run.begin; i < run.end; ++i) {
        const auto known = open_.find(i);
        // The vendor has it, whatever it had said of it before.
        const bool outdated = known == open_.end() || known->second.first == CellState::kPending ||
                              (known->second.first == CellState::kMissing && known->second.second != kLostReason);
        if (!outdated) continue;
        const VendorDay& day = work_.days[i];
        const std::optional<PresentCell> cell = cells.Find(day.day);
        const bool stale = cell && (cell->state == CellState::kComplete || cell->state == CellState::kEmpty);
        open_[i] = stale
                       ? State(CellState::kStale, day.modified ? "the vendor revised it on " + FormatDay(*day.modified)
                                                               : "the vendor has another version")
                       : State(CellState::kMissing, "not fetched yet");
      }
    }
  }

  void Finish(std::string_view symbol, std::vector<Gap>* gaps) {
    uint32_t next = 0;
    const State* last = nullptr;
    for (const auto& [index, state] : open_) {
      if (last == nullptr || index != next || *last != state) {
        gaps->push_back(
            {std::string(symbol), work_.days[index].day, work_.days[index].day, 0, state.first, state.second});
      }
      gaps->back().last = work_.days[index].day;
      ++gaps->back().days;
      next = index + 1;
      last = &state;
    }
    open_.clear();
  }

 private:
  using State = std::pair<CellState, std::string>;
  const Work& work_;
  const PresentCells& present_;
  std::map<uint32_t, State> open_;
};

}  // namespace

std::vector<Gap> FindGaps(const Work& work, const PresentCells& present) {
  std::vector<Gap> gaps;
  GapWalk walk(work, present);
  auto symbol = work.symbols.begin();
  auto recorded = work.recorded.begin();
  std::unordered_set<std::string_view> done;
  for (size_t i = 0; i < work.listings->size(); ++i) {
    const Listing listing = (*work.listings)[i];
    if (!done.insert(listing.symbol).second) continue;
    const size_t at = present.LowerBound(listing.symbol);
    const bool found = at < present.size() && present[at].name == listing.symbol;
    const PresentCells::Symbol cells = found ? present[at] : PresentCells::Symbol{};
    walk.TakePresent(cells);
    for (; recorded != work.recorded.end() && recorded->listing == i; ++recorded) walk.TakeRecorded(*recorded, listing);
    if (symbol != work.symbols.end() && symbol->listing == i) walk.TakeWork(*symbol++, cells);
    walk.Finish(listing.symbol, &gaps);
  }
  return gaps;
}

std::vector<Cell> RecordedCells(const Work& work) {
  std::vector<Cell> cells;
  for (const RecordedRun& recorded : work.recorded) {
    const Listing listing = (*work.listings)[recorded.listing];
    const CellState state = StateOf(recorded.state);
    const std::string reason = ReasonOf(recorded.state, listing, work);
    for (uint32_t i = recorded.run.begin; i < recorded.run.end; ++i) {
      Cell cell;
      cell.symbol = listing.symbol;
      cell.day = work.days[i].day;
      cell.state = state;
      cell.reason = reason;
      if (state != CellState::kNotListed) cell.modified = work.days[i].modified;
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
