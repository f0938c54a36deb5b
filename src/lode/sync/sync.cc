#include "lode/sync/sync.h"

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "lode/base/nearest.h"
#include "lode/base/stop.h"
#include "lode/codec/schema.h"
#include "lode/lake/disk_guard.h"
#include "lode/lake/import_unit.h"
#include "lode/lake/listing.h"
#include "lode/lake/recover.h"
#include "lode/net/waits.h"
#include "lode/symbol/lists.h"
#include "lode/sync/fetch_run.h"

namespace lode::sync {
namespace {

using codec::TableSchema;
using lake::DatasetWriter;
using lake::Unit;
using lake::UnitFile;

// Small batches that wait to be published as one.
class Group {
 public:
  bool Takes(const FinishedBatch& batch) const {
    const size_t files = files_ + batch.fetched.size();
    return batches_.size() < kMostBatches && files <= kMostFiles && bytes_ + BytesOf(batch) <= kMostBytes;
  }
  void Add(FinishedBatch batch) {
    files_ += batch.fetched.size();
    bytes_ += BytesOf(batch);
    batches_.push_back(std::move(batch));
  }
  std::vector<FinishedBatch> Take() {
    files_ = bytes_ = 0;
    return std::exchange(batches_, {});
  }

 private:
  static constexpr size_t kMostBatches = 64, kMostFiles = 256;
  static constexpr uint64_t kMostBytes = uint64_t{8} << 20;

  static uint64_t BytesOf(const FinishedBatch& batch) {
    uint64_t bytes = 0;
    for (const Fetched& fetched : batch.fetched) bytes += fetched.size;
    return bytes;
  }

  std::vector<FinishedBatch> batches_;
  size_t files_ = 0;
  uint64_t bytes_ = 0;
};

class DatasetSync {
 public:
  DatasetSync(const SyncRequest& request, double* spent_usd, SyncObserver& observer)
      : request_(request),
        dataset_(*request.dataset),
        spent_usd_(*spent_usd),
        observer_(observer),
        folder_(request.paths.root / ".lode" / "fetch" / dataset_.name) {}

  Result<std::vector<plan::Gap>> Gaps() {
    LODE_TRY(Prepare());
    LODE_TRY(const auto reader, ledger::Ledger::OpenReadOnly(request_.paths.ledger()));
    find_gaps_ = true;
    LODE_TRY(Demand demand, Find(reader.get(), {}));
    return std::move(demand.gaps);
  }

  Result<SyncReport> Run() {
    LODE_TRY(Prepare());
    // First without the lock and without a trace: a run without work must not write.
    {
      LODE_TRY(const auto reader, ledger::Ledger::OpenReadOnly(request_.paths.ledger()));
      LODE_TRY(demand_, Find(reader.get(), {}));
      Describe();
      std::error_code ignored;
      const bool leftovers = std::filesystem::exists(request_.paths.root / ".lode" / "fetch" / dataset_.name, ignored);
      if (demand_.empty() && !(leftovers && !request_.dry_run)) {
        if (reader != nullptr && !request_.dry_run) lake::FinishInterrupted(request_.paths, dataset_.name, *reader);
        return report_;
      }
      // A run that may not be paid for leaves no trace either.
      if (!leftovers || request_.dry_run) LODE_TRY(Price());
      if (request_.dry_run) {
        observer_.OnPlan(report_.planned_requests, report_.estimate);
        return report_;
      }
    }
    const auto priced = std::pair(report_.planned_requests, report_.work_cells);
    LODE_TRY(lake::CreateLake(request_.paths));
    LODE_TRY(DatasetWriter writer, DatasetWriter::Open(request_.paths, dataset_.name));
    LODE_TRY(std::vector<Fetched> kept, folder_.Open(supply_->selection(), supply_->continues_files()));
    LODE_TRY(demand_, Find(&writer.ledger(), std::move(kept)));
    for (const Fetched& useless : demand_.useless) folder_.Remove(useless.id);
    Describe();
    if (!is_priced_ || priced != std::pair(report_.planned_requests, report_.work_cells)) LODE_TRY(Price());
    spent_usd_ += report_.estimate.usd.value_or(0);
    observer_.OnPlan(report_.planned_requests, report_.estimate);
    std::set<std::string> requested;
    for (const Batch& batch : demand_.batches) {
      for (const plan::Request& request : batch.requests) {
        requested.insert(plan::RequestId(supply_->selection(), request));
      }
    }
    LODE_TRY(Fill(writer));
    writer.DropTemporaries();
    folder_.Close(requested);
    return report_;
  }

