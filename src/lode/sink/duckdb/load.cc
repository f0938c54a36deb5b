#include "lode/sink/duckdb/load.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "lode/base/hashing.h"
#include "lode/base/stop.h"
#include "lode/sink/duckdb/contract_functions.h"
#include "lode/sink/duckdb/interrupt.h"
#include "lode/sink/duckdb/load_inputs.h"
#include "lode/sink/duckdb/load_state.h"
#include "lode/sink/duckdb/mirror_tables.h"
#include "lode/sink/duckdb/turn.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

constexpr int kRulesVersion = 1;  // raised when equal partitions would give other rows than before

constexpr uint64_t kProgramBytes = uint64_t{64} << 20;
constexpr uint64_t kLeastDuckdbBytes = uint64_t{40} << 20;
constexpr uint64_t kScarceBytes = uint64_t{384} << 20;  // below: one thread, because each builds its own row group

// How a dataset goes into the warehouse.
enum class Kind { kNone, kBars, kDefinitions, kStatistics, kMirror };

Kind KindOf(std::string_view schema) {
  if (schema == "definition") return Kind::kDefinitions;
  if (schema == "statistics") return Kind::kStatistics;
  if (!BarTables(schema).empty()) return Kind::kBars;
  return MirrorOf(schema) ? Kind::kMirror : Kind::kNone;
}

struct Dataset {
  ledger::DatasetRow row;
  Kind kind = Kind::kNone;
  std::string vendor_dataset;
  Asset asset = Asset::kUnknown;
  LakeSnapshot snapshot;
  bool selected = false;  // else only read for the bars of others
};

// Work on one partition: rows of the table that go, rows that come, or what is known of a companion.
struct Unit {
  const Dataset* dataset = nullptr;          // null: of a dataset that is gone
  const LakePartition* partition = nullptr;  // null: removed
  LoadState state;                           // removed: as it was; else as it will be
  std::optional<Error> error;                // found while planning
};

class Loader {
 public:
  explicit Loader(const LoadRequest& request) : request_(request), pinned_(request.paths) {}
  Result<LoadReport> Run();

 private:
  using Clock = std::chrono::steady_clock;

  Status TakeDatasets();
  Status Plan(Connection& connection);
  Status PlanRemovals();
  Status PlanCompanion(Connection& connection, const Dataset& dataset, const LakePartition& partition);
  Status PlanBars(Connection& connection, const Dataset& dataset, const LakePartition& partition);
  void PlanMirror(const Dataset& dataset, const LakePartition& partition);
  std::vector<const LakePartition*> Companions(const Dataset& bars, Kind kind, Day first, Day last) const;
  std::string InputsHash(const Dataset& dataset, const LakePartition& partition, const LoadState& state) const;
  LoadState NewState(const LakePartition& partition) const;
  const LoadState* Known(const LakePartition& partition) const;

  std::map<std::string, std::string> Settings() const;
  Result<Connection> OpenToRead();
  Result<Connection> OpenToWrite();
  Status Prepare(Connection& connection);
  Status RunUnits(Connection& connection);
  Status RunUnit(Connection& connection, Unit& unit);
  Result<LoadedRows> Rows(Connection& connection, Unit& unit);
  Result<LoadedRows> RemovedRows(Connection& connection, const LoadState& state);
  Result<LoadedRows> BarRows(Connection& connection, const Unit& unit);
  Status NoteFailure(Connection& connection, Unit& unit, const Error& error, int64_t started_at_ns);
  LoadedDataset& ReportOf(const Unit& unit);
  LoadReport DryReport();

  const LoadRequest& request_;
  PinnedPartitions pinned_;
  std::vector<Dataset> datasets_;
  LoadStates states_;
  std::map<std::string, LoadState> companions_;  // by file name: as they stand in the lake
  std::map<std::string, Error> broken_;          // by vendor dataset: a companion that cannot be read
  std::vector<Unit> units_;
  std::map<std::string, LoadedDataset> reports_;
  std::vector<FailedPartition> failed_;
};

// Errors that end the run; others are the partition's own.
bool EndsRun(const Error& error) {
  return error.kind == ErrorKind::kInterrupted || error.kind == ErrorKind::kStorage ||
         error.kind == ErrorKind::kInternal;
}

