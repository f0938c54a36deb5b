#include "lode/sync/demand.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "lode/codec/schema.h"
#include "lode/lake/listing.h"
#include "lode/plan/coverage.h"
#include "lode/plan/work.h"

namespace lode::sync {
namespace {

using CellKey = std::pair<std::string, Day>;

const Day kFirstSnapshot = ToDay({2000, 1, 1});

// What is there, and which partitions are lost; nothing of either where there is no dataset yet.
struct Present {
  plan::PresentCells cells;
  std::set<std::string> lost;
};

Result<Present> ReadPresent(const lake::LakePaths& paths, ledger::Ledger* ledger, const std::string& dataset, Day first,
                            Day last, bool trust_ledger) {
  Present present;
  if (ledger == nullptr) return present;
  LODE_TRY(const std::vector<ledger::DatasetRow> datasets, ledger->Datasets());
  const auto row = std::ranges::find(datasets, dataset, &ledger::DatasetRow::name);
  if (row == datasets.end()) return present;
  if (!trust_ledger) {
    LODE_TRY(present.lost, lake::LostPartitions(paths, *ledger, dataset));
  }
  LODE_TRY(present.cells, lake::ReadPresent(*ledger, *row, first, last, present.lost));
  return present;
}

std::set<CellKey> CellsOf(const plan::Work& work) {
  std::set<CellKey> cells;
  for (const plan::SymbolWork& symbol : work.symbols) {
    for (const plan::DayRun& run : work.RunsOf(symbol)) {
      for (uint32_t i = run.begin; i < run.end; ++i) cells.emplace(work.NameOf(symbol), work.days[i].day);
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
plan::PresentCells WithKept(const plan::PresentCells& present, const std::vector<Fetched>& kept) {
  std::map<CellKey, std::optional<Day>> cells;
  for (const Fetched& fetched : kept) {
    for (const plan::VendorDay& day : fetched.request.days) {
      for (const std::string& symbol : fetched.request.symbols) cells[{symbol, day.day}] = day.modified;
    }
  }
  std::vector<plan::PresentCells::Extra> extra;
  for (const auto& [cell, modified] : cells) extra.push_back({cell.first, cell.second, modified});
  return present.With(extra);
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
  std::shared_ptr<const plan::Listings> listings;
  std::string pending_reason, missing_reason;  // Expectation's
  std::string own_symbol = {};                 // of the batches, where it is the only one
  plan::Work work = {};
  std::set<CellKey> open = {};  // cells that are work whatever this run would ask for

  plan::Work WorkOf(plan::WorkOptions options, const plan::PresentCells& present,
                    std::span<const plan::SymbolDays> only) const {
    if (!pending_reason.empty()) options.pending_reason = pending_reason;
    if (!missing_reason.empty()) options.missing_reason = missing_reason;
    plan::Work work = plan::FindWork(days, listings, present, options);
    if (!only.empty()) plan::KeepOnly(&work, only);
    return work;
  }
};

Part PartOf(source::Expectation expectation) {
  return {.days = std::move(expectation.days),
          .listings = std::make_shared<const plan::Listings>(std::move(expectation.listings)),
          .pending_reason = std::move(expectation.pending_reason),
          .missing_reason = std::move(expectation.missing_reason)};
}

std::vector<Part> PartsOf(source::Expectation expectation, bool has_symbol) {
  std::vector<Part> parts;
  const bool is_whole = expectation.more.empty();
  std::vector<source::Expectation> more = std::move(expectation.more);
  if (!expectation.listings.empty() || is_whole) parts.push_back(PartOf(std::move(expectation)));
  for (source::Expectation& one : more) {
    Part& part = parts.emplace_back(PartOf(std::move(one)));
    if (has_symbol && part.listings->size() == 1) part.own_symbol = part.listings->SymbolOf(0);
  }
  return parts;
}

// What was not had of a snapshot's days before `today` cannot be had any more: not work, and no gap either.
std::vector<ledger::Cell> PastSnapshots(const plan::PresentCells& present, Day today) {
  std::vector<ledger::Cell> past;
  for (size_t i = 0; i < present.size(); ++i) {
    const plan::PresentCells::Symbol symbol = present[i];
    for (const plan::PresentCell& cell : symbol.others) {
      if (cell.day >= today || ledger::IsSettled(cell.state) || cell.is_lost) continue;
      ledger::Cell over{.symbol = std::string(symbol.name),
                        .day = cell.day,
                        .state = ledger::CellState::kNotListed,
                        .reason = "a snapshot, which was to be had on that day alone"};
      const ledger::Cell there{.symbol = over.symbol, .day = cell.day, .state = cell.state};
      if (ledger::Replaces(over, there)) past.push_back(std::move(over));
    }
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
  LODE_TRY(Present present, ReadPresent(paths, ledger, dataset.name, known_from, options.last, options.trust_ledger));
  demand.lost = std::move(present.lost);
  if (expectation.is_snapshot) demand.recorded = PastSnapshots(present.cells, DayOf(NowNs()));
  std::vector<Part> parts = PartsOf(std::move(expectation), layout.has_symbol());
  const plan::WorkOptions work_options{
      .first = first, .last = options.last, .refetch = options.refetch, .retry_failed_only = options.retry_failed_only};
  std::map<std::string, Part*> part_of;
  for (Part& part : parts) {
    part.work = part.WorkOf(work_options, present.cells, options.only);
    if (kept.empty()) continue;
    for (const plan::Listing& listing : part.listings->all()) part_of.emplace(listing.symbol, &part);
    // What was fetched already is wanted whatever this run would ask for: it may have been asked for by
    // `--retry-failed`, or without it.
    for (const bool retry_failed_only : {false, true}) {
      plan::WorkOptions other_options = work_options;
      other_options.retry_failed_only = retry_failed_only;
      part.open.merge(CellsOf(part.WorkOf(other_options, present.cells, {})));
    }
  }

  std::set<std::string> symbols;
  if (!kept.empty()) symbols.insert(options.symbols.begin(), options.symbols.end());
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
      part.work = part.WorkOf(work_options, WithKept(present.cells, own_kept), options.only);
    }
    const plan::PartitionOfDay partition_of = [&](Day day) { return layout.PathOf(day, part.own_symbol); };
    for (plan::RequestGroup& group : plan::Chunk(part.work, limits, partition_of)) {
      std::ranges::move(group.requests, std::back_inserter(batch_named(group.partition).requests));
    }
    for (Fetched& fetched : own_kept) {
      batch_named(partition_of(fetched.request.first())).kept.push_back(std::move(fetched));
    }
    if (options.find_gaps) {
      std::ranges::move(plan::FindGaps(part.work, present.cells), std::back_inserter(demand.gaps));
    }
    demand.expected_cells += static_cast<int64_t>(part.work.days.size() * part.listings->size());
    std::vector<ledger::Cell> recorded = plan::RecordedCells(part.work);
    std::ranges::move(recorded, std::back_inserter(demand.recorded));
    demand.works.push_back(std::move(part.work));
  }
  std::ranges::sort(demand.gaps, {}, [](const plan::Gap& gap) { return std::pair(gap.symbol, gap.first); });
  return demand;
}

std::vector<Unresolved> UnresolvedOf(const Demand& demand) {
  std::vector<Unresolved> unresolved;
  for (const plan::Work& work : demand.works) {
    for (const plan::Listing& listing : work.listings->all()) {
      if (listing.unresolved.empty()) continue;
      unresolved.push_back({std::string(listing.symbol), std::string(listing.unresolved)});
    }
  }
  return unresolved;
}

}  // namespace lode::sync
