#include "lode/cli/status_view.h"

#include <algorithm>
#include <map>
#include <set>

#include "lode/calendar/calendar.h"
#include "lode/calendar/catalog.h"
#include "lode/cli/declared_symbols.h"
#include "lode/cli/running.h"
#include "lode/cli/sink_view.h"
#include "lode/cli/status_inventory.h"
#include "lode/cli/table.h"
#include "lode/lake/survey.h"
#include "lode/source/supply.h"

namespace lode::cli {
namespace {

using Align = Table::Align;

constexpr size_t kMostNamed = 8;  // symbols in a line of text

std::string OptionalDay(const std::optional<Day>& day) { return day ? FormatDay(*day) : ""; }

void AddDay(JsonObject& object, std::string_view key, const std::optional<Day>& day) {
  if (day) {
    object.Text(key, FormatDay(*day));
  } else {
    object.Null(key);
  }
}

std::string StatesJson(const plan::Coverage& coverage) {
  JsonObject states;
  for (const auto& [state, count] : coverage.cells) states.Number(ledger::Name(state), count);
  return states.Take();
}

// "missing 48, pending 2": the cells that are work.
std::string OpenStates(const plan::Coverage& coverage) {
  std::string text;
  for (const auto& [state, count] : coverage.cells) {
    if (ledger::IsSettled(state) || count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", ledger::Name(state), Grouped(count));
  }
  return text.empty() ? "nothing" : text;
}

// What the receipts of a dataset add up to.
struct Totals {
  int64_t records = 0, rejected = 0;
  uint64_t raw_bytes = 0;  // of data files, as the vendor sent them
};

Totals Sum(const lake::DatasetSurvey& survey) {
  Totals totals;
  for (const ledger::ReceiptRow& receipt : survey.receipts) {
    totals.records += receipt.records;
    totals.rejected += receipt.rejected;
  }
  for (const ledger::RawFileRow& row : survey.raw_files)
    totals.raw_bytes += row.file.role == "data" ? row.file.size : 0;
  return totals;
}

// Vendor bytes a byte of bronze; nullopt where there is none.
std::optional<double> Ratio(const Totals& totals, const lake::DatasetSurvey& survey) {
  if (survey.bronze_bytes == 0) return std::nullopt;
  return static_cast<double>(totals.raw_bytes) / static_cast<double>(survey.bronze_bytes);
}

std::string StatusEvent(const lake::DatasetSurvey& survey, const plan::Coverage& coverage,
                        const std::optional<DeclaredSymbols>& declared) {
  Totals totals = Sum(survey);
  JsonObject event;
  event.Text("type", "status")
      .Text("dataset", survey.dataset.name)
      .Text("schema", survey.dataset.schema)
      .Raw("cells", StatesJson(coverage))
      .Number("total", coverage.total)
      .Number("settled", coverage.settled)
      .Number("degraded", coverage.degraded)
      .Number("symbols", coverage.symbols);
  if (declared) {
    event.Number("symbols_declared", declared->declared)
        .Number("symbols_missing", static_cast<int64_t>(declared->missing.size()));
  } else {
    event.Null("symbols_declared").Null("symbols_missing");
  }
  AddDay(event, "first", coverage.first);
  AddDay(event, "last", coverage.last);
  AddDay(event, "first_data", coverage.first_data);
  AddDay(event, "last_data", coverage.last_data);
  const std::optional<double> ratio = Ratio(totals, survey);
  event.Number("rows", survey.rows)
      .Number("partitions", static_cast<int64_t>(survey.partitions.size()))
      .Number("partitions_lost", static_cast<int64_t>(survey.lost.size()))
      .Number("bronze_bytes", survey.bronze_bytes)
      .Number("landing_bytes", survey.landing_bytes)
      .Number("raw_bytes", totals.raw_bytes)
      .Raw("compression_ratio", ratio ? fmt::format("{:.2f}", *ratio) : "null")
      .Number("receipts", static_cast<int64_t>(survey.receipts.size()))
      .Number("records", totals.records)
      .Number("rejected", totals.rejected);
  return event.Take();
}

class ViewBuilder {
 public:
  ViewBuilder(Session& session, const StatusRequest& request, const Config& config, const lake::LakePaths& paths)
      : session_(session), request_(request), config_(config), paths_(paths) {}

  Result<StatusView> Build();

 private:
  Status AddDataset(const ledger::DatasetRow& dataset, ledger::Ledger& ledger);
  void AddLine(const lake::DatasetSurvey& survey, const plan::Coverage& coverage);
  void AddDeclared(const std::vector<ledger::DatasetRow>& present);
  void AddNotes(const lake::DatasetSurvey& survey, const plan::Coverage& coverage,
                const std::optional<DeclaredSymbols>& declared);
  void AddRunning(const std::string& name);
  void AddFiles(const lake::DatasetSurvey& survey);
  Status AddInventory(const lake::DatasetSurvey& survey);
  void AddSymbols(const lake::DatasetSurvey& survey, const std::optional<DeclaredSymbols>& declared);
  void AddSymbol(const std::string& dataset, const std::string& symbol, const plan::Coverage& coverage);
  void AddDisk();

  Session& session_;
  const StatusRequest& request_;
  const Config& config_;
  const lake::LakePaths& paths_;
  StatusView view_;
  std::string notes_;
  Table table_{{{"DATASET"},
                {"SCHEMA"},
                {"DAYS"},
                {"", Align::kLeft},
                {"SETTLED", Align::kRight},
                {"OPEN"},
                {"ROWS", Align::kRight},
                {"FILES", Align::kRight},
                {"BRONZE", Align::kRight},
                {"RATIO", Align::kRight},
                {"REJECTED", Align::kRight}}};
  Table inventory_{{{"DATASET"},
                    {"SYMBOL"},
                    {"TIMEFRAME"},
                    {"FILES", Align::kRight},
                    {"SIZE", Align::kRight},
                    {"FIRST"},
                    {"LAST"},
                    {"PLACE"}}};
  Table files_{{{"DATASET"},
                {"PARTITION"},
                {"ROWS", Align::kRight},
                {"SIZE", Align::kRight},
                {"RECEIPT", Align::kRight},
                {"STATE"}}};
  Table symbols_{{{"DATASET"}, {"SYMBOL"}, {"FIRST"}, {"LAST"}, {"SETTLED", Align::kRight}, {"OPEN"}}};
};

void ViewBuilder::AddLine(const lake::DatasetSurvey& survey, const plan::Coverage& coverage) {
  std::string open = OpenStates(coverage);
  if (!survey.lost.empty()) {
    open += fmt::format(" ({} gone)", Count(static_cast<int64_t>(survey.lost.size()), "file"));
  }
  const Totals totals = Sum(survey);
  const std::optional<double> ratio = Ratio(totals, survey);
  table_.Add({survey.dataset.name, survey.dataset.schema, OptionalDay(coverage.first), OptionalDay(coverage.last),
              fmt::format("{} / {}", Grouped(coverage.settled), Grouped(coverage.total)), open, Grouped(survey.rows),
              Grouped(static_cast<int64_t>(survey.partitions.size() - survey.lost.size())), Bytes(survey.bronze_bytes),
              ratio ? fmt::format("{:.1f}x", *ratio) : "", Grouped(totals.rejected)});
}

void ViewBuilder::AddDeclared(const std::vector<ledger::DatasetRow>& present) {
  const std::vector<std::string>& names = request_.names;
  for (const auto& [name, declared] : config_.datasets()) {
    bool named = names.empty() || std::ranges::find(names, name) != names.end();
    if (!named || std::ranges::find(present, name, &ledger::DatasetRow::name) != present.end()) continue;
    view_.events.push_back(JsonObject()
                               .Text("type", "status")
                               .Text("dataset", name)
                               .Text("schema", declared.schema_name())
                               .Raw("cells", "{}")
                               .Number("total", int64_t{0})
                               .Number("settled", int64_t{0})
                               .Take());
    table_.Add({name, declared.schema_name(), "", "", "0 / 0", "declared, no data yet", "0", "0", "0 B", "", "0"});
    AddRunning(name);  // its first run has published nothing yet
  }
}

void ViewBuilder::AddRunning(const std::string& name) {
  if (const std::optional<RunningUnit> running = FindRunning(paths_, name)) {
    view_.moment += fmt::format("{}: being written by {}\n", name, Shown(*running));
  }
}

// What a line of the table has no room for.
void ViewBuilder::AddNotes(const lake::DatasetSurvey& survey, const plan::Coverage& coverage,
                           const std::optional<DeclaredSymbols>& declared) {
  const std::string& name = survey.dataset.name;
  if (declared && !declared->missing.empty()) {
    const size_t shown = std::min(kMostNamed, declared->missing.size());
    const std::vector<std::string> first(declared->missing.begin(),
                                         declared->missing.begin() + static_cast<std::ptrdiff_t>(shown));
    notes_ += fmt::format("{}: {} of {} without data: {}{}\n", name, declared->missing.size(),
                          Count(declared->declared, "declared symbol"), fmt::join(first, ", "),
                          shown < declared->missing.size() ? ", … (--symbols names all)" : "");
  }
  AddRunning(name);
  const DatasetConfig* dataset = config_.FindDataset(name);
  const std::string calendar_name = dataset == nullptr ? std::string() : source::CalendarOf(*dataset);
  if (calendar_name.empty() || !coverage.last_data) return;
  const Result<const calendar::Calendar*> calendar = calendar::Get(calendar_name);
  const Day yesterday = session_.today() - 1;
  if (!calendar || *coverage.last_data >= yesterday) return;
  const size_t behind = (*calendar)->Sessions(*coverage.last_data + 1, yesterday).size();
  if (behind == 0) return;
  view_.moment +=
      fmt::format("{}: {} of {} since its last day of data, {}\n", name, Count(static_cast<int64_t>(behind), "session"),
                  (*calendar)->name(), FormatDay(*coverage.last_data));
}

void ViewBuilder::AddFiles(const lake::DatasetSurvey& survey) {
  std::set<std::string_view> lost;
  for (const ledger::PartitionRow& row : survey.lost) lost.insert(row.partition.path);
  for (const ledger::PartitionRow& row : survey.partitions) {
    std::string_view state = lost.contains(row.partition.path) ? "missing" : "present";
    view_.events.push_back(JsonObject()
                               .Text("type", "partition")
                               .Text("dataset", survey.dataset.name)
                               .Text("path", row.partition.path)
                               .Number("rows", row.partition.rows)
                               .Number("bytes", row.partition.size)
                               .Text("sha256", row.partition.sha256)
                               .Number("receipt", row.sequence)
                               .Text("state", state)
                               .Take());
    files_.Add({survey.dataset.name, row.partition.path, Grouped(row.partition.rows), Bytes(row.partition.size),
                std::to_string(row.sequence), std::string(state)});
  }
}

Status ViewBuilder::AddInventory(const lake::DatasetSurvey& survey) {
  LODE_TRY(const std::vector<InventoryLine> lines, Inventory(survey));
  for (const InventoryLine& line : lines) {
    JsonObject event;
    event.Text("type", "inventory")
        .Text("dataset", survey.dataset.name)
        .Text("symbol", line.symbol)
        .Text("schema", survey.dataset.schema)
        .Number("files", line.files)
        .Number("bytes", line.bytes)
        .Bool("shared", line.shared);
    AddDay(event, "first", line.first);
    AddDay(event, "last", line.last);
    event.Text("path", line.place);
    view_.events.push_back(event.Take());
    inventory_.Add({survey.dataset.name, line.symbol, survey.dataset.schema, Grouped(line.files),
                    Bytes(line.bytes) + (line.shared ? " shared" : ""), OptionalDay(line.first), OptionalDay(line.last),
                    line.place});
  }
  return Ok();
}

void ViewBuilder::AddSymbol(const std::string& dataset, const std::string& symbol, const plan::Coverage& coverage) {
  JsonObject event;
  event.Text("type", "symbol")
      .Text("dataset", dataset)
      .Text("symbol", symbol)
      .Raw("cells", StatesJson(coverage))
      .Number("total", coverage.total)
      .Number("settled", coverage.settled);
  AddDay(event, "first", coverage.first);
  AddDay(event, "last", coverage.last);
  view_.events.push_back(event.Take());
  symbols_.Add({dataset, symbol, OptionalDay(coverage.first), OptionalDay(coverage.last),
                fmt::format("{} / {}", Grouped(coverage.settled), Grouped(coverage.total)),
                coverage.total == 0 ? "declared, never asked for" : OpenStates(coverage)});
}

// Cells come sorted by symbol; declared symbols that no cell is about come after them.
void ViewBuilder::AddSymbols(const lake::DatasetSurvey& survey, const std::optional<DeclaredSymbols>& declared) {
  const std::vector<ledger::CellRow>& cells = survey.cells;
  std::set<std::string_view> known;
  for (auto first = cells.begin(); first != cells.end();) {
    auto end = std::find_if(first, cells.end(),
                            [&](const ledger::CellRow& row) { return row.cell.symbol != first->cell.symbol; });
    AddSymbol(survey.dataset.name, first->cell.symbol, plan::Summarise(std::span(first, end)));
    known.insert(first->cell.symbol);
    first = end;
  }
  if (!declared) return;
  for (const std::string& symbol : declared->missing) {
    if (!known.contains(symbol)) AddSymbol(survey.dataset.name, symbol, {});
  }
}

void ViewBuilder::AddDisk() {
  if (const Result<uint64_t> free = store::FreeBytes(paths_.root)) {
    view_.moment += fmt::format("{} left on the lake's disk\n", Bytes(*free));
  }
}

Status ViewBuilder::AddDataset(const ledger::DatasetRow& dataset, ledger::Ledger& ledger) {
  LODE_TRY(const lake::DatasetSurvey survey, lake::Survey(paths_, ledger, dataset));
  const plan::Coverage coverage = plan::Summarise(survey.cells);
  const DatasetConfig* declaration = config_.FindDataset(dataset.name);
  std::optional<DeclaredSymbols> declared;
  if (declaration != nullptr) declared = CompareSymbols(config_, *declaration, survey);
  view_.events.push_back(StatusEvent(survey, coverage, declared));
  AddLine(survey, coverage);
  AddNotes(survey, coverage, declared);
  if (request_.files) LODE_TRY(AddInventory(survey));
  if (request_.files) AddFiles(survey);
  if (request_.symbols) AddSymbols(survey, declared);
  return Ok();
}

Result<StatusView> ViewBuilder::Build() {
  LODE_TRY(ledger::Ledger * ledger, session_.ledger());
  LODE_TRY(std::vector<ledger::DatasetRow> datasets, session_.Datasets(request_.names));
  for (const ledger::DatasetRow& dataset : datasets) LODE_TRY(AddDataset(dataset, *ledger));
  AddDeclared(datasets);
  if (table_.empty()) {
    view_.text = "no datasets yet: lode import PATH --dataset NAME brings the first one in\n";
  } else {
    view_.text = table_.Render() + notes_;
    AddDisk();
  }
  for (const Table* table : {&inventory_, &files_, &symbols_}) {
    if (!table->empty()) view_.text += "\n" + table->Render();
  }
  if (!request_.sink.empty()) {
    LODE_TRY(SinkView sink, ViewSink(session_, request_.sink, datasets));
    std::ranges::move(sink.events, std::back_inserter(view_.events));
    view_.text += "\n" + sink.text;
  }
  return std::move(view_);
}

}  // namespace

Result<StatusView> ViewStatus(Session& session, const StatusRequest& request) {
  LODE_TRY(const Config* config, session.config());
  LODE_TRY(const lake::LakePaths paths, session.lake());
  return ViewBuilder(session, request, *config, paths).Build();
}

}  // namespace lode::cli
