#include "lode/sync/demand.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "lode/codec/schema.h"
#include "lode/lake/survey.h"
#include "lode/plan/coverage.h"
#include "lode/plan/work.h"

namespace lode::sync {
namespace {

using ledger::CellRow;
using CellKey = std::pair<std::string, Day>;

const Day kFirstSnapshot = ToDay({2000, 1, 1});

Result<std::vector<CellRow>> PresentCells(const lake::LakePaths& paths, ledger::Ledger* ledger,
                                          const std::string& dataset, Day first, Day last) {
  if (ledger == nullptr) return std::vector<CellRow>{};
  LODE_TRY(const std::vector<ledger::DatasetRow> datasets, ledger->Datasets());
  const auto row = std::ranges::find(datasets, dataset, &ledger::DatasetRow::name);
  if (row == datasets.end()) return std::vector<CellRow>{};
  LODE_TRY(lake::DatasetSurvey survey, lake::Survey(paths, *ledger, *row, first, last));
  return std::move(survey.cells);
}

std::set<CellKey> CellsOf(const plan::Work& work) {
  std::set<CellKey> cells;
  for (const plan::SymbolWork& symbol : work.symbols) {
    for (const plan::DayRun& run : symbol.runs) {
      for (uint32_t i = run.begin; i < run.end; ++i) cells.emplace(symbol.symbol, work.days[i].day);
    }
  }
  return cells;
}

// Whether this run is about all of what the file answers: a later one may be about the rest.
bool IsInScope(const Fetched& fetched, Day first, Day last, const std::set<std::string>& symbols) {
  if (fetched.request.first() < first || fetched.request.last() > last) return false;
  return std::ranges::all_of(fetched.request.symbols, [&](const std::string& one) { return symbols.contains(one); });
}

// Whether the file answers work, all of it, as the vendor has it today, in one partition.
bool IsStillWanted(const Fetched& fetched, const plan::Work& work, const std::set<CellKey>& open,
                   const plan::PartitionOfDay& partition_of) {
  const std::string partition = partition_of(fetched.request.first());
  for (const plan::VendorDay& day : fetched.request.days) {
    const auto now = std::ranges::lower_bound(work.days, day.day, {}, &plan::VendorDay::day);
    if (now == work.days.end() || *now != day || partition_of(day.day) != partition) return false;
    for (const std::string& symbol : fetched.request.symbols) {
      if (!open.contains({symbol, day.day})) return false;
    }
  }
  return true;
}

// The present cells with those of kept files as if they were there already.
std::vector<CellRow> WithKept(std::vector<CellRow> present, const std::vector<Fetched>& kept) {
  std::map<CellKey, CellRow> cells;
  for (CellRow& row : present) cells[{row.cell.symbol, row.cell.day}] = std::move(row);
  for (const Fetched& fetched : kept) {
    for (const plan::VendorDay& day : fetched.request.days) {
      for (const std::string& symbol : fetched.request.symbols) {
        ledger::Cell cell{
            .symbol = symbol, .day = day.day, .state = ledger::CellState::kComplete, .modified = day.modified};
        cells[{symbol, day.day}] = CellRow{std::move(cell), 0};
      }
    }
  }
  std::vector<CellRow> rows;
  rows.reserve(cells.size());
  for (auto& [key, row] : cells) rows.push_back(std::move(row));
  return rows;
}

// Rows must tell which symbol's they are. Events are labelled by it, and of an option its root does not say which
// parent was asked for (OHF5 P20500 is of HO.OPT): one symbol a request there.
plan::ChunkLimits LimitsOf(const DatasetConfig& dataset, const lake::Layout& layout, const source::Supply& supply,
                           const std::vector<std::string>& symbols) {
  if (const auto limits = supply.request_limits()) return *limits;
  plan::ChunkLimits limits = plan::DefaultLimits(dataset.schema);
  if (dataset.chunk_symbols) limits.symbols = static_cast<size_t>(*dataset.chunk_symbols);
  if (dataset.chunk_days) limits.days = *dataset.chunk_days;
  const codec::TableSchema* schema = codec::FindSchema(dataset.schema_name());
  const bool events = schema != nullptr && schema->merge == codec::MergeRule::kReplaceCells;
  const bool untold = dataset.stype_in == "parent" &&
                      !std::ranges::all_of(symbols, [](const std::string& symbol) { return symbol.ends_with(".FUT"); });
  if (events || untold || layout.has_symbol()) limits.symbols = 1;
  return limits;
}

// An expectation as it goes into the plan: symbols that share their days, and what is there of them.
struct Part {
  std::vector<plan::VendorDay> days;
  std::vector<plan::Listing> listings;
  std::string pending_reason, missing_reason;  // Expectation's
  std::vector<CellRow> present;
  std::string own_symbol;  // of the batches, where it is the only one
  plan::Work work;
  std::set<CellKey> open;  // cells that are work whatever this run would ask for

