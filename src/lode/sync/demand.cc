#include "lode/sync/demand.h"

#include <algorithm>
#include <map>
#include <set>

#include "lode/codec/schema.h"
#include "lode/lake/survey.h"
#include "lode/plan/work.h"

namespace lode::sync {
namespace {

using ledger::CellRow;
using CellKey = std::pair<std::string, Day>;

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
bool IsInScope(const Fetched& fetched, const DemandOptions& options, const std::set<std::string>& symbols) {
  if (fetched.request.first() < options.first || fetched.request.last() > options.last) return false;
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

}  // namespace

Result<Demand> FindDemand(const lake::LakePaths& paths, ledger::Ledger* ledger, const DatasetConfig& dataset,
                          const lake::Layout& layout, source::Supply& supply, const DemandOptions& options,
                          std::vector<Fetched> kept) {
  Demand demand;
  LODE_TRY(source::Expectation expectation, supply.Expect(options.symbols, options.first, options.last));
  demand.listings = std::move(expectation.listings);
  LODE_TRY(std::vector<CellRow> present, PresentCells(paths, ledger, dataset.name, options.first, options.last));
  plan::WorkOptions work_options{.first = options.first,
                                 .last = options.last,
                                 .refetch = options.refetch,
                                 .retry_failed_only = options.retry_failed_only};
  if (!expectation.pending_reason.empty()) work_options.pending_reason = std::move(expectation.pending_reason);
  if (!expectation.missing_reason.empty()) work_options.missing_reason = std::move(expectation.missing_reason);
  demand.work = plan::FindWork(expectation.days, demand.listings, present, work_options);
  const plan::PartitionOfDay partition_of = [&](Day day) { return layout.PathOf(day, ""); };

  // What was fetched already is wanted whatever this run would ask for.
  plan::WorkOptions any_options = work_options;
  any_options.retry_failed_only = false;
  std::set<CellKey> open =
      CellsOf(kept.empty() ? demand.work : plan::FindWork(expectation.days, demand.listings, present, any_options));
  const std::set<std::string> symbols(options.symbols.begin(), options.symbols.end());
  std::vector<Fetched> wanted;
  for (Fetched& fetched : kept) {
    if (!IsInScope(fetched, options, symbols)) continue;
    // A refetch asks anew whatever was fetched before it.
    if (options.refetch || !IsStillWanted(fetched, demand.work, open, partition_of)) {
      demand.useless.push_back(std::move(fetched));
      continue;
    }
    for (const plan::VendorDay& day : fetched.request.days) {
      for (const std::string& symbol : fetched.request.symbols) open.erase({symbol, day.day});
    }
    wanted.push_back(std::move(fetched));
  }
  if (!wanted.empty()) {
    demand.work = plan::FindWork(expectation.days, demand.listings, WithKept(std::move(present), wanted), work_options);
  }
  demand.recorded = plan::RecordedCells(demand.work);

  const plan::ChunkLimits limits = LimitsOf(dataset, layout, supply, options.symbols);
  for (plan::RequestGroup& group : plan::Chunk(demand.work, limits, partition_of)) {
    demand.batches.push_back({std::move(group.partition), std::move(group.requests), {}});
  }
  for (Fetched& fetched : wanted) {
    const std::string partition = partition_of(fetched.request.first());
    auto batch = std::ranges::find(demand.batches, partition, &Batch::partition);
    if (batch == demand.batches.end()) batch = demand.batches.insert(demand.batches.end(), Batch{partition, {}, {}});
    batch->kept.push_back(std::move(fetched));
  }
  return demand;
}

}  // namespace lode::sync
