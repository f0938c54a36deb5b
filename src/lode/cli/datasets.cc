// lode datasets
#include <map>

#include "lode/cli/commands.h"
#include "lode/cli/table.h"

namespace lode::cli {
namespace {

struct Line {
  std::string source, vendor_dataset, schema, layout;
  bool declared = false, present = false;
};

class DatasetsCommand : public Command {
 public:
  void Declare(Arguments&) override {}

  Result<int> Run(Session& session) override {
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(std::vector<ledger::DatasetRow> rows, session.Datasets({}));
    std::map<std::string, Line> lines;
    for (const auto& [name, dataset] : config->datasets()) {
      lines[name] = {dataset.source,
                     dataset.exchange.empty() ? dataset.dataset : dataset.exchange,
                     dataset.schema_name(),
                     dataset.layout,
                     true,
                     false};
    }
    for (const ledger::DatasetRow& row : rows) {
      Line& line = lines[row.name];
      line.present = true;
      line.schema = row.schema;
      line.layout = row.layout;
    }
    Table table({{"DATASET"}, {"SOURCE"}, {"VENDOR DATASET"}, {"SCHEMA"}, {"LAYOUT"}, {"STATE"}});
    for (const auto& [name, line] : lines) {
      session.out().Event(JsonObject()
                              .Text("type", "dataset")
                              .Text("dataset", name)
                              .Text("source", line.source)
                              .Text("vendor_dataset", line.vendor_dataset)
                              .Text("schema", line.schema)
                              .Text("layout", line.layout)
                              .Bool("declared", line.declared)
                              .Bool("present", line.present));
      std::string state = !line.declared ? "not in lode.toml" : line.present ? "present" : "declared, no data yet";
      table.Add({name, line.source, line.vendor_dataset, line.schema, line.layout, state});
    }
    session.out().Text(table.empty() ? "no datasets yet\n" : table.Render());
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> MakeDatasets() { return std::make_unique<DatasetsCommand>(); }

}  // namespace lode::cli
