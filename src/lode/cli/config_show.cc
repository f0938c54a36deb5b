// lode config show [--origin]
#include "lode/cli/commands.h"
#include "lode/cli/table.h"

namespace lode::cli {
namespace {

class ConfigShow : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Flag("--origin", origin_, "say where each value comes from");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    Table table({{"SETTING"}, {"VALUE"}, {origin_ ? "ORIGIN" : ""}});
    for (const ConfigValue& value : config->values()) {
      session.out().Event(JsonObject()
                              .Text("type", "setting")
                              .Text("key", value.key)
                              .Text("value", value.value)
                              .Text("origin", value.origin));
      table.Add({value.key, value.value, origin_ ? value.origin : ""});
    }
    session.out().Text(table.Render());
    return 0;
  }

 private:
  bool origin_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeConfigShow() { return std::make_unique<ConfigShow>(); }

}  // namespace lode::cli
