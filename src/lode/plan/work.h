// expected − present = work. Pure. Days are looked at 64 at a time and only within each symbol's listing; the work is
// kept as runs of days, not as cells.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/ledger/ledger.h"
#include "lode/plan/coverage.h"
#include "lode/plan/expected.h"
#include "lode/plan/listings.h"
#include "lode/plan/present.h"

namespace lode::plan {

struct WorkOptions {
  std::optional<Day> first, last;  // inclusive; expected days outside are left alone
  bool refetch = false;            // settled cells are work too
  bool retry_failed_only = false;  // nothing but cells whose state is `failed` or `not_entitled`
  std::string pending_reason = "the vendor's condition list says pending";
  std::string missing_reason = "the vendor's condition list says missing";
};

// Expected days that follow each other: indices into Work::days, half-open.
struct DayRun {
  uint32_t begin = 0, end = 0;
  uint32_t size() const { return end - begin; }
  auto operator<=>(const DayRun&) const = default;
};

struct SymbolWork {
  uint32_t listing = 0;          // index into Work::listings
  uint32_t begin = 0, size = 0;  // of Work::runs
};

// Why cells are not asked for.
enum class KnownState : uint8_t { kPending, kMissing, kNoKey, kUnresolved, kBeforeListing, kAfterListing };

// Cells whose state is known without a request, and differs from what the ledger holds.
struct RecordedRun {
  uint32_t listing = 0;  // index into Work::listings
  DayRun run;
  KnownState state = KnownState::kPending;
  bool operator==(const RecordedRun&) const = default;
};

// A settled cell that the vendor has revised since: it is work.
struct StaleCell {
  std::string symbol;
  Day day;
  std::optional<Day> had;  // last_modified_date of what is here
};

// A cell that was missing or pending, of a day that is not expected any more.
struct ClosedCell {
  std::string symbol;
  Day day;
};

struct Work {
  std::vector<VendorDay> days;  // what runs are indices into
  std::shared_ptr<const Listings> listings;
  // In the order of the listings; a symbol without work is left out.
  std::vector<SymbolWork> symbols;
  std::vector<DayRun> runs;  // of one symbol ascending; none empty, no two touch
  std::deque<RecordedRun> recorded;
  std::string pending_reason, missing_reason;  // WorkOptions'
  std::vector<StaleCell> stale;
  std::vector<ClosedCell> closed;
  int64_t cells = 0;          // in `symbols`
  int64_t keyless_cells = 0;  // unsettled ones that wait for a key
  std::string_view NameOf(const SymbolWork& symbol) const { return listings->SymbolOf(symbol.listing); }
  std::span<const DayRun> RunsOf(const SymbolWork& symbol) const {
    return std::span(runs).subspan(symbol.begin, symbol.size);
  }
};

// `days` sorted, none twice. Listings in order of their symbols are fastest; one whose symbol came before is ignored.
//
// A cell is work when it is absent, unsettled, `closed`, revised by the vendor, or `not_listed` although its listing
// names an interval that holds it. Days the vendor calls pending or missing or gives only with a key are never work,
// not even with `refetch`: they are recorded, unless the ledger says so already or knows better (ledger::Replaces). So
// are, as closed, missing and pending cells between expected days.
//
// Days outside a listing are no cells: an option would have thousands. The one next to it on each side, within a week,
// is recorded as not listed and speaks for those beyond it, and so is what the ledger still waits for there.
Work FindWork(std::vector<VendorDay> days, std::shared_ptr<const Listings> listings, const PresentCells& present,
              const WorkOptions& options);

// Takes the symbol's days from `first` to `last` out of the work: they come another way. The number of cells taken out.
int64_t LeaveOut(Work* work, std::string_view symbol, Day first, Day last);

struct SymbolDays {
  std::string symbol;
  Day first, last;  // inclusive
};
// Leaves in the work what one of `ranges` names, and nothing else. What is `recorded` stays: it is known for free.
void KeepOnly(Work* work, std::span<const SymbolDays> ranges);

// The cells that are not settled, as the plan knows them: work, with the state it has or `missing`, and what is
// recorded or was before as pending or missing. Runs of expected days with one state and reason, in the order of the
// listings. `present` as FindWork had it.
std::vector<Gap> FindGaps(const Work& work, const PresentCells& present);

// `recorded` and `closed` as cells, for a receipt.
std::vector<ledger::Cell> RecordedCells(const Work& work);

}  // namespace lode::plan
