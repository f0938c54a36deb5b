// lode schedule install|show|remove [PIPELINE..] [--user|--system|--cron|--unit-dir DIR]
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/pipeline.h"
#include "lode/cli/schedule_place.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMinuteDigits = 16;  // 2024-01-02T03:04

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Who a system service runs as: the lake's owner, whose files they are.
std::string OwnerOf(const fs::path& lake) {
  struct stat info{};
  if (::stat(lake.c_str(), &info) != 0 || info.st_uid == 0) return "";
  const passwd* owner = ::getpwuid(info.st_uid);
  return owner == nullptr ? fmt::format("{}", info.st_uid) : owner->pw_name;
}

// What the three have in common.
class ScheduleCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("PIPELINE", names_, 0, 0, "pipelines of lode.toml; all that have a time when none is named");
    arguments.Flag("--user", user_, "systemd units of the user (the default)");
    arguments.Flag("--system", options_.system, "systemd units of the system; they run as the lake's owner");
    arguments.Flag("--cron", options_.cron, "lines of the user's crontab, where the host's clock is UTC");
    arguments.Option("--unit-dir", "DIR", options_.unit_dir, "units in this folder, without telling systemd");
  }

 protected:
  Result<std::unique_ptr<SchedulePlace>> Open() const {
    if (user_ && (options_.system || options_.cron)) {
      return Fail(ErrorKind::kUsage, "one of --user, --system and --cron");
    }
    return SchedulePlace::Open(options_);
  }

  Status Prepare(Session& session) {
    LODE_TRY(config_, session.config());
    LODE_TRY(const lake::LakePaths paths, session.lake());
    std::error_code problem;
    lake_ = fs::canonical(paths.root, problem).string();
    if (problem) return Fail(ErrorKind::kStorage, "{}: {}", paths.root.string(), problem.message());
    words_ = {fs::read_symlink("/proc/self/exe", problem).string(), "--lake", lake_};
    const auto add_file = [&](const char* flag, const std::string& file) {
      if (!file.empty()) words_.insert(words_.end(), {flag, fs::absolute(file).lexically_normal().string()});
    };
    add_file("--config", session.options().config);
    add_file("--env-file", session.options().env_file);
    for (const std::string& word : words_) {
      if (HasControlCharacter(word))
        return Fail(ErrorKind::kUsage, "{}: control characters in a path", Printable(word));
    }
    return Ok();
  }

  // The pipelines named, else all.
  Result<std::vector<Pipeline>> Pipelines() const {
    std::vector<Pipeline> pipelines;
    for (const std::string& name : names_.empty() ? PipelineNames(*config_) : names_) {
      // Unit and crontab hold the name as it is.
      const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
      });
      LODE_TRY(Pipeline pipeline, FindPipeline(*config_, name));
      if (!plain || name.starts_with('-') || name.size() > 64) {
        return Fail(ErrorKind::kConfig,
                    "pipelines.{}: a scheduled pipeline's name has letters, digits, '_' and '-' only", Printable(name));
      }
      pipelines.push_back(std::move(pipeline));
    }
    return pipelines;
  }

  ScheduledRun RunOf(const Pipeline& pipeline, const SchedulePlace& place) const {
    ScheduledRun run{.pipeline = pipeline.name, .at = *pipeline.at, .lake = lake_, .words = words_, .user = {}};
    run.words.insert(run.words.end(), {"run", pipeline.name});
    if (place.is_system()) run.user = OwnerOf(lake_);
    return run;
  }

  // Of this lake.
  Result<std::vector<InstalledRun>> Installed(SchedulePlace& place) const {
    LODE_TRY(std::vector<InstalledRun> runs, place.Installed());
    std::erase_if(runs, [&](const InstalledRun& run) { return run.mark.lake != lake_; });
    std::ranges::sort(runs, {}, [](const InstalledRun& run) { return run.mark.pipeline; });
    return runs;
  }

  static void Warn(const std::string& left) {
    if (!left.empty()) log::Warning("{}", Printable(left));
  }

  std::vector<std::string> names_;
  const Config* config_ = nullptr;
  std::string lake_;  // canonical

 private:
  bool user_ = false;
  PlaceOptions options_;
  std::vector<std::string> words_;  // how this lake is named to lode
};