Status Loader::TakeDatasets() {
  LODE_TRY(std::vector<ledger::DatasetRow> rows, request_.ledger->Datasets());
  std::ranges::sort(rows, {}, &ledger::DatasetRow::name);
  for (ledger::DatasetRow& row : rows) {
    if (!CheckDatasetName(row.name)) continue;  // somebody else's ledger: names become paths and SQL
    Dataset dataset{.row = std::move(row)};
    dataset.kind = KindOf(dataset.row.schema);
    if (const DatasetConfig* declared = request_.config->FindDataset(dataset.row.name)) {
      dataset.vendor_dataset = declared->dataset;
      dataset.asset = DeclaredAsset(*declared);
    }
    dataset.selected =
        request_.datasets.empty() || std::ranges::find(request_.datasets, dataset.row.name) != request_.datasets.end();
    datasets_.push_back(std::move(dataset));
  }
  auto feeds_selected = [&](const Dataset& companion) {
    if (companion.kind != Kind::kDefinitions && companion.kind != Kind::kStatistics) return false;
    return std::ranges::any_of(datasets_, [&](const Dataset& bars) {
      return bars.selected && bars.kind == Kind::kBars && bars.vendor_dataset == companion.vendor_dataset;
    });
  };
  std::vector<Dataset> taken;
  for (const Dataset& dataset : datasets_) {
    if (dataset.selected || feeds_selected(dataset)) taken.push_back(dataset);
  }
  datasets_ = std::move(taken);
  for (Dataset& dataset : datasets_) {
    LoadedDataset& report = reports_[dataset.row.name];
    report.name = dataset.row.name;
    report.schema = dataset.row.schema;
    report.has_tables = dataset.kind == Kind::kBars || dataset.kind == Kind::kMirror;
    if (dataset.kind == Kind::kNone) continue;
    LODE_TRY(dataset.snapshot, TakeSnapshot(request_.paths, *request_.ledger, dataset.row, !request_.dry_run));
    report.lost = dataset.snapshot.lost;
  }
  return Ok();
}

LoadState Loader::NewState(const LakePartition& partition) const {
  LoadState state{.dataset = partition.dataset,
                  .schema = partition.schema,
                  .source_type = partition.source_type,
                  .job_id = partition.job_id,
                  .file_name = partition.file_name(),
                  .sha256 = partition.sha256,
                  .size_bytes = partition.size_bytes};
  auto before = states_.find(state.file_name);
  if (before != states_.end() && before->second.status == "failed") state.attempt = before->second.attempt + 1;
  return state;
}

// What the load state says about these very bytes.
const LoadState* Loader::Known(const LakePartition& partition) const {
  auto found = states_.find(partition.file_name());
  if (found == states_.end()) return nullptr;
  const LoadState& state = found->second;
  bool same = state.sha256 == partition.sha256 && state.schema == partition.schema && state.status == "done";
  return same ? &state : nullptr;
}

Status Loader::PlanRemovals() {
  std::map<std::string, std::string> present;  // file name: schema
  for (const Dataset& dataset : datasets_) {
    for (const LakePartition& partition : dataset.snapshot.partitions) {
      present[partition.file_name()] = partition.schema;
    }
  }
  for (const auto& [file_name, state] : states_) {
    auto dataset = std::ranges::find(datasets_, state.dataset, [](const Dataset& one) { return one.row.name; });
    if (dataset == datasets_.end() && !request_.datasets.empty()) continue;
    auto there = present.find(file_name);
    if (there != present.end() && there->second == state.schema) continue;
    units_.push_back({.dataset = dataset == datasets_.end() ? nullptr : &*dataset, .state = state});
  }
  return Ok();
}

Status Loader::PlanCompanion(Connection& connection, const Dataset& dataset, const LakePartition& partition) {
  if (const LoadState* known = Known(partition)) {
    companions_[partition.file_name()] = *known;
    ++reports_[dataset.row.name].unchanged;
    return Ok();
  }
  Unit unit{.dataset = &dataset, .partition = &partition, .state = NewState(partition)};
  Result<fs::path> file = pinned_.Open(partition);
  if (!file) {
    if (EndsRun(file.error())) return std::unexpected(file.error());
    unit.error = file.error();
    broken_[dataset.vendor_dataset] = file.error();
  } else {
    LODE_TRY(CompanionFacts facts, ReadCompanion(connection, dataset.kind == Kind::kStatistics, *file));
    unit.state.first = facts.first;
    unit.state.last = facts.last;
    unit.state.rows_read = facts.rows;
    unit.state.inputs_sha256 = partition.sha256;
    companions_[partition.file_name()] = unit.state;
  }
  units_.push_back(std::move(unit));
  return Ok();
}

