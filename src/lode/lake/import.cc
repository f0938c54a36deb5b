#include "lode/lake/import.h"

#include <algorithm>
#include <set>

#include "lode/base/stop.h"
#include "lode/base/text.h"
#include "lode/codec/parquet_file.h"
#include "lode/lake/disk_guard.h"
#include "lode/lake/import_plan.h"

namespace lode::lake {
namespace {

using codec::TableSchema;
using source::files::Discovery;

// Errors that stop the whole import; anything else is the file's own.
bool StopsTheImport(ErrorKind kind) {
  return kind == ErrorKind::kStorage || kind == ErrorKind::kInterrupted || kind == ErrorKind::kInternal ||
         kind == ErrorKind::kBusy;
}

// The dataset's declaration: the one in lode.toml, else what the input says.
DatasetConfig Infer(const std::string& name, const TableSchema& schema, const Discovery& discovery) {
  DatasetConfig dataset;
  dataset.name = name;
  dataset.source = "files";
  dataset.schema = schema.name;
  std::set<std::string> symbols;
  for (const auto& delivery : discovery.deliveries) {
    for (const auto& file : delivery.data) {
      if (std::ranges::find(file.schemas, &schema) == file.schemas.end()) continue;
      const codec::StreamFacts& stream = file.stream;
      const std::string& code = delivery.query            ? delivery.query->dataset
                                : !stream.dataset.empty() ? stream.dataset
                                                          : file.name_facts.dataset;
      if (schema.source == "tardis") {
        dataset.source = schema.source;
        dataset.schema.clear();
        dataset.data_type = schema.name.substr(schema.name.find('/') + 1);
        dataset.exchange = code;
        if (!file.name_facts.symbol.empty()) symbols.insert(file.name_facts.symbol);
        continue;
      }
      if (schema.source == "polygon") {
        dataset.source = schema.source;
        dataset.schema.clear();
        dataset.flat_file = schema.name;
        return dataset;
      }
      if (code.empty()) continue;
      dataset.source = "databento";
      dataset.dataset = code;
      dataset.stype_in = delivery.query ? delivery.query->stype_in : stream.stype_in;
      dataset.symbols = delivery.query ? delivery.query->symbols : stream.symbols;
      const auto start = delivery.query ? delivery.query->start_ns : stream.start_ns;
      if (start) dataset.start = DayOf(*start);
      return dataset;
    }
  }
  dataset.symbols.assign(symbols.begin(), symbols.end());
  return dataset;
}

class DatasetImport {
 public:
  DatasetImport(const ImportRequest& request, ImportObserver& observer, std::string name, const TableSchema& schema,
                const Discovery& discovery, const std::vector<HashedFile>& files, std::string mapping)
      : request_(request),
        observer_(observer),
        name_(std::move(name)),
        schema_(schema),
        discovery_(discovery),
        files_(files),
        mapping_(std::move(mapping)) {}

  Result<ImportedDataset> Run(std::vector<FailedFile>& failed, std::vector<std::string>& planned) {
    LODE_TRY(Declare());
    LODE_TRY(const Layout layout, Layout::Parse(config_.layout.empty() ? schema_.layout : config_.layout));
    result_.name = name_;
    result_.schema = schema_.name;
    result_.vendor_dataset = config_.exchange.empty() ? config_.dataset : config_.exchange;
    const PlanRequest plan_request{.paths = &request_.paths,
                                   .dataset = name_,
                                   .schema = &schema_,
                                   .layout = &layout,
                                   .in_place = request_.in_place,
                                   .refetch = request_.refetch,
                                   .mapping = mapping_};
    // First without the lock and without a trace: a no-op must not write.
    {
      LODE_TRY(const auto reader, ledger::Ledger::OpenReadOnly(request_.paths.ledger()));
      LODE_TRY(const DatasetPlan plan, PlanDataset(plan_request, files_, reader.get()));
      result_.files_unchanged = plan.files_unchanged;
      for (const std::string& notice : plan.notices) observer_.OnNotice(notice);
      Announce(plan, planned);
      if (plan.units.empty() || request_.dry_run) return result_;
    }
    LODE_TRY(CreateLake(request_.paths));
    LODE_TRY(DatasetWriter writer, DatasetWriter::Open(request_.paths, name_));
    if (result_.declared_now) LODE_TRY(DeclareDataset(request_.config->file(), config_));
    LODE_TRY(DatasetPlan plan, PlanDataset(plan_request, files_, &writer.ledger()));
    result_.files_unchanged = plan.files_unchanged;
    LODE_TRY(const uint64_t min_free_bytes, MinFreeBytes(*request_.config));
    UnitContext context{.writer = &writer,
                        .schema = &schema_,
                        .layout = &layout,
                        .policy = config_.on_bad_record,
                        .memory_bytes = request_.memory_bytes,
                        .min_free_bytes = min_free_bytes,
                        .started_at = FormatIsoNs(NowNs())};
    context.progress = [this](uint64_t bytes, int64_t rows) { Progress(bytes, rows); };
    context.notice = [this](const std::string& line) { observer_.OnNotice(line); };
    for (Unit& unit : plan.units) {
      if (!unit.only_partitions) unit.origin = request_.origin;
      LODE_TRY(RunWithoutFailures(context, unit, failed));
    }
    writer.DropTemporaries();  // what a publish could not remove
    return result_;
  }