class ScheduleInstall : public ScheduleCommand {
 public:
  void Declare(Arguments& arguments) override {
    ScheduleCommand::Declare(arguments);
    arguments.Flag("--dry-run", dry_run_, "say what would be installed and change nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const auto place, Open());
    LODE_TRY(Prepare(session));
    LODE_TRY(const std::vector<Pipeline> pipelines, Pipelines());
    std::vector<ScheduledRun> runs;
    for (const Pipeline& pipeline : pipelines) {
      if (pipeline.at) {
        runs.push_back(RunOf(pipeline, *place));
      } else if (!names_.empty()) {
        return Fail(ErrorKind::kConfig, "pipelines.{} has no time: write at = \"daily 01:00\" (UTC) into it",
                    pipeline.name);
      }
    }
    if (runs.empty()) {
      return Fail(ErrorKind::kConfig, "no pipeline in {} has a time: write at = \"daily 01:00\" (UTC) into one",
                  config_->file().string());
    }
    std::vector<bool> current;
    for (const ScheduledRun& run : runs) {
      LODE_TRY(const bool same, place->IsCurrent(run));
      current.push_back(same);
    }
    std::string left;
    if (!dry_run_) {
      LODE_TRY(left, place->Install(runs));
    }
    for (size_t i = 0; i < runs.size(); ++i) {
      session.out().Event(JsonObject()
                              .Text("type", "schedule_installed")
                              .Text("pipeline", runs[i].pipeline)
                              .Text("at", Format(runs[i].at))
                              .Bool("changed", !current[i])
                              .Bool("dry_run", dry_run_));
      const char* verb = current[i] ? "unchanged" : dry_run_ ? "would be scheduled" : "scheduled";
      session.out().Summary(fmt::format("{}: {} {} UTC\n", runs[i].pipeline, verb, Format(runs[i].at)));
    }
    Warn(left);
    return 0;
  }

 private:
  bool dry_run_ = false;
};

class ScheduleShow : public ScheduleCommand {
 public:
  Result<int> Run(Session& session) override {
    LODE_TRY(const auto place, Open());
    LODE_TRY(Prepare(session));
    LODE_TRY(const std::vector<Pipeline> pipelines, Pipelines());
    LODE_TRY(std::vector<InstalledRun> installed, Installed(*place));
    Table table({{"PIPELINE"}, {"AT (UTC)"}, {"NEXT"}, {"INSTALLED"}});
    for (const Pipeline& pipeline : pipelines) {
      const auto found = std::ranges::find(installed, pipeline.name, [](const auto& run) { return run.mark.pipeline; });
      std::string state = "no", where;
      if (found != installed.end()) {
        bool current = false;
        if (pipeline.at) {
          LODE_TRY(current, place->IsCurrent(RunOf(pipeline, *place)));
        }
        state = current ? "yes" : "differs";
        where = found->where;
        installed.erase(found);
      }
      Show(session, pipeline, state, where, &table);
    }
    // Left from before; by name only those asked for.
    for (const InstalledRun& run : installed) {
      if (!names_.empty() && std::ranges::find(names_, run.mark.pipeline) == names_.end()) continue;
      Show(session, {.name = run.mark.pipeline, .steps = {}, .at = {}}, "orphan", run.where, &table);
    }
    session.out().Text(table.empty() ? "no pipelines\n" : table.Render());
    return 0;
  }

 private:
  static void Show(const Session& session, const Pipeline& pipeline, const std::string& state, const std::string& where,
                   Table* table) {
    JsonObject event;
    event.Text("type", "schedule").Text("pipeline", pipeline.name);
    pipeline.at ? event.Text("at", Format(*pipeline.at)) : event.Null("at");
    event.Bool("at_by_name", pipeline.at_by_name).Text("installed", state);
    where.empty() ? event.Null("where") : event.Text("where", where);
    session.out().Event(std::move(event));
    std::string next;
    if (pipeline.at) {
      next = session.ShowInstant(FormatIsoNs(NextAfter(*pipeline.at, NowNs())).substr(0, kMinuteDigits) + ":00Z");
    }
    const char* orphan = "yes, and lode.toml has no such pipeline";
    table->Add({pipeline.name, pipeline.at ? Format(*pipeline.at) : "", next, state == "orphan" ? orphan : state});
  }
};

class ScheduleRemove : public ScheduleCommand {
 public:
  void Declare(Arguments& arguments) override {
    ScheduleCommand::Declare(arguments);
    arguments.Flag("--dry-run", dry_run_, "say what would be removed and change nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const auto place, Open());
    LODE_TRY(Prepare(session));
    LODE_TRY(const std::vector<InstalledRun> installed, Installed(*place));
    std::vector<ScheduleMark> marks;
    for (const InstalledRun& run : installed) {
      const bool wanted = names_.empty() || std::ranges::find(names_, run.mark.pipeline) != names_.end();
      if (wanted && std::ranges::find(marks, run.mark) == marks.end()) marks.push_back(run.mark);
    }
    std::string left;
    if (!dry_run_ && !marks.empty()) {
      LODE_TRY(left, place->Remove(marks));
    }
    for (const ScheduleMark& mark : marks) {
      session.out().Event(
          JsonObject().Text("type", "schedule_removed").Text("pipeline", mark.pipeline).Bool("dry_run", dry_run_));
      session.out().Summary(fmt::format("{}: {}\n", mark.pipeline, dry_run_ ? "would be removed" : "removed"));
    }
    if (marks.empty()) session.out().Summary("nothing of this lake is scheduled there\n");
    Warn(left);
    return 0;
  }

 private:
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeScheduleInstall() { return std::make_unique<ScheduleInstall>(); }
std::unique_ptr<Command> MakeScheduleShow() { return std::make_unique<ScheduleShow>(); }
std::unique_ptr<Command> MakeScheduleRemove() { return std::make_unique<ScheduleRemove>(); }

}  // namespace lode::cli