// Definitions known by the last day; statistics that refer to one of the days.
std::vector<const LakePartition*> Loader::Companions(const Dataset& bars, Kind kind, Day first, Day last) const {
  std::vector<const LakePartition*> found;
  if (bars.vendor_dataset.empty()) return found;
  if (kind == Kind::kStatistics && bars.row.schema != "ohlcv-1d") return found;
  for (const Dataset& dataset : datasets_) {
    if (dataset.kind != kind || dataset.vendor_dataset != bars.vendor_dataset) continue;
    for (const LakePartition& partition : dataset.snapshot.partitions) {
      auto facts = companions_.find(partition.file_name());
      if (facts == companions_.end() || !facts->second.first) continue;
      bool reaches = kind == Kind::kDefinitions || *facts->second.last >= first;
      if (reaches && *facts->second.first <= last) found.push_back(&partition);
    }
  }
  return found;
}

// Of all that decides a partition's rows.
std::string Loader::InputsHash(const Dataset& dataset, const LakePartition& partition, const LoadState& state) const {
  std::string text = fmt::format("rules {}\nvendor {}\nasset {}\nfile {}\n", kRulesVersion, dataset.vendor_dataset,
                                 static_cast<int>(dataset.asset), partition.sha256);
  for (Kind kind : {Kind::kDefinitions, Kind::kStatistics}) {
    if (!state.first || dataset.kind != Kind::kBars) break;
    for (const LakePartition* companion : Companions(dataset, kind, *state.first, *state.last)) {
      text += fmt::format("companion {} {}\n", companion->file_name(), companion->sha256);
    }
  }
  return Sha256Hex(text);
}

Status Loader::PlanBars(Connection& connection, const Dataset& dataset, const LakePartition& partition) {
  const LoadState* known = Known(partition);
  Unit unit{.dataset = &dataset, .partition = &partition, .state = NewState(partition)};
  auto broken = broken_.find(dataset.vendor_dataset);
  if (broken != broken_.end()) {
    unit.error = Error(broken->second).With("companion");
  } else if (known != nullptr) {
    unit.state.first = known->first;
    unit.state.last = known->last;
  } else if (Result<fs::path> file = pinned_.Open(partition); !file) {
    if (EndsRun(file.error())) return std::unexpected(file.error());
    unit.error = file.error();
  } else {
    LODE_TRY(auto days, BarDays(connection, *file));
    if (days) unit.state.first = days->first;
    if (days) unit.state.last = days->second;
  }
  if (!unit.error) {
    unit.state.inputs_sha256 = InputsHash(dataset, partition, unit.state);
    if (known != nullptr && known->inputs_sha256 == unit.state.inputs_sha256) {
      ++reports_[dataset.row.name].unchanged;
      return Ok();
    }
  }
  units_.push_back(std::move(unit));
  return Ok();
}

void Loader::PlanMirror(const Dataset& dataset, const LakePartition& partition) {
  Unit unit{.dataset = &dataset, .partition = &partition, .state = NewState(partition)};
  unit.state.inputs_sha256 = InputsHash(dataset, partition, unit.state);
  const LoadState* known = Known(partition);
  if (known != nullptr && known->inputs_sha256 == unit.state.inputs_sha256) {
    ++reports_[dataset.row.name].unchanged;
  } else {
    units_.push_back(std::move(unit));
  }
}

Status Loader::Plan(Connection& connection) {
  LODE_TRY(states_, ReadLoadStates(connection));
  LODE_TRY(PlanRemovals());
  // Companions first: what bars depend on must be known.
  for (const Dataset& dataset : datasets_) {
    if (dataset.kind != Kind::kDefinitions && dataset.kind != Kind::kStatistics) continue;
    for (const LakePartition& partition : dataset.snapshot.partitions) {
      LODE_TRY(CheckStop());
      LODE_TRY(PlanCompanion(connection, dataset, partition));
    }
  }
  for (const Dataset& dataset : datasets_) {
    for (const LakePartition& partition : dataset.snapshot.partitions) {
      LODE_TRY(CheckStop());
      if (dataset.kind == Kind::kBars) LODE_TRY(PlanBars(connection, dataset, partition));
      if (dataset.kind == Kind::kMirror) PlanMirror(dataset, partition);
    }
  }
  return Ok();
}