 private:
  Status Prepare() {
    schema_ = codec::FindSchema(dataset_.schema_name());
    if (schema_ == nullptr) {
      const char* key = dataset_.flat_file.empty() ? "schema" : "flat_file";
      std::vector<std::string> known;
      for (const TableSchema* one : codec::SchemasOf(dataset_.source)) known.push_back(one->name);
      return Fail(ErrorKind::kConfig, "dataset {}: {} '{}' is not one lode knows{}", dataset_.name, key,
                  dataset_.schema_name(), DidYouMean(dataset_.schema_name(), known));
    }
    LODE_TRY(layout_, lake::Layout::Parse(dataset_.layout.empty() ? schema_->layout : dataset_.layout));
    LODE_TRY(symbols_, SymbolsOf(request_));
    const double rate = request_.requests_per_s;
    net::ClientOptions options{.limits = {.connections = static_cast<int>(request_.in_flight), .requests_per_s = rate}};
    LODE_TRY(net::ApplyWaits(&options));
    LODE_TRY(client_, net::Client::Make(std::move(options)));
    LODE_TRY(supply_, source::OpenSupply(*request_.config, dataset_, *client_));
    std::unordered_set<std::string> spelled;
    std::erase_if(symbols_, [&](std::string& symbol) {
      symbol = supply_->Spell(std::move(symbol));
      return !spelled.insert(symbol).second;
    });
    report_.dataset = dataset_.name;
    report_.schema = schema_->name;
    report_.vendor_dataset = dataset_.exchange.empty() ? dataset_.dataset : dataset_.exchange;
    report_.first = request_.first;
    report_.last = request_.last;
    const std::string key = fmt::format("sources.{}.key", dataset_.source);
    report_.key_wanted = fmt::format("{} ({})", key, request_.config->Get(key).value_or("unset"));
    report_.symbols = static_cast<int64_t>(symbols_.size());
    return Ok();
  }

  Result<Demand> Find(ledger::Ledger* ledger, std::vector<Fetched> kept) {
    const DemandOptions options{.symbols = symbols_,
                                .first = request_.first,
                                .last = request_.last,
                                .refetch = request_.refetch,
                                .retry_failed_only = request_.retry_failed_only,
                                .only = request_.only,
                                .trust_ledger = request_.trust_ledger,
                                .find_gaps = find_gaps_};
    LODE_TRY(Demand demand, FindDemand(request_.paths, ledger, dataset_, *layout_, *supply_, options, std::move(kept)));
    if (ledger != nullptr) LODE_TRY(RefuseHalfRepairs(*ledger, &demand));
    return demand;
  }

  // A lost partition that this run brings only in part would leave cells that say complete and are not. Such a batch is
  // left out and named; one that is brought whole may replace what is gone.
  Status RefuseHalfRepairs(ledger::Ledger& ledger, Demand* demand) {
    if (demand->lost.empty()) return Ok();
    lost_.insert(demand->lost.begin(), demand->lost.end());
    LODE_TRY(const auto cells, ledger.Cells(dataset_.name));
    for (const ledger::CellRow& row : cells) {
      using enum ledger::CellState;
      const bool rows = row.cell.state == kComplete || row.cell.state == kPartial || row.cell.state == kStale;
      if (!rows || !lost_.contains(layout_->PathOf(row.cell.day, row.cell.symbol))) continue;
      // By the names that a batch of the cell may have.
      held_[layout_->PathOf(row.cell.day, "")].emplace(row.cell.symbol, row.cell.day);
      held_[layout_->PathOf(row.cell.day, row.cell.symbol)].emplace(row.cell.symbol, row.cell.day);
    }
    std::erase_if(demand->batches, [&](const Batch& batch) {
      const auto cells_held = held_.find(batch.partition);
      if (cells_held == held_.end()) return false;
      auto missing = cells_held->second;
      std::set<std::string> brought;
      const auto take = [&](const plan::Request& request) {
        for (const std::string& symbol : request.symbols) {
          brought.insert(symbol);
          for (const plan::VendorDay& day : request.days) missing.erase({symbol, day.day});
        }
      };
      for (const plan::Request& request : batch.requests) take(request);
      for (const Fetched& fetched : batch.kept) take(fetched.request);
      if (layout_->has_symbol()) {  // files of symbols that the batch is not about stay as they are
        std::erase_if(missing, [&](const auto& cell) { return !brought.contains(cell.first); });
      }
      if (missing.empty()) return false;
      report_.failed.push_back(
          {batch.partition,
           Error{ErrorKind::kIncomplete,
                 fmt::format("the file is gone and this run would bring only a part of it ({} on {} is not asked for); "
                             "`lode sync {} -s {}` brings all of it",
                             missing.begin()->first, FormatDay(missing.begin()->second), dataset_.name,
                             FormatDay(missing.begin()->second)),
                 {}}});
      return true;
    });
    return Ok();
  }

