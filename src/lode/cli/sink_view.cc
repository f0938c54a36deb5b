#include "lode/cli/sink_view.h"

#include "lode/cli/json.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/sink/duckdb/table_states.h"

namespace lode::cli {
namespace {

std::string_view StateOf(const sink::TableState& table) {
  if (!table.rows) return "not_created";
  return *table.rows == 0 ? "empty" : "rows";
}

void AddTable(const std::string& sink, const sink::TableState& state, Table& table, SinkView& view) {
  JsonObject event;
  event.Text("type", "sink_table").Text("sink", sink).Text("table", state.table).Text("state", StateOf(state));
  state.rows ? event.Number("rows", *state.rows) : event.Null("rows");
  view.events.push_back(event.Number("pending", state.pending).Take());
  const std::string rows = state.rows ? Grouped(*state.rows) : "";
  std::string standing = "as the lake";
  if (state.pending > 0) standing = Count(state.pending, "partition") + " to load or remove";
  table.Add({state.table, rows, !state.rows ? "not created" : *state.rows == 0 ? "empty" : "", standing});
}

}  // namespace

Status CheckSink(const std::string& sink) {
  if (sink == "duckdb") return Ok();
  return Fail(ErrorKind::kUsage, "status: unknown sink {}; there is duckdb", Printable(sink));
}

Result<SinkView> ViewSink(Session& session, const std::string& sink, const std::vector<ledger::DatasetRow>& datasets) {
  LODE_TRY(CheckSink(sink));
  LODE_TRY(const Config* config, session.config());
  LODE_TRY(const lake::LakePaths paths, session.lake());
  LODE_TRY(ledger::Ledger * ledger, session.ledger());
  SinkView view;
  if (ledger == nullptr) return view;
  const Result<std::vector<sink::TableState>> states = sink::ReadTableStates(paths, *ledger, *config, datasets);
  if (!states && states.error().kind != ErrorKind::kBusy) return std::unexpected(states.error());
  if (!states) {
    view.events.push_back(JsonObject().Text("type", "sink").Text("sink", sink).Text("state", "busy").Take());
    view.text = "lake.duckdb: another program holds it, so its tables cannot be looked at now\n";
    return view;
  }
  Table table({{"TABLE"}, {"ROWS", Table::Align::kRight}, {"STATE"}, {"BEHIND"}});
  for (const sink::TableState& state : *states) AddTable(sink, state, table, view);
  view.text = table.empty() ? "no dataset here has a table in lake.duckdb\n" : table.Render();
  return view;
}

}  // namespace lode::cli