// DuckDB counts about half of what it takes while it writes tables of many columns; the program itself takes 64 MiB.
std::map<std::string, std::string> Loader::Settings() const {
  uint64_t limit = std::max(kLeastDuckdbBytes, (request_.memory_bytes - kProgramBytes) / 2);
  bool scarce = request_.memory_bytes < kScarceBytes;
  return {{"memory_limit", fmt::format("{}B", limit)}, {"threads", scarce ? "1" : std::to_string(request_.threads)}};
}

// lake.duckdb as it stands, or nothing at all where there is none yet.
Result<Connection> Loader::OpenToRead() {
  std::map<std::string, std::string> settings = Settings();
  std::error_code problem;
  if (!fs::exists(request_.paths.duckdb(), problem)) return Connection::Open({}, settings);
  settings["access_mode"] = "READ_ONLY";
  DuckdbTurn turn(request_.paths);
  return Connection::Open(request_.paths.duckdb(), settings);
}

Result<Connection> Loader::OpenToWrite() {
  LODE_TRY(fs::path spill, pinned_.SpillFolder());
  std::map<std::string, std::string> settings = Settings();
  settings["preserve_insertion_order"] = "false";
  settings["temp_directory"] = spill.string();
  DuckdbTurn turn(request_.paths);
  return Connection::Open(request_.paths.duckdb(), settings);
}

Status Loader::Prepare(Connection& connection) {
  LODE_TRY(connection.Execute("SET TimeZone = 'UTC'"));
  LODE_TRY(DefineContractFunctions(connection));
  LODE_TRY(connection.Execute("BEGIN"));
  LODE_TRY(CreateLoadState(connection));
  std::vector<std::string> created;
  for (const Unit& unit : units_) {
    if (std::ranges::find(created, unit.state.schema) != created.end()) continue;
    created.push_back(unit.state.schema);
    for (const WarehouseTable* table : BarTables(unit.state.schema)) LODE_TRY(CreateTable(connection, *table));
    if (auto mirror = MirrorOf(unit.state.schema)) LODE_TRY(CreateTable(connection, *mirror));
  }
  return connection.Execute("COMMIT");
}

Result<LoadedRows> Loader::RemovedRows(Connection& connection, const LoadState& state) {
  std::string_view file = state.file_name;
  file.remove_prefix(std::min(file.size(), ("bronze/" + state.dataset + "/").size()));
  switch (KindOf(state.schema)) {
    case Kind::kBars: return RemoveBars(connection, state.schema, state.dataset, file);
    case Kind::kMirror: return RemoveMirror(connection, *MirrorOf(state.schema), state.dataset, file);
    case Kind::kDefinitions:
    case Kind::kStatistics:
    case Kind::kNone: return LoadedRows{};
  }
  return LoadedRows{};
}

Result<LoadedRows> Loader::BarRows(Connection& connection, const Unit& unit) {
  BarPartition bars{.schema = unit.state.schema,
                    .lake_dataset = unit.state.dataset,
                    .bronze_file = unit.partition->path,
                    .vendor_dataset = unit.dataset->vendor_dataset,
                    .asset = unit.dataset->asset};
  LODE_TRY(bars.file, pinned_.Open(*unit.partition));
  for (auto [kind, files] : {std::pair(Kind::kDefinitions, &bars.definitions), {Kind::kStatistics, &bars.statistics}}) {
    if (!unit.state.first) break;
    for (const LakePartition* companion : Companions(*unit.dataset, kind, *unit.state.first, *unit.state.last)) {
      LODE_TRY(fs::path file, pinned_.Open(*companion));
      files->push_back(std::move(file));
    }
  }
  return LoadBars(connection, bars);
}

Result<LoadedRows> Loader::Rows(Connection& connection, Unit& unit) {
  if (unit.error) return std::unexpected(*unit.error);
  if (unit.partition == nullptr) return RemovedRows(connection, unit.state);
  if (unit.dataset->kind == Kind::kBars) return BarRows(connection, unit);
  if (unit.dataset->kind != Kind::kMirror) return LoadedRows{.read = unit.state.rows_read, .merged = 0};
  LODE_TRY(fs::path file, pinned_.Open(*unit.partition));
  return LoadMirror(connection, *MirrorOf(unit.state.schema), unit.state.dataset, unit.partition->path, file);
}

Status Loader::NoteFailure(Connection& connection, Unit& unit, const Error& error, int64_t started_at_ns) {
  unit.state.status = "failed";
  unit.state.error = error.ToString();
  unit.state.inputs_sha256.clear();
  failed_.push_back({unit.state.file_name, error});
  ++ReportOf(unit).failed;
  LODE_TRY(connection.Execute("BEGIN"));
  LODE_TRY(WriteLoadState(connection, unit.state, started_at_ns));
  return connection.Execute("COMMIT");
}