 private:
  // Finds the declaration or makes one; a dataset keeps its schema for life.
  Status Declare() {
    if (const DatasetConfig* declared = request_.config->FindDataset(name_)) {
      config_ = *declared;
      const std::string declared_schema = config_.schema_name();
      if (!declared_schema.empty() && declared_schema != schema_.name) {
        return Fail(ErrorKind::kConfig,
                    "dataset {} is declared with schema {}, these files are {}; import them with another --dataset",
                    name_, declared_schema, schema_.name);
      }
      return CheckExchange();
    }
    config_ = Infer(name_, schema_, discovery_);
    result_.declared_now = true;
    return CheckExchange();
  }

  // A dataset is one exchange's: cells and partitions of two would share their names.
  Status CheckExchange() const {
    if (schema_.source != "tardis") return Ok();
    for (const auto& delivery : discovery_.deliveries) {
      for (const auto& file : delivery.data) {
        if (std::ranges::find(file.schemas, &schema_) == file.schemas.end()) continue;
        const std::string& exchange = file.name_facts.dataset;
        if (exchange.empty() || exchange == config_.exchange) continue;
        return Fail(ErrorKind::kConfig, "{}: of exchange {}, and dataset {} is of {}; import it with another --dataset",
                    file.name, exchange, name_, config_.exchange.empty() ? "none" : config_.exchange);
      }
    }
    return Ok();
  }

  void Announce(const DatasetPlan& plan, std::vector<std::string>& planned) {
    int64_t files = 0;
    uint64_t bytes = 0;
    for (const Unit& unit : plan.units) {
      files += static_cast<int64_t>(unit.files.size());
      for (const UnitFile& file : unit.files) bytes += file.record.size;
      if (request_.dry_run) {
        planned.push_back(fmt::format("{}: {}: {} data file{}", name_, unit.name, unit.files.size(),
                                      unit.files.size() == 1 ? "" : "s"));
      }
    }
    if (result_.declared_now && !plan.units.empty()) {
      const std::string& vendor = config_.exchange.empty() ? config_.dataset : config_.exchange;
      observer_.OnNotice(fmt::format(
          "dataset {}: schema {}{}{}", name_, schema_.name, vendor.empty() ? "" : " of " + vendor,
          config_.symbols.empty() ? ""
                                  : fmt::format(", {} symbol{} ({} …)", config_.symbols.size(),
                                                config_.symbols.size() == 1 ? "" : "s", config_.symbols[0])));
    }
    result_.files_planned = files;
    observer_.OnPlan(files, bytes);
  }

  void Progress(uint64_t bytes, int64_t rows) {
    bytes_done_ += bytes;
    rows_done_ += rows;
    observer_.OnProgress(bytes_done_, rows_done_);
  }

  // Runs a unit; a file that is damaged is left out and named, and the rest of the unit runs again without it.
  Status RunWithoutFailures(const UnitContext& context, Unit& unit, std::vector<FailedFile>& failed) {
    if (unit.delivery != nullptr) unit.extra_cells = CellsWithoutFile(*unit.delivery, failed_names_);
    while (true) {
      auto done = RunUnit(context, unit);
      if (done) {
        AddUp(unit, *done);
        return Ok();
      }
      Error error = std::move(done).error();
      if (StopsTheImport(error.kind)) return std::unexpected(std::move(error));
      const auto culprit = std::ranges::find_if(unit.files, [&](const UnitFile& file) {
        return !error.context.empty() && error.context.back() == file.record.name;
      });
      if (culprit == unit.files.end()) {
        for (const UnitFile& file : unit.files) failed_names_.emplace(file.record.name, error.message);
        failed.push_back({unit.name, std::move(error)});
        return Ok();
      }
      failed_names_.emplace(culprit->record.name, error.message);
      failed.push_back({culprit->record.name, std::move(error)});
      unit.files.erase(culprit);
      if (unit.files.empty()) return Ok();
    }
  }

  void AddUp(const Unit& unit, const UnitResult& done) {
    if (unit.only_partitions)
      result_.repaired += done.partitions;
    else
      result_.files += static_cast<int64_t>(unit.files.size());
    result_.records += done.records;
    result_.rejected += done.rejected;
    result_.duplicates += done.duplicates;
    result_.rows += done.rows;
    result_.partitions += done.partitions;
    result_.bytes_in += done.bytes_in;
    result_.bytes_out += done.bytes_out;
  }

