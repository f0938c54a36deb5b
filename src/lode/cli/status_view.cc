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
#include "lode/lake/listing.h"
#include "lode/lake/survey.h"
#include "lode/plan/coverage.h"
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

// Vendor bytes a byte of bronze; nullopt where there is none.
std::optional<double> Ratio(const lake::DatasetSurvey& survey) {
  if (survey.bronze_bytes == 0) return std::nullopt;
  return static_cast<double>(survey.totals.raw_bytes) / static_cast<double>(survey.bronze_bytes);
}

std::string StatusEvent(const lake::DatasetSurvey& survey, const plan::Coverage& coverage,
                        const std::optional<DeclaredSymbols>& declared) {
  const ledger::Totals& totals = survey.totals;
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
  const std::optional<double> ratio = Ratio(survey);
  event.Number("rows", survey.rows)
      .Number("partitions", totals.partitions)
      .Number("partitions_lost", static_cast<int64_t>(survey.lost.size()))
      .Number("bronze_bytes", survey.bronze_bytes)
      .Number("landing_bytes", totals.landing_bytes)
      .Number("raw_bytes", totals.raw_bytes)
      .Raw("compression_ratio", ratio ? fmt::format("{:.2f}", *ratio) : "null")
      .Number("receipts", totals.receipts)
      .Number("records", totals.records)
      .Number("rejected", totals.rejected);
  return event.Take();
}

Result<Inventory> OpenInventory(const lake::DatasetSurvey& survey, ledger::Ledger& ledger) {
  LODE_TRY(lake::Layout layout, lake::Layout::Parse(survey.dataset.layout));
  std::map<std::string, uint64_t, std::less<>> sizes;
  LODE_TRY(ledger.ReadPartitionSizes(survey.dataset.name, [&](std::string_view path, uint64_t size) {
    if (!survey.lost.contains(std::string(path))) sizes.emplace_hint(sizes.end(), path, size);
    return true;
  }));
  return Inventory(survey.dataset.name, std::move(layout), std::move(sizes));
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
  Status AddFiles(const lake::DatasetSurvey& survey, ledger::Ledger& ledger);
  void AddInventory(const lake::DatasetSurvey& survey, std::vector<InventoryLine> lines);
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
  const ledger::Totals& totals = survey.totals;
  const std::optional<double> ratio = Ratio(survey);
  table_.Add({survey.dataset.name, survey.dataset.schema, OptionalDay(coverage.first), OptionalDay(coverage.last),
              fmt::format("{} / {}", Grouped(coverage.settled), Grouped(coverage.total)), open, Grouped(survey.rows),
              Grouped(totals.partitions - static_cast<int64_t>(survey.lost.size())), Bytes(survey.bronze_bytes),
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

// Of a million files only the form that is printed: the other is hundreds of megabytes.
Status ViewBuilder::AddFiles(const lake::DatasetSurvey& survey, ledger::Ledger& ledger) {
  LODE_TRY(const std::vector<ledger::PartitionRow> partitions, ledger.Partitions(survey.dataset.name));
  for (const ledger::PartitionRow& row : partitions) {
    const ledger::Partition& partition = row.partition;
    std::string_view state = survey.lost.contains(partition.path) ? "missing" : "present";
    if (!session_.out().json()) {
      files_.Add({survey.dataset.name, partition.path, Grouped(partition.rows), Bytes(partition.size),
                  std::to_string(row.sequence), std::string(state)});
      continue;
    }
    view_.events.push_back(JsonObject()
                               .Text("type", "partition")
                               .Text("dataset", survey.dataset.name)
                               .Text("path", partition.path)
                               .Number("rows", partition.rows)
                               .Number("bytes", partition.size)
                               .Text("sha256", partition.sha256)
                               .Number("receipt", row.sequence)
                               .Text("state", state)
                               .Take());
  }
  return Ok();
}

void ViewBuilder::AddInventory(const lake::DatasetSurvey& survey, std::vector<InventoryLine> lines) {
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

void ViewBuilder::AddDisk() {
  if (const Result<uint64_t> free = store::FreeBytes(paths_.root)) {
    view_.moment += fmt::format("{} left on the lake's disk\n", Bytes(*free));
  }
}

Status ViewBuilder::AddDataset(const ledger::DatasetRow& dataset, ledger::Ledger& ledger) {
  LODE_TRY(const lake::DatasetSurvey survey, lake::Survey(paths_, ledger, dataset));
  std::optional<Inventory> inventory;
  if (request_.files) {
    LODE_TRY(inventory, OpenInventory(survey, ledger));
  }
  plan::CoverageSum all;
  SymbolsWithData with_data;
  std::vector<std::pair<std::string, plan::CoverageSum>> by_symbol;  // only where they are asked for
  LODE_TRY(lake::ReadCells(ledger, dataset, {}, {}, survey.lost, [&](const ledger::CellView& cell) {
    all.Add(cell);
    with_data.Add(cell);
    if (inventory) inventory->Add(cell);
    if (!request_.symbols) return;
    if (by_symbol.empty() || by_symbol.back().first != cell.symbol)
      by_symbol.emplace_back(cell.symbol, plan::CoverageSum());
    by_symbol.back().second.Add(cell);
  }));
  const DatasetConfig* declaration = config_.FindDataset(dataset.name);
  std::optional<DeclaredSymbols> declared;
  if (declaration != nullptr) declared = CompareSymbols(config_, *declaration, with_data);
  view_.events.push_back(StatusEvent(survey, all.value(), declared));
  AddLine(survey, all.value());
  AddNotes(survey, all.value(), declared);
  if (inventory) {
    AddInventory(survey, inventory->Take());
    LODE_TRY(AddFiles(survey, ledger));
  }
  if (!request_.symbols) return Ok();
  std::set<std::string_view> known;
  for (const auto& [symbol, sum] : by_symbol) {
    AddSymbol(dataset.name, symbol, sum.value());
    known.insert(symbol);
  }
  // Declared ones that no cell is about come after them.
  for (const std::string& symbol : declared ? declared->missing : std::vector<std::string>()) {
    if (!known.contains(symbol)) AddSymbol(dataset.name, symbol, {});
  }
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