LoadedDataset& Loader::ReportOf(const Unit& unit) {
  LoadedDataset& report = reports_[unit.state.dataset];
  report.name = unit.state.dataset;
  if (report.schema.empty()) report.schema = unit.state.schema;
  return report;
}

Status Loader::RunUnit(Connection& connection, Unit& unit) {
  int64_t started_at_ns = NowNs();
  LODE_TRY(connection.Execute("BEGIN"));
  Result<LoadedRows> rows = Rows(connection, unit);
  bool companion = unit.dataset != nullptr && !ReportOf(unit).has_tables;
  if (rows) {
    unit.state.rows_read = rows->read;
    unit.state.rows_merged = rows->merged;
    unit.state.rows_rejected = companion ? 0 : rows->read - rows->merged;
    unit.state.root = rows->root;
    Status written = unit.partition == nullptr ? RemoveLoadState(connection, unit.state.file_name)
                                               : WriteLoadState(connection, unit.state, started_at_ns);
    if (written) written = connection.Execute("COMMIT");
    if (!written) rows = std::unexpected(std::move(written).error());
  }
  if (!rows) {
    (void)connection.Execute("ROLLBACK");  // the error at hand is the one to tell
    if (EndsRun(rows.error())) return std::unexpected(std::move(rows).error().With(unit.state.file_name));
    return NoteFailure(connection, unit, rows.error(), started_at_ns);
  }
  LoadedDataset& report = ReportOf(unit);
  ++(unit.partition == nullptr ? report.removed : report.loaded);
  report.rows_read += unit.state.rows_read;
  report.rows_rejected += unit.partition == nullptr ? 0 : unit.state.rows_rejected;
  for (const TableChanges& change : rows->changes) {
    auto same = std::ranges::find(report.changes, change.table, &TableChanges::table);
    if (same == report.changes.end()) same = report.changes.insert(same, {change.table, {}});
    same->rows += change.rows;
  }
  return Ok();
}

Status Loader::RunUnits(Connection& connection) {
  uint64_t total = 0, done = 0;
  for (const Unit& unit : units_) total += unit.partition == nullptr ? 0 : unit.partition->size_bytes;
  for (Unit& unit : units_) {
    LODE_TRY(CheckStop());
    Clock::time_point started = Clock::now();
    LODE_TRY(RunUnit(connection, unit));
    ReportOf(unit).seconds += std::chrono::duration<double>(Clock::now() - started).count();
    done += unit.partition == nullptr ? 0 : unit.partition->size_bytes;
    if (request_.progress) request_.progress(done, total);
  }
  return Ok();
}

LoadReport Loader::DryReport() {
  LoadReport report;
  for (const Unit& unit : units_) {
    LoadedDataset& dataset = ReportOf(unit);
    ++(unit.partition == nullptr ? dataset.removed : unit.error ? dataset.failed : dataset.loaded);
    if (unit.error) report.failed.push_back({unit.state.file_name, *unit.error});
  }
  for (auto& [name, dataset] : reports_) report.datasets.push_back(std::move(dataset));
  return report;
}

Result<LoadReport> Loader::Run() {
  if (request_.ledger == nullptr) return LoadReport{};  // a ledger that is gone does not mean that datasets are
  std::optional<store::FileLock> lock;
  if (!request_.dry_run) {
    LODE_TRY(store::MakeDirectories(request_.paths.locks()));
    LODE_TRY(store::FileLock held, store::FileLock::Acquire(request_.paths.locks() / "_load.lock", "load"));
    lock.emplace(std::move(held));
  }
  LODE_TRY(TakeDatasets());
  SignalWatch signals;
  {
    LODE_TRY(Connection connection, OpenToRead());
    LODE_TRY(Plan(connection));
  }
  if (!request_.dry_run && !units_.empty()) {
    LODE_TRY(Connection connection, OpenToWrite());
    signals.Start(connection);
    Status status = Prepare(connection);
    if (status) status = RunUnits(connection);
    signals.Stop();
    LODE_TRY(std::move(status));
  }
  if (request_.dry_run) return DryReport();
  LoadReport report{.datasets = {}, .failed = std::move(failed_)};
  for (auto& [name, dataset] : reports_) report.datasets.push_back(std::move(dataset));
  return report;
}

}  // namespace

Result<LoadReport> Load(const LoadRequest& request) { return Loader(request).Run(); }

}  // namespace lode::sink
