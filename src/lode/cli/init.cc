// lode init [--recipe NAME]
#include <algorithm>
#include <filesystem>

#include "lode/base/nearest.h"
#include "lode/cli/commands.h"
#include "lode/cli/recipes.h"
#include "lode/lake/lake.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

class InitCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Option("--recipe", "NAME", recipe_, "declare the recipe's datasets in lode.toml");
    arguments.Flag("--dry-run", dry_run_, "say what would be made and change nothing");
  }

  Result<int> Run(Session& session) override {
    const Recipe* recipe = nullptr;
    if (!recipe_.empty()) {
      recipe = FindRecipe(recipe_);
      if (recipe == nullptr) {
        return Fail(ErrorKind::kUsage, "no recipe {}{}; known: {}", recipe_, DidYouMean(recipe_, RecipeNames()),
                    fmt::join(RecipeNames(), ", "));
      }
    }
    LODE_TRY(const Config* config, session.config_for_new_lake());
    lake::LakePaths paths{config->lake_root()};
    std::error_code problem;
    bool has_file = fs::exists(config->file(), problem);
    bool is_lake = fs::exists(paths.root / ".lode", problem);
    std::vector<std::string> added;
    if (!dry_run_) {
      if (!is_lake) LODE_TRY(lake::CreateLake(paths));
      if (!has_file) {
        LODE_TRY(store::ReplaceDurable(config->file(), ConfigTemplate(), config->file().parent_path()));
      }
    }
    for (const DatasetConfig& dataset : recipe == nullptr ? std::vector<DatasetConfig>{} : recipe->datasets) {
      if (config->FindDataset(dataset.name) != nullptr) continue;
      if (!dry_run_) LODE_TRY(DeclareDataset(config->file(), dataset));
      added.push_back(dataset.name);
    }
    Tell(session, paths, config->file(), !is_lake, !has_file, added);
    return 0;
  }

 private:
  void Tell(const Session& session, const lake::LakePaths& paths, const fs::path& file, bool made_lake, bool made_file,
            const std::vector<std::string>& added) const {
    session.out().Event(JsonObject()
                            .Text("type", "init")
                            .Text("lake", paths.root.string())
                            .Text("config", file.string())
                            .Bool("lake_made", made_lake)
                            .Bool("config_made", made_file)
                            .Bool("recipe_added", !added.empty())
                            .Bool("dry_run", dry_run_));
    std::string verb = dry_run_ ? "would make " : "made ";
    std::string text;
    if (made_lake) text += verb + "the lake " + paths.root.string() + "\n";
    if (made_file) text += verb + file.string() + "\n";
    for (const std::string& name : added) {
      text += (dry_run_ ? "would declare dataset " : "declared dataset ") + name + "\n";
    }
    if (text.empty()) text = paths.root.string() + " is a lake already; nothing changed\n";
    session.out().Summary(text);
    if (made_lake && !dry_run_) {
      session.out().Summary(fmt::format("next: lode --lake {} import PATH --dataset NAME\n", paths.root.string()));
    }
  }

  std::string recipe_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInit() { return std::make_unique<InitCommand>(); }

}  // namespace lode::cli