  void Describe() {
    report_.unresolved = UnresolvedOf(demand_);
    report_.expected_cells = demand_.expected_cells;
    report_.work_cells = report_.stale_cells = report_.keyless_cells = 0;
    for (const plan::Work& work : demand_.works) {
      report_.work_cells += work.cells;
      report_.stale_cells += static_cast<int64_t>(work.stale.size());
      report_.keyless_cells += work.keyless_cells;
      for (const plan::StaleCell& cell : work.stale) stale_.try_emplace({cell.symbol, cell.day}, cell.had);
    }
    report_.planned_partitions = report_.planned_requests = report_.kept_requests = 0;
    for (const Batch& batch : demand_.batches) {
      report_.planned_partitions += PartitionsOf(batch);
      report_.planned_requests += static_cast<int64_t>(batch.requests.size());
      report_.kept_requests += static_cast<int64_t>(batch.kept.size());
    }
  }

  // With {symbol} in the layout each symbol has one.
  int64_t PartitionsOf(const Batch& batch) const {
    if (!layout_->has_symbol()) return 1;
    std::set<std::string> symbols;
    for (const plan::Request& request : batch.requests) symbols.insert(request.symbols.begin(), request.symbols.end());
    for (const Fetched& kept : batch.kept) symbols.insert(kept.request.symbols.begin(), kept.request.symbols.end());
    return static_cast<int64_t>(symbols.size());
  }

  // Before anything billable.
  Status Price() {
    is_priced_ = true;
    report_.estimate = {};
    if (report_.planned_requests > 0) {
      for (const plan::Work& work : demand_.works) {
        if (work.symbols.empty()) continue;
        LODE_TRY(const source::Estimate part, supply_->EstimateCost(work, request_.estimate_whole));
        source::AddTo(&report_.estimate, part);
      }
    }
    const double usd = report_.estimate.usd.value_or(0);
    if (!request_.dry_run && request_.budget_usd && spent_usd_ + usd > *request_.budget_usd) {
      return Fail(ErrorKind::kRefused,
                  "{} request{} would cost {:.2f} USD{}, more than --max-cost {:.2f}; nothing was asked for",
                  report_.planned_requests, report_.planned_requests == 1 ? "" : "s", usd,
                  spent_usd_ > 0 ? fmt::format(" after {:.2f} USD for the datasets before it", spent_usd_) : "",
                  *request_.budget_usd);
    }
    return Ok();
  }

