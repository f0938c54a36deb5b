// What is there of a dataset, small enough for millions of symbols: of each its cells with and without rows as bits
// over its own span of days, and one by one only the cells that a plan must look at more closely.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lode/ledger/ledger.h"
#include "lode/plan/pieces.h"

namespace lode::plan {

// 64 days; the word of a day holds it at the bit of its number modulo 64, so that the words of all symbols line up.
constexpr int32_t WordOf(Day day) { return day.since_epoch >> 6; }
constexpr uint64_t BitOf(Day day) { return uint64_t{1} << (static_cast<uint32_t>(day.since_epoch) & 63U); }

// A cell as a plan sees it.
struct PresentCell {
  Day day;
  ledger::CellState state = ledger::CellState::kMissing;
  std::optional<Day> modified;
  bool is_lost = false;  // its partition is gone: it is missing, and the ledger does not know
  uint32_t reason = 0;   // PresentCells::ReasonOf
  uint64_t version = 0;  // VersionMark of its proof; 0: it names no version
};

// Stands for a version that a vendor names, in 8 bytes; never 0.
uint64_t VersionMark(std::string_view version_proof);

class PresentCells {
 public:
  // Symbols in order of their names, days of a symbol ascending, as Ledger::ReadCells gives them. Finish ends it:
  // before it nothing is to be read.
  // One whose reason is kLostReason is lost.
  void Add(const ledger::CellView& cell);
  void Finish() { EndSymbol(); }
  // The same from rows.
  static PresentCells Of(std::span<const ledger::CellRow> rows);

  // One symbol's cells. `complete` and `empty` are words from `first_word` on; a day that is in neither may be among
  // `others`, which ascend.
  struct Symbol {
    std::string_view name;
    int32_t first_word = 0;
    std::span<const uint64_t> complete, empty;  // equally long, or `empty` has none
    std::span<const PresentCell> others;
    // Vendor's last_modified_date of a cell in the words, as days after its own day.
    std::optional<int32_t> modified_after;
    std::optional<PresentCell> Find(Day day) const;
    void ForEach(const std::function<void(const PresentCell&)>& take) const;
  };
  size_t size() const { return symbols_.size(); }
  Symbol operator[](size_t index) const;
  // Of the first symbol from `from` on whose name is not less; cheap where it is near. size(): none.
  size_t LowerBound(std::string_view name, size_t from = 0) const;
  const std::string& ReasonOf(const PresentCell& cell) const { return reasons_[cell.reason]; }

  // The same with cells that count as complete whatever they were, sorted by symbol and day.
  struct Extra {
    std::string symbol;
    Day day;
    std::optional<Day> modified;
  };
  PresentCells With(std::span<const Extra> extra) const;

 private:
  static constexpr int16_t kNoDate = INT16_MIN;
  struct Entry {
    uint32_t name = 0, words = 0, others = 0;  // where they begin
    uint32_t name_size = 0;
    uint16_t word_count = 0;  // of `complete`
    int16_t first_word = 0, modified_after = kNoDate;
    bool has_empty = false;  // as many words follow
  };
  void Put(std::string_view symbol, const PresentCell& cell);
  void BeginSymbol(std::string_view name);
  void EndSymbol();
  uint32_t Intern(std::string_view reason);
  std::string_view NameOf(const Entry& entry) const;

  std::deque<Entry> symbols_;
  Pieces<char> names_;
  Pieces<uint64_t> words_;
  std::vector<PresentCell> others_;
  std::vector<std::string> reasons_{""};
  std::unordered_map<std::string, uint32_t> reason_index_{{"", 0}};
  // The symbol that is being added.
  std::string open_name_;
  bool is_open_ = false;
  std::vector<uint64_t> complete_, empty_;
  int32_t open_word_ = 0;
  std::optional<int32_t> open_modified_;  // modified_after of the words so far
  bool open_has_words_ = false;
};

}  // namespace lode::plan