  plan::Work WorkOf(plan::WorkOptions options, std::span<const plan::SymbolDays> only) const {
    if (!pending_reason.empty()) options.pending_reason = pending_reason;
    if (!missing_reason.empty()) options.missing_reason = missing_reason;
    plan::Work work = plan::FindWork(days, listings, present, options);
    if (!only.empty()) plan::KeepOnly(&work, only);
    return work;
  }
};

// Of a sorted list the rows of the symbols.
std::vector<CellRow> RowsOf(const std::vector<CellRow>& rows, const std::vector<plan::Listing>& listings) {
  std::vector<CellRow> own;
  for (const plan::Listing& listing : listings) {
    const auto [begin, end] =
        std::ranges::equal_range(rows, listing.symbol, {}, [](const CellRow& row) { return row.cell.symbol; });
    own.insert(own.end(), begin, end);
  }
  return own;
}

Part PartOf(source::Expectation expectation, std::vector<CellRow> present) {
  return {.days = std::move(expectation.days),
          .listings = std::move(expectation.listings),
          .pending_reason = std::move(expectation.pending_reason),
          .missing_reason = std::move(expectation.missing_reason),
          .present = std::move(present)};
}

std::vector<Part> PartsOf(source::Expectation expectation, std::vector<CellRow> present, bool has_symbol) {
  std::vector<Part> parts;
  for (source::Expectation& one : expectation.more) {
    std::vector<CellRow> own = RowsOf(present, one.listings);
    Part& part = parts.emplace_back(PartOf(std::move(one), std::move(own)));
    if (has_symbol && part.listings.size() == 1) part.own_symbol = part.listings.front().symbol;
  }
  if (!expectation.listings.empty() || expectation.more.empty()) {
    parts.insert(parts.begin(), PartOf(std::move(expectation), std::move(present)));
  }
  return parts;
}

// What was not had of a snapshot's days before `today` cannot be had any more: not work, and no gap either.
std::vector<ledger::Cell> PastSnapshots(const std::vector<CellRow>& present, Day today) {
  std::vector<ledger::Cell> past;
  for (const CellRow& row : present) {
    const ledger::Cell& cell = row.cell;
    if (cell.day >= today || ledger::IsSettled(cell.state) || cell.reason == plan::kLostReason) continue;
    ledger::Cell over{.symbol = cell.symbol,
                      .day = cell.day,
                      .state = ledger::CellState::kNotListed,
                      .reason = "a snapshot, which was to be had on that day alone"};
    if (ledger::Replaces(over, cell)) past.push_back(std::move(over));
  }
  return past;
}

}  // namespace

Result<Demand> FindDemand(const lake::LakePaths& paths, ledger::Ledger* ledger, const DatasetConfig& dataset,
                          const lake::Layout& layout, source::Supply& supply, const DemandOptions& options,
                          std::vector<Fetched> kept) {
  Demand demand;
  const codec::TableSchema* schema = codec::FindSchema(dataset.schema_name());
  const Day first = schema == nullptr ? options.first : schema->CellDay(options.first);
  LODE_TRY(source::Expectation expectation, supply.Expect(options.symbols, options.first, options.last));
  // Of a snapshot what is there, or was fetched, of days before is looked at too: it is over.
  const Day known_from = expectation.is_snapshot ? kFirstSnapshot : first;
  LODE_TRY(std::vector<CellRow> present, PresentCells(paths, ledger, dataset.name, known_from, options.last));
  if (expectation.is_snapshot) demand.recorded = PastSnapshots(present, DayOf(NowNs()));
  std::vector<Part> parts = PartsOf(std::move(expectation), std::move(present), layout.has_symbol());
  const plan::WorkOptions work_options{
      .first = first, .last = options.last, .refetch = options.refetch, .retry_failed_only = options.retry_failed_only};
  std::map<std::string, Part*> part_of;
  for (Part& part : parts) {
    part.work = part.WorkOf(work_options, options.only);
    for (const plan::Listing& listing : part.listings) part_of.emplace(listing.symbol, &part);
    if (kept.empty()) continue;
    // What was fetched already is wanted whatever this run would ask for.
    plan::WorkOptions any_options = work_options;
    any_options.retry_failed_only = false;
    part.open = CellsOf(part.WorkOf(any_options, {}));
  }

  const std::set<std::string> symbols(options.symbols.begin(), options.symbols.end());
  std::map<Part*, std::vector<Fetched>> wanted;
  for (Fetched& fetched : kept) {
    if (!IsInScope(fetched, known_from, options.last, symbols)) continue;
    const auto known = part_of.find(fetched.request.symbols.front());
    if (known == part_of.end()) {
      demand.useless.push_back(std::move(fetched));
      continue;
    }
    Part& part = *known->second;
    const auto partition_of = [&](Day day) { return layout.PathOf(day, part.own_symbol); };
    // A refetch asks anew whatever was fetched before it.
    if (options.refetch || !IsStillWanted(fetched, part.work, part.open, partition_of)) {
      demand.useless.push_back(std::move(fetched));
      continue;
    }
    for (const plan::VendorDay& day : fetched.request.days) {
      for (const std::string& symbol : fetched.request.symbols) part.open.erase({symbol, day.day});
    }
    wanted[&part].push_back(std::move(fetched));
  }

  const plan::ChunkLimits limits = LimitsOf(dataset, layout, supply, options.symbols);
  std::map<std::string, size_t> batches;
  const auto batch_named = [&](const std::string& partition) -> Batch& {
    const auto [found, is_new] = batches.try_emplace(partition, demand.batches.size());
    if (is_new) demand.batches.push_back({partition, {}, {}});
    return demand.batches[found->second];
  };
  for (Part& part : parts) {
    std::vector<Fetched>& own_kept = wanted[&part];
    if (!own_kept.empty()) {
      part.present = WithKept(std::move(part.present), own_kept);
      part.work = part.WorkOf(work_options, options.only);
    }
    const plan::PartitionOfDay partition_of = [&](Day day) { return layout.PathOf(day, part.own_symbol); };
    for (plan::RequestGroup& group : plan::Chunk(part.work, limits, partition_of)) {
      std::ranges::move(group.requests, std::back_inserter(batch_named(group.partition).requests));
    }
    for (Fetched& fetched : own_kept) {
      batch_named(partition_of(fetched.request.first())).kept.push_back(std::move(fetched));
    }
    demand.expected_cells += static_cast<int64_t>(part.work.days.size() * part.listings.size());
    std::vector<ledger::Cell> recorded = plan::RecordedCells(part.work);
    std::ranges::move(recorded, std::back_inserter(demand.recorded));
    std::ranges::move(part.listings, std::back_inserter(demand.listings));
    demand.works.push_back(std::move(part.work));
  }
  return demand;
}

}  // namespace lode::sync