  Status Fill(DatasetWriter& writer) {
    LODE_TRY(const uint64_t min_free_bytes, lake::MinFreeBytes(*request_.config));
    lake::UnitContext context{.writer = &writer,
                              .schema = schema_,
                              .layout = &*layout_,
                              .policy = dataset_.on_bad_record == BadRecordPolicy::kDefault
                                            ? supply_->bad_record_policy()
                                            : dataset_.on_bad_record,
                              .memory_bytes = request_.memory_bytes,
                              .min_free_bytes = min_free_bytes,
                              .started_at = FormatIsoNs(NowNs())};
    context.progress = [](uint64_t, int64_t) {};
    context.notice = [this](const std::string& line) { observer_.OnNotice(line); };
    {
      const FetchLimits limits{.in_flight = request_.in_flight, .ahead = 4 * request_.in_flight, .room = [&] {
                                 return lake::CheckRoom(request_.paths, 0, min_free_bytes);
                               }};
      FetchRun run(*client_, *supply_, folder_, std::move(demand_.batches), limits);
      Group group;
      while (true) {
        auto batch = run.Next();
        const bool is_cut =
            !batch && (batch.error().kind == ErrorKind::kInterrupted || batch.error().kind == ErrorKind::kStorage);
        if (is_cut) return std::unexpected(std::move(batch).error());
        const bool may_wait = batch && *batch && MayWait(**batch);
        // What came before an error is whole all the same.
        if (!may_wait || !group.Takes(**batch)) LODE_TRY(PublishTogether(context, group.Take()));
        if (!batch) return std::unexpected(std::move(batch).error());
        if (!*batch) break;
        if (may_wait && group.Takes(**batch)) {
          group.Add(std::move(**batch));
        } else {
          LODE_TRY(Publish(context, std::move(**batch)));
        }
      }
      report_.fetch_s = run.fetch_s();
    }
    if (demand_.recorded.empty()) return Ok();
    Unit unit;
    unit.name = "what the vendor says";
    unit.origin = "api";
    unit.extra_cells = std::move(demand_.recorded);
    LODE_TRY(lake::RunUnit(context, unit));
    return Ok();
  }

  // Files by name, of which there is one a day or more: to publish one takes longer than to fetch it. A lost partition
  // has rules of its own.
  bool MayWait(const FinishedBatch& batch) const {
    return supply_->request_limits().has_value() && !held_.contains(batch.partition);
  }

  void Count(const FinishedBatch& batch) {
    report_.requests += batch.requests;
    report_.failed_requests += batch.failed;
    report_.halved_requests += batch.halved;
    for (const ledger::Cell& cell : batch.cells) {
      if (cell.state == ledger::CellState::kNotEntitled && report_.refused.empty()) report_.refused = cell.reason;
    }
  }

  // As one unit; if that cannot go in, one by one, so that the one at fault keeps no other out.
  Status PublishTogether(const lake::UnitContext& context, std::vector<FinishedBatch> batches) {
    if (batches.size() > 1) {
      LODE_TRY(const bool is_in, TryTogether(context, batches));
      if (is_in) return Ok();
    }
    for (FinishedBatch& batch : batches) LODE_TRY(Publish(context, std::move(batch)));
    return Ok();
  }

  Result<bool> TryTogether(const lake::UnitContext& context, const std::vector<FinishedBatch>& batches) {
    FinishedBatch all;
    const auto [first, last] = std::ranges::minmax_element(batches, {}, &FinishedBatch::partition);
    all.partition = fmt::format("{} .. {}", first->partition, last->partition);
    for (const FinishedBatch& batch : batches) {
      all.fetched.insert(all.fetched.end(), batch.fetched.begin(), batch.fetched.end());
      all.cells.insert(all.cells.end(), batch.cells.begin(), batch.cells.end());
      all.requests += batch.requests;
      all.failed += batch.failed;
      all.halved += batch.halved;
    }
    SortByDay(&all.fetched);
    NameStale(&all.cells);
    std::deque<source::files::Delivery> deliveries;
    LODE_TRY(const Unit unit, MakeUnit(*context.writer, all, &deliveries));
    auto done = lake::RunUnit(context, unit);
    if (!done) {
      if (StopsTheRun(done.error().kind)) return std::unexpected(std::move(done).error());
      return false;
    }
    Count(all);
    AddUp(*done);
    for (const Fetched& fetched : all.fetched) folder_.Remove(fetched.id);
    observer_.OnBatch(all.partition, report_.requests, report_.bytes_in, report_.records);
    return true;
  }

  static void SortByDay(std::vector<Fetched>* fetched) {
    std::ranges::sort(*fetched, {},
                      [](const Fetched& one) { return std::pair(one.request.first(), one.request.symbols); });
  }

