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
    std::vector<DatasetConfig> added;
    if (recipe != nullptr) {
      std::ranges::copy_if(recipe->datasets, std::back_inserter(added),
                           [&](const DatasetConfig& dataset) { return config->FindDataset(dataset.name) == nullptr; });
    }
    std::vector<RecipePipeline> pipelines;
    if (recipe != nullptr) {
      std::ranges::copy_if(recipe->pipelines, std::back_inserter(pipelines), [&](const RecipePipeline& pipeline) {
        return !config->GetList(fmt::format("pipelines.{}.steps", pipeline.name));
      });
    }
    if (!dry_run_) {
      if (!is_lake) LODE_TRY(lake::CreateLake(paths));
      if (!has_file) {
        LODE_TRY(store::ReplaceDurable(config->file(), ConfigTemplate(), config->file().parent_path()));
      }
      for (const DatasetConfig& dataset : added) LODE_TRY(DeclareDataset(config->file(), dataset));
      for (const RecipePipeline& pipeline : pipelines) {
        LODE_TRY(DeclarePipeline(config->file(), pipeline.name, pipeline.at, pipeline.steps));
      }
    }
    Tell(session, paths, config->file(), {!is_lake, !has_file}, added, pipelines);
    return 0;
  }

 private:
  struct Made {
    bool lake, file;
  };

  void Tell(const Session& session, const lake::LakePaths& paths, const fs::path& file, Made made,
            const std::vector<DatasetConfig>& added, const std::vector<RecipePipeline>& pipelines) const {
    session.out().Event(JsonObject()
                            .Text("type", "init")
                            .Text("lake", paths.root.string())
                            .Text("config", file.string())
                            .Bool("lake_made", made.lake)
                            .Bool("config_made", made.file)
                            .Bool("recipe_added", !added.empty() || !pipelines.empty())
                            .Bool("dry_run", dry_run_));
    std::string verb = dry_run_ ? "would make " : "made ";
    std::string text;
    if (made.lake) text += verb + "the lake " + paths.root.string() + "\n";
    if (made.file) text += verb + file.string() + "\n";
    for (const DatasetConfig& dataset : added) {
      text += (dry_run_ ? "would declare dataset " : "declared dataset ") + dataset.name + "\n";
    }
    for (const RecipePipeline& pipeline : pipelines) {
      text +=
          fmt::format("{} pipeline {}, {} UTC\n", dry_run_ ? "would declare" : "declared", pipeline.name, pipeline.at);
    }
    if (text.empty()) text = paths.root.string() + " is a lake already; nothing changed\n";
    session.out().Summary(text);
    if (dry_run_ || (!made.lake && added.empty())) return;
    session.out().Summary(fmt::format("next: lode --lake {} {}\n", paths.root.string(),
                                      added.empty() ? "import PATH --dataset NAME" : "plan"));
  }

  std::string recipe_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInit() { return std::make_unique<InitCommand>(); }

}  // namespace lode::cli
