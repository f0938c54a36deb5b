// lode status [DATASET..] [--files] [--symbols]
#include <algorithm>
#include <map>

#include "lode/cli/commands.h"
#include "lode/cli/table.h"
#include "lode/lake/survey.h"

namespace lode::cli {
namespace {

using Align = Table::Align;

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

struct Totals {
  int64_t records = 0, rejected = 0;
};

Totals Sum(const lake::DatasetSurvey& survey) {
  Totals totals;
  for (const ledger::ReceiptRow& receipt : survey.receipts) {
    totals.records += receipt.records;
    totals.rejected += receipt.rejected;
  }
  return totals;
}

JsonObject StatusEvent(const lake::DatasetSurvey& survey, const plan::Coverage& coverage) {
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
  AddDay(event, "first", coverage.first);
  AddDay(event, "last", coverage.last);
  AddDay(event, "first_data", coverage.first_data);
  AddDay(event, "last_data", coverage.last_data);
  event.Number("rows", survey.rows)
      .Number("partitions", static_cast<int64_t>(survey.partitions.size()))
      .Number("partitions_lost", static_cast<int64_t>(survey.lost.size()))
      .Number("bronze_bytes", survey.bronze_bytes)
      .Number("landing_bytes", survey.landing_bytes)
      .Number("receipts", static_cast<int64_t>(survey.receipts.size()))
      .Number("records", totals.records)
      .Number("rejected", totals.rejected);
  return event;
}

class StatusCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", names_, 0, 0, "datasets; all when none is named");
    arguments.Flag("--files", files_, "one line a partition file");
    arguments.Flag("--symbols", symbols_, "one line a symbol");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    LODE_TRY(std::vector<ledger::DatasetRow> datasets, session.Datasets(names_));
    Table table({{"DATASET"},
                 {"SCHEMA"},
                 {"DAYS"},
                 {"", Align::kLeft},
                 {"SETTLED", Align::kRight},
                 {"OPEN"},
                 {"ROWS", Align::kRight},
                 {"FILES", Align::kRight},
                 {"BRONZE", Align::kRight},
                 {"REJECTED", Align::kRight}});
    Table details = files_ ? FileTable() : SymbolTable();
    for (const ledger::DatasetRow& dataset : datasets) {
      LODE_TRY(lake::DatasetSurvey survey, lake::Survey(paths, *ledger, dataset));
      plan::Coverage coverage = plan::Summarise(survey.cells);
      session.out().Event(StatusEvent(survey, coverage));
      AddLine(table, survey, coverage);
      if (files_) AddFiles(session, details, survey);
      if (symbols_) AddSymbols(session, details, survey);
    }
    AddDeclared(session, table, datasets);
    if (table.empty()) {
      session.out().Text("no datasets yet: lode import PATH --dataset NAME brings the first one in\n");
      return 0;
    }
    session.out().Text(table.Render());
    if (!details.empty()) session.out().Text("\n" + details.Render());
    return 0;
  }

 private:
  static Table FileTable() {
    return Table({{"DATASET"},
                  {"PARTITION"},
                  {"ROWS", Align::kRight},
                  {"SIZE", Align::kRight},
                  {"RECEIPT", Align::kRight},
                  {"STATE"}});
  }
  static Table SymbolTable() {
    return Table({{"DATASET"}, {"SYMBOL"}, {"FIRST"}, {"LAST"}, {"SETTLED", Align::kRight}, {"OPEN"}});
  }

  static void AddLine(Table& table, const lake::DatasetSurvey& survey, const plan::Coverage& coverage) {
    std::string open = OpenStates(coverage);
    if (!survey.lost.empty()) {
      open += fmt::format(" ({} gone)", Count(static_cast<int64_t>(survey.lost.size()), "file"));
    }
    table.Add({survey.dataset.name, survey.dataset.schema, OptionalDay(coverage.first), OptionalDay(coverage.last),
               fmt::format("{} / {}", Grouped(coverage.settled), Grouped(coverage.total)), open, Grouped(survey.rows),
               Grouped(static_cast<int64_t>(survey.partitions.size() - survey.lost.size())), Bytes(survey.bronze_bytes),
               Grouped(Sum(survey).rejected)});
  }

  void AddDeclared(Session& session, Table& table, const std::vector<ledger::DatasetRow>& present) const {
    Result<const Config*> config = session.config();
    if (!config) return;
    for (const auto& [name, declared] : (*config)->datasets()) {
      bool named = names_.empty() || std::ranges::find(names_, name) != names_.end();
      if (!named || std::ranges::find(present, name, &ledger::DatasetRow::name) != present.end()) continue;
      session.out().Event(JsonObject()
                              .Text("type", "status")
                              .Text("dataset", name)
                              .Text("schema", declared.schema_name())
                              .Raw("cells", "{}")
                              .Number("total", int64_t{0})
                              .Number("settled", int64_t{0}));
      table.Add({name, declared.schema_name(), "", "", "0 / 0", "declared, no data yet", "0", "0", "0 B", "0"});
    }
  }

  static void AddFiles(const Session& session, Table& table, const lake::DatasetSurvey& survey) {
    for (const ledger::PartitionRow& row : survey.partitions) {
      bool lost =
          std::ranges::any_of(survey.lost, [&](const auto& gone) { return gone.partition.path == row.partition.path; });
      std::string_view state = lost ? "missing" : "present";
      session.out().Event(JsonObject()
                              .Text("type", "partition")
                              .Text("dataset", survey.dataset.name)
                              .Text("path", row.partition.path)
                              .Number("rows", row.partition.rows)
                              .Number("bytes", row.partition.size)
                              .Text("sha256", row.partition.sha256)
                              .Number("receipt", row.sequence)
                              .Text("state", state));
      table.Add({survey.dataset.name, row.partition.path, Grouped(row.partition.rows), Bytes(row.partition.size),
                 std::to_string(row.sequence), std::string(state)});
    }
  }

  // Cells come sorted by symbol.
  static void AddSymbols(const Session& session, Table& table, const lake::DatasetSurvey& survey) {
    const std::vector<ledger::CellRow>& cells = survey.cells;
    for (auto first = cells.begin(); first != cells.end();) {
      auto end = std::find_if(first, cells.end(),
                              [&](const ledger::CellRow& row) { return row.cell.symbol != first->cell.symbol; });
      plan::Coverage coverage = plan::Summarise(std::span(first, end));
      JsonObject event;
      event.Text("type", "symbol")
          .Text("dataset", survey.dataset.name)
          .Text("symbol", first->cell.symbol)
          .Raw("cells", StatesJson(coverage))
          .Number("total", coverage.total)
          .Number("settled", coverage.settled);
      AddDay(event, "first", coverage.first);
      AddDay(event, "last", coverage.last);
      session.out().Event(std::move(event));
      table.Add({survey.dataset.name, first->cell.symbol, OptionalDay(coverage.first), OptionalDay(coverage.last),
                 fmt::format("{} / {}", Grouped(coverage.settled), Grouped(coverage.total)), OpenStates(coverage)});
      first = end;
    }
  }

  std::vector<std::string> names_;
  bool files_ = false, symbols_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStatus() { return std::make_unique<StatusCommand>(); }

}  // namespace lode::cli