  Status Publish(const lake::UnitContext& context, FinishedBatch batch) {
    Count(batch);
    SortByDay(&batch.fetched);
    NameStale(&batch.cells);
    std::deque<source::files::Delivery> deliveries;
    LODE_TRY(Unit unit, MakeUnit(*context.writer, batch, &deliveries));
    bool keep = false;
    while (!unit.files.empty() || !unit.extra_cells.empty()) {
      if (const ledger::Cell* lacking = CellNotRepaired(unit); lacking != nullptr) {
        keep = true;
        report_.failed.push_back(
            {batch.partition,
             Error{ErrorKind::kIncomplete,
                   fmt::format("the file is gone and {} on {} did not come ({}); what came is kept and "
                               "goes in with it",
                               lacking->symbol, FormatDay(lacking->day), lacking->reason),
                   {}}});
        break;
      }
      auto done = lake::RunUnit(context, unit);
      if (done) {
        AddUp(*done);
        break;
      }
      Error error = std::move(done).error();
      if (StopsTheRun(error.kind)) return std::unexpected(std::move(error));
      const bool left_out = LeaveOut(error, &unit);
      NameStale(&unit.extra_cells);
      keep = !left_out && error.kind == ErrorKind::kCorrupt;
      report_.failed.push_back({batch.partition, std::move(error)});
      if (!left_out) break;
    }
    // What could not go in because of the partition, gone or damaged, stays: the next run does not pay for it again.
    for (const Fetched& fetched : batch.fetched) {
      const bool in_unit =
          std::ranges::any_of(unit.files, [&](const UnitFile& file) { return file.file->path == fetched.file; });
      if (!keep || !in_unit) folder_.Remove(fetched.id);
    }
    observer_.OnBatch(batch.partition, report_.requests, report_.bytes_in, report_.records);
    return Ok();
  }

  // The lake has what the vendor has replaced since, and the newer version did not come.
  void NameStale(std::vector<ledger::Cell>* cells) const {
    for (ledger::Cell& cell : *cells) {
      const auto stale = stale_.find({cell.symbol, cell.day});
      if (cell.state != ledger::CellState::kFailed || stale == stale_.end()) continue;
      cell.state = ledger::CellState::kStale;
      cell.modified = stale->second;  // still: what comes one day is newer than this
      cell.reason = "the vendor has a newer version, which did not come: " + cell.reason;
    }
  }

  // A cell of a lost partition that was asked for again and did not come. Written without its rows the partition would
  // no longer be lost, and the cell would still say complete.
  const ledger::Cell* CellNotRepaired(const Unit& unit) const {
    const auto held = held_.find(unit.name);
    if (held == held_.end()) return nullptr;
    const auto lacking = std::ranges::find_if(
        unit.extra_cells, [&](const ledger::Cell& cell) { return held->second.contains({cell.symbol, cell.day}); });
    return lacking == unit.extra_cells.end() ? nullptr : &*lacking;
  }

  // The file that a unit failed over becomes failed cells. False: no single file is to blame, and nothing of the unit
  // goes in.
  static bool LeaveOut(const Error& error, Unit* unit) {
    const auto culprit = std::ranges::find_if(unit->files, [&](const UnitFile& file) {
      return !error.context.empty() && error.context.back() == file.record.name;
    });
    if (culprit == unit->files.end()) return false;
    for (const std::string& symbol : culprit->delivery->query->symbols) {
      for (const auto& condition : culprit->delivery->conditions) {
        unit->extra_cells.push_back({.symbol = symbol,
                                     .day = condition.day,
                                     .state = ledger::CellState::kFailed,
                                     .reason = error.message,
                                     .modified = condition.modified});
      }
    }
    unit->files.erase(culprit);
    return true;
  }

  Result<Unit> MakeUnit(DatasetWriter& writer, const FinishedBatch& batch,
                        std::deque<source::files::Delivery>* deliveries) {
    Unit unit;
    unit.name = batch.partition;
    unit.origin = "api";
    unit.extra_cells = batch.cells;
    unit.renewed = lost_;  // of those that it writes it brings everything: RefuseHalfRepairs
    nlohmann::json requests = nlohmann::json::array();
    for (const Fetched& fetched : batch.fetched) {
      LODE_TRY(source::files::Delivery delivery, supply_->Deliver(fetched.request, fetched.file, fetched.end_ns));
      deliveries->push_back(std::move(delivery));
      uint32_t crc32c = 0;
      LODE_TRY(store::Digest digest, store::HashLargeFile(fetched.file, &crc32c));
      if (digest.size != fetched.size || crc32c != fetched.crc32c) {
        return Fail(
            ErrorKind::kCorrupt,
            "{} is not what was fetched any more, the disk or somebody changed it; the next run asks for it again",
            fetched.file.string());
      }
      UnitFile& file = unit.files.emplace_back();
      file.delivery = &deliveries->back();
      file.file = &file.delivery->data.front();
      file.ours = file.from_wire = true;
      file.record = {.name = file.file->name,
                     .landed = {},
                     .size = fetched.size,
                     .sha256 = std::move(digest.sha256),
                     .role = "data",
                     .encoding = std::string(source::files::Name(file.file->encoding)),
                     .schema = schema_->name};
      LODE_TRY(file.record.landed, LandingOf(writer, file.record));
      unit.attempts = std::max(unit.attempts, fetched.tries);
      requests.push_back(nlohmann::json::parse(file.delivery->query->json));
    }
    unit.request = nlohmann::json{{"requests", std::move(requests)}}.dump();
    return unit;
  }

