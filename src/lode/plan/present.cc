#include "lode/plan/present.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "lode/plan/coverage.h"

namespace lode::plan {

using ledger::CellState;

namespace {

// Days whose words fit an Entry; nobody's market data lies outside, and what does is kept one by one.
constexpr int32_t kMostWords = 4096;

bool FitsWords(Day day) { return WordOf(day) > INT16_MIN && WordOf(day) < INT16_MAX - kMostWords; }

bool IsPlain(const PresentCell& cell) {
  const bool is_known = cell.state == CellState::kComplete || cell.state == CellState::kEmpty;
  return is_known && cell.version == 0 && !cell.is_lost;
}

}  // namespace

uint64_t VersionMark(std::string_view version_proof) {
  const uint64_t mark = std::hash<std::string_view>()(version_proof);
  return mark == 0 ? 1 : mark;
}

uint32_t PresentCells::Intern(std::string_view reason) {
  if (reason.empty()) return 0;
  const auto [found, is_new] = reason_index_.try_emplace(std::string(reason), static_cast<uint32_t>(reasons_.size()));
  if (is_new) reasons_.emplace_back(reason);
  return found->second;
}

void PresentCells::Add(const ledger::CellView& cell) {
  PresentCell present{.day = cell.day, .state = cell.state, .modified = cell.modified};
  present.is_lost = cell.reason == kLostReason;
  present.reason = Intern(cell.reason);
  if (present.is_lost) present.state = CellState::kMissing;
  if (!present.is_lost && ledger::IsVersionProof(cell.proof)) present.version = VersionMark(cell.proof);
  Put(cell.symbol, present);
}

void PresentCells::Put(std::string_view symbol, const PresentCell& cell) {
  if (!is_open_ || symbol != open_name_) BeginSymbol(symbol);
  const std::optional<int32_t> modified_after =
      cell.modified ? std::optional(cell.modified->since_epoch - cell.day.since_epoch) : std::nullopt;
  const bool first = !open_has_words_;
  const int32_t word = WordOf(cell.day);
  const bool near = FitsWords(cell.day) && (first || word - open_word_ < kMostWords);
  const bool dated = !modified_after || (*modified_after > kNoDate && *modified_after <= INT16_MAX);
  if (!IsPlain(cell) || !near || !dated || (!first && modified_after != open_modified_)) {
    others_.push_back(cell);
    return;
  }
  if (first) {
    open_has_words_ = true;
    open_word_ = word;
    open_modified_ = modified_after;
  }
  const auto index = static_cast<size_t>(word - open_word_);
  if (index >= complete_.size()) {
    complete_.resize(index + 1);
    empty_.resize(index + 1);
  }
  (cell.state == CellState::kComplete ? complete_ : empty_)[index] |= BitOf(cell.day);
}

void PresentCells::BeginSymbol(std::string_view name) {
  EndSymbol();
  open_name_ = name;
  is_open_ = true;
  open_has_words_ = false;
  Entry& entry = symbols_.emplace_back();
  entry.name = names_.Add(std::span(name.data(), name.size()));
  entry.name_size = static_cast<uint32_t>(name.size());
  entry.others = static_cast<uint32_t>(others_.size());
}

// What was added of the open symbol so far becomes readable. More of it may follow only through a new EndSymbol.
void PresentCells::EndSymbol() {
  if (!is_open_) return;
  is_open_ = false;
  Entry& entry = symbols_.back();
  if (open_has_words_) {
    entry.first_word = static_cast<int16_t>(open_word_);
    entry.word_count = static_cast<uint16_t>(complete_.size());
    entry.has_empty = std::ranges::any_of(empty_, [](uint64_t word) { return word != 0; });
    if (open_modified_) entry.modified_after = static_cast<int16_t>(*open_modified_);
    if (entry.has_empty) complete_.insert(complete_.end(), empty_.begin(), empty_.end());
    entry.words = words_.Add(complete_);
  }
  complete_.clear();
  empty_.clear();
}

PresentCells PresentCells::Of(std::span<const ledger::CellRow> rows) {
  PresentCells present;
  for (const ledger::CellRow& row : rows) present.Add(ledger::ViewOf(row));
  present.Finish();
  return present;
}

std::string_view PresentCells::NameOf(const Entry& entry) const {
  const std::span<const char> name = names_.Get(entry.name, entry.name_size);
  return {name.data(), name.size()};
}

PresentCells::Symbol PresentCells::operator[](size_t index) const {
  const Entry& entry = symbols_[index];
  const size_t others_end = index + 1 < symbols_.size() ? symbols_[index + 1].others : others_.size();
  Symbol symbol{.name = NameOf(entry),
                .first_word = entry.first_word,
                .complete = {},
                .empty = {},
                .others = std::span(others_).subspan(entry.others, others_end - entry.others),
                .modified_after = {}};
  if (entry.word_count > 0) {
    symbol.complete = words_.Get(entry.words, entry.word_count);
    if (entry.has_empty) symbol.empty = words_.Get(entry.words + entry.word_count, entry.word_count);
    if (entry.modified_after != kNoDate) symbol.modified_after = entry.modified_after;
  }
  return symbol;
}

size_t PresentCells::LowerBound(std::string_view name, size_t from) const {
  // By doubled steps: the next name is near where names are asked for in their order.
  size_t step = 1, begin = from, end = from;
  while (end < symbols_.size() && NameOf(symbols_[end]) < name) {
    begin = end + 1;
    end += step;
    step *= 2;
  }
  end = std::min(end, symbols_.size());
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (NameOf(symbols_[middle]) < name) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

std::optional<PresentCell> PresentCells::Symbol::Find(Day day) const {
  const auto other = std::ranges::lower_bound(others, day, {}, &PresentCell::day);
  if (other != others.end() && other->day == day) return *other;
  const int64_t index = int64_t{WordOf(day)} - first_word;
  if (index < 0 || index >= static_cast<int64_t>(complete.size())) return std::nullopt;
  const bool is_complete = (complete[static_cast<size_t>(index)] & BitOf(day)) != 0;
  const bool is_empty = !empty.empty() && (empty[static_cast<size_t>(index)] & BitOf(day)) != 0;
  if (!is_complete && !is_empty) return std::nullopt;
  PresentCell cell{.day = day, .state = is_complete ? CellState::kComplete : CellState::kEmpty, .modified = {}};
  if (modified_after) cell.modified = day + *modified_after;
  return cell;
}

void PresentCells::Symbol::ForEach(const std::function<void(const PresentCell&)>& take) const {
  size_t other = 0;
  for (size_t i = 0; i < complete.size(); ++i) {
    uint64_t bits = complete[i] | (empty.empty() ? 0 : empty[i]);
    for (; bits != 0; bits &= bits - 1) {
      const Day day{(first_word + static_cast<int32_t>(i)) * 64 + __builtin_ctzll(bits)};
      for (; other < others.size() && others[other].day < day; ++other) take(others[other]);
      take(*Find(day));
    }
  }
  for (; other < others.size(); ++other) take(others[other]);
}

PresentCells PresentCells::With(std::span<const Extra> extra) const {
  PresentCells all;
  all.reasons_ = reasons_;
  all.reason_index_ = reason_index_;
  size_t next = 0;
  const auto put_extra = [&] {
    all.Put(extra[next].symbol,
            {.day = extra[next].day, .state = CellState::kComplete, .modified = extra[next].modified});
    ++next;
  };
  for (size_t i = 0; i < symbols_.size(); ++i) {
    const Symbol symbol = (*this)[i];
    while (next < extra.size() && extra[next].symbol < symbol.name) put_extra();
    symbol.ForEach([&](const PresentCell& cell) {
      while (next < extra.size() && extra[next].symbol == symbol.name && extra[next].day < cell.day) put_extra();
      const bool replaced = next < extra.size() && extra[next].symbol == symbol.name && extra[next].day == cell.day;
      if (!replaced) all.Put(symbol.name, cell);
    });
    while (next < extra.size() && extra[next].symbol == symbol.name) put_extra();
  }
  while (next < extra.size()) put_extra();
  all.Finish();
  return all;
}

}  // namespace lode::plan