  const ImportRequest& request_;
  ImportObserver& observer_;
  std::string name_;
  const TableSchema& schema_;
  const Discovery& discovery_;
  const std::vector<HashedFile>& files_;
  std::string mapping_;
  DatasetConfig config_;
  ImportedDataset result_;
  std::map<std::string, std::string> failed_names_;  // file -> why
  uint64_t bytes_done_ = 0;
  int64_t rows_done_ = 0;
};

std::vector<const TableSchema*> SchemasOf(const Discovery& discovery) {
  std::vector<const TableSchema*> schemas;
  for (const auto& delivery : discovery.deliveries) {
    for (const auto& file : delivery.data) {
      for (const TableSchema* schema : file.schemas) {
        if (std::ranges::find(schemas, schema) == schemas.end()) schemas.push_back(schema);
      }
    }
  }
  std::ranges::sort(schemas, {}, [](const TableSchema* schema) { return schema->name; });
  return schemas;
}

bool IsMixed(const Discovery& discovery) {
  for (const auto& delivery : discovery.deliveries) {
    for (const auto& file : delivery.data) {
      const bool dbn = file.encoding == source::files::Encoding::kDbn;
      if (file.schemas.size() > 1 || (dbn && file.stream.schema.empty())) return true;
    }
  }
  return false;
}

// "NAME", or "NAME_ohlcv_1m" where one import brings several schemas.
std::string DatasetName(const std::string& name, const TableSchema& schema, bool several) {
  if (!several) return name;
  // Dataset names have no capitals: tardis/incremental_book_L2 becomes …_l2.
  std::string suffix = Lower(schema.name);
  std::ranges::replace_if(suffix, [](char c) { return c == '-' || c == '/'; }, '_');
  return name + "_" + suffix;
}

// Sizes of the lake's raw files, of whichever dataset.
Result<std::set<uint64_t>> KnownSizes(const LakePaths& paths) {
  std::set<uint64_t> sizes;
  LODE_TRY(const auto ledger, ledger::Ledger::OpenReadOnly(paths.ledger()));
  if (ledger == nullptr) return sizes;
  LODE_TRY(const auto datasets, ledger->Datasets());
  for (const ledger::DatasetRow& dataset : datasets) {
    LODE_TRY(const auto files, ledger->RawFiles(dataset.name));
    for (const ledger::RawFileRow& row : files) sizes.insert(row.file.size);
  }
  return sizes;
}

Status Refusal(const Discovery& discovery) {
  Error error = discovery.refused.front().error;
  return std::unexpected(std::move(error).With(discovery.refused.front().path.filename().string()));
}

}  // namespace

Result<ImportReport> Import(const ImportRequest& request, ImportObserver& observer) {
  LODE_TRY(CheckDatasetName(request.dataset));
  std::string mapping_text;
  source::files::DiscoverOptions options{.no_manifest = request.no_manifest};
  if (request.mapping) {
    LODE_TRY(mapping_text, store::ReadFile(*request.mapping, uint64_t{1} << 20));
    LODE_TRY(const codec::ColumnMapping mapping, codec::ParseColumnMapping(mapping_text));
    options.mapping_schema = mapping.schema;
  }
  if (const DatasetConfig* declared = request.config->FindDataset(request.dataset)) {
    options.declared_schema = codec::FindSchema(declared->schema_name());
  }
  LODE_TRY(const Discovery discovery, source::files::Discover(request.inputs, options));
  const std::vector<const TableSchema*> schemas = SchemasOf(discovery);
  if (schemas.empty()) {
    if (!discovery.refused.empty()) return std::unexpected(Refusal(discovery).error());
    if (discovery.deliveries.empty()) return Fail(ErrorKind::kNotFound, "no data file among the paths given");
  }
  LODE_TRY(const std::set<uint64_t> known_sizes, KnownSizes(request.paths));
  LODE_TRY(const std::vector<HashedFile> files, HashFiles(discovery, known_sizes));
  ImportReport report;
  for (const auto& refused : discovery.refused) report.failed.push_back({refused.path.string(), refused.error});
  const bool several = schemas.size() > 1 || IsMixed(discovery);
  for (const TableSchema* schema : schemas) {
    const std::string name = DatasetName(request.dataset, *schema, several);
    DatasetImport import(request, observer, name, *schema, discovery, files, mapping_text);
    auto imported = import.Run(report.failed, report.planned);
    if (!imported) return std::unexpected(std::move(imported).error().With("import " + name));
    report.datasets.push_back(std::move(*imported));
  }
  // Nothing went in and nothing was there: the failure is the result.
  const bool any =
      std::ranges::any_of(report.datasets, [](const ImportedDataset& d) { return d.files + d.files_unchanged > 0; });
  if (!any && !request.dry_run && !report.failed.empty()) {
    return std::unexpected(Error(report.failed.front().error).With("import " + request.dataset));
  }
  return report;
}

}  // namespace lode::lake