  // The same request may bring other bytes another time (a refetch).
  Result<std::string> LandingOf(DatasetWriter& writer, const ledger::RawFile& record) const {
    const std::string plain = fmt::format("landing/{}/api/{}", dataset_.name, record.name);
    LODE_TRY(const auto present, store::FileSize(writer.paths().root / plain));
    if (!present) return plain;
    LODE_TRY(const store::Digest digest, store::HashFile(writer.paths().root / plain));
    if (digest.sha256 == record.sha256) return plain;
    return fmt::format("landing/{}/api-{}/{}", dataset_.name, record.sha256.substr(0, 8), record.name);
  }

  void AddUp(const lake::UnitResult& done) {
    report_.records += done.records;
    report_.rejected += done.rejected;
    report_.rows += done.rows;
    report_.partitions += done.partitions;
    report_.bytes_in += done.bytes_in;
    report_.bytes_out += done.bytes_out;
  }

  const SyncRequest& request_;
  const DatasetConfig& dataset_;
  double& spent_usd_;
  SyncObserver& observer_;
  FetchFolder folder_;
  const TableSchema* schema_ = nullptr;
  std::optional<lake::Layout> layout_;
  std::vector<std::string> symbols_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<source::Supply> supply_;
  Demand demand_;
  std::set<std::string> lost_;  // partitions
  // Cells that say complete and whose rows were in a lost one, by batch: with {symbol} in the layout several files
  // belong to one.
  std::map<std::string, std::set<std::pair<std::string, Day>>> held_;
  // Cells that the vendor has revised, and the vendor's date of what is here.
  std::map<std::pair<std::string, Day>, std::optional<Day>> stale_;
  bool is_priced_ = false, find_gaps_ = false;
  SyncReport report_;
};

}  // namespace

Result<std::vector<std::string>> SymbolsOf(const SyncRequest& request) {
  const DatasetConfig& dataset = *request.dataset;
  const bool is_own = request.symbols.empty();
  // What is written on the command line is meant from where it is written.
  const std::filesystem::path folder = is_own ? request.config->file().parent_path() : std::filesystem::current_path();
  LODE_TRY(std::vector<std::string> symbols,
           symbol::ExpandSymbols(is_own ? dataset.symbols : request.symbols, dataset.stype_in, folder));
  if (symbols.empty()) symbols = source::DefaultSymbols(dataset);
  if (symbols.empty())
    return Fail(ErrorKind::kConfig, "dataset {} has no symbols: name them in its table, or with --symbols",
                dataset.name);
  return symbols;
}

bool StopsTheRun(ErrorKind kind) {
  return kind == ErrorKind::kStorage || kind == ErrorKind::kInterrupted || kind == ErrorKind::kInternal ||
         kind == ErrorKind::kBusy || kind == ErrorKind::kRefused;
}

Result<SyncReport> Sync(const SyncRequest& request, double* spent_usd, SyncObserver& observer) {
  return DatasetSync(request, spent_usd, observer).Run();
}

Result<std::vector<plan::Gap>> FindGaps(const SyncRequest& request) {
  class Nobody : public SyncObserver {
    void OnNotice(const std::string&) override {}
    void OnPlan(int64_t, const source::Estimate&) override {}
    void OnBatch(const std::string&, int64_t, uint64_t, int64_t) override {}
  } nobody;
  double nothing = 0;
  return DatasetSync(request, &nothing, nobody).Gaps();
}

}  // namespace lode::sync
