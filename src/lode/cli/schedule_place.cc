#include "lode/cli/schedule_place.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "lode/base/host_program.h"
#include "lode/cli/host_clock.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestUnit = uint64_t{1} << 20;
constexpr std::chrono::seconds kPatience{60};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

class UnitFolder : public SchedulePlace {
 public:
  UnitFolder(fs::path folder, bool system, bool tells) : folder_(std::move(folder)), system_(system), tells_(tells) {}

  bool is_system() const override { return system_; }

  Result<std::vector<InstalledRun>> Installed() override {
    std::vector<InstalledRun> runs;
    LODE_TRY(const std::vector<store::FileInfo> files, store::ListEverything(folder_));
    for (const store::FileInfo& file : files) {
      if (!file.path.starts_with("lode-") || !file.path.ends_with(".timer")) continue;
      LODE_TRY(const std::optional<std::string> text, ReadUnit(file.path));
      if (const auto mark = MarkOfUnit(text.value_or(""))) runs.push_back({*mark, (folder_ / file.path).string()});
    }
    return runs;
  }

  Result<bool> IsCurrent(const ScheduledRun& run) override {
    for (const UnitFile& unit : UnitsOf(run)) {
      LODE_TRY(const std::optional<std::string> text, ReadUnit(unit.name));
      if (text != unit.text) return false;
    }
    return true;
  }

  Result<std::string> Install(const std::vector<ScheduledRun>& runs) override {
    std::vector<UnitFile> changed;
    for (const ScheduledRun& run : runs) {
      for (UnitFile& unit : UnitsOf(run)) {
        LODE_TRY(const std::optional<std::string> text, ReadUnit(unit.name));
        LODE_TRY(CheckOurs(unit.name, text, {run.pipeline, run.lake}));
        if (text != unit.text) changed.push_back(std::move(unit));
      }
    }
    if (!changed.empty()) LODE_TRY(store::MakeDirectories(folder_));
    for (const UnitFile& unit : changed) LODE_TRY(store::ReplaceDurable(folder_ / unit.name, unit.text, folder_));
    std::vector<std::vector<std::string>> calls;
    if (!changed.empty()) calls.push_back({"daemon-reload"});
    for (const ScheduledRun& run : runs) calls.push_back({"enable", "--now", UnitName(run) + ".timer"});
    return Tell(calls);
  }

  Result<std::string> Remove(const std::vector<ScheduleMark>& marks) override {
    std::vector<std::vector<std::string>> before;
    std::vector<fs::path> gone;
    for (const ScheduleMark& mark : marks) {
      const std::string name =
          UnitName({.pipeline = mark.pipeline, .at = {}, .lake = mark.lake, .words = {}, .user = {}});
      for (const char* kind : {".timer", ".service"}) {
        LODE_TRY(const std::optional<std::string> text, ReadUnit(name + kind));
        if (!text || MarkOfUnit(*text) != mark) continue;
        gone.push_back(folder_ / (name + kind));
        if (std::string_view(kind) == ".timer") before.push_back({"disable", "--now", name + kind});
      }
    }
    LODE_TRY(std::string first, Tell(before));
    for (const fs::path& file : gone) LODE_TRY(store::Remove(file));
    if (gone.empty()) return first;
    LODE_TRY(store::SyncDirectory(folder_));
    LODE_TRY(const std::string last, Tell({{"daemon-reload"}}));
    return first.empty() ? last : first;
  }

 private:
  // nullopt: there is none. A link or a pipe is somebody's.
  Result<std::optional<std::string>> ReadUnit(const std::string& name) const {
    const Result<std::optional<uint64_t>> size = store::FileSize(folder_ / name);
    if (!size && size.error().kind == ErrorKind::kBadInput) return std::string();
    LODE_TRY(size);
    if (!*size) return std::nullopt;
    LODE_TRY(std::string text, store::ReadFile(folder_ / name, kLongestUnit));
    return text;
  }

  Status CheckOurs(const std::string& name, const std::optional<std::string>& text, const ScheduleMark& mark) const {
    if (!text || MarkOfUnit(*text) == mark) return Ok();
    return Fail(ErrorKind::kConfig, "{} is there and lode did not write it for this lake; move it away",
                (folder_ / name).string());
  }

  // Runs systemctl for each; what is left to the user when that does not work.
  Result<std::string> Tell(const std::vector<std::vector<std::string>>& calls) const {
    if (!tells_) return "";
    for (size_t i = 0; i < calls.size(); ++i) {
      std::vector<std::string> words = {"systemctl", "--no-ask-password"};
      if (!system_) words.emplace_back("--user");
      words.insert(words.end(), calls[i].begin(), calls[i].end());
      const Result<ProgramEnd> end = RunProgram(words, {.timeout = kPatience});
      if (end && end->code == 0) continue;
      std::string left;
      for (size_t j = i; j < calls.size(); ++j) {
        left += fmt::format("{}systemctl {}{}", left.empty() ? "" : "; ", system_ ? "" : "--user ",
                            fmt::join(calls[j], " "));
      }
      return fmt::format("systemctl did not do it ({}); run: {}", end ? FirstLine(end->errors) : end.error().message,
                         left);
    }
    return "";
  }

  fs::path folder_;
  bool system_, tells_;
};

class Crontab : public SchedulePlace {
 public:
  Result<std::vector<InstalledRun>> Installed() override {
    LODE_TRY(const std::string text, Read());
    std::vector<InstalledRun> runs;
    for (const std::string_view line : CronLines(text)) {
      if (const auto mark = MarkOfCronLine(line)) runs.push_back({*mark, "crontab"});
    }
    return runs;
  }

  Result<bool> IsCurrent(const ScheduledRun& run) override {
    LODE_TRY(const std::string text, Read());
    return WithCronLines(text, {run}) == text;
  }

  Result<std::string> Install(const std::vector<ScheduledRun>& runs) override {
    LODE_TRY(const std::string text, Read());
    if (const std::string zone = CronZoneLine(text); !zone.empty()) {
      return Fail(ErrorKind::kConfig, "the crontab has the line {}: what follows it would not run by UTC; use systemd",
                  zone);
    }
    return Write(text, WithCronLines(text, runs));
  }

  Result<std::string> Remove(const std::vector<ScheduleMark>& marks) override {
    LODE_TRY(const std::string text, Read());
    return Write(text, WithoutCronLines(text, marks));
  }

 private:
  static Result<std::string> Read() {
    Result<ProgramEnd> end = RunProgram({"crontab", "-l"}, {.timeout = kPatience});
    if (!end) return std::unexpected(Error(end.error()).With("crontab -l"));
    if (end->code == 0) return std::move(end->output);
    if (end->errors.contains("no crontab for")) return std::string();
    return Fail(ErrorKind::kConfig, "crontab -l: {}", FirstLine(end->errors));
  }

  static Result<std::string> Write(const std::string& before, const std::string& after) {
    if (before == after) return std::string();
    LODE_TRY(const ProgramEnd end, RunProgram({"crontab", "-"}, {.timeout = kPatience, .input = after}));
    if (end.code == 0) return std::string();
    return Fail(ErrorKind::kConfig, "crontab -: {}", FirstLine(end.errors));
  }
};

Result<fs::path> UserUnits() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return fs::path(config) / "systemd" / "user";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path(home) / ".config" / "systemd" / "user";
  return Fail(ErrorKind::kUsage, "no home folder for units of the user (HOME is not set); use --system or --unit-dir");
}

}  // namespace

Result<std::unique_ptr<SchedulePlace>> SchedulePlace::Open(const PlaceOptions& options) {
  if (options.cron) {
    if (options.system || !options.unit_dir.empty()) {
      return Fail(ErrorKind::kUsage, "--cron goes with neither --system nor --unit-dir");
    }
    if (!ClockIsUtc(nullptr)) {
      return Fail(ErrorKind::kUsage,
                  "this host's clock is not UTC all the year, and cron goes by it; schedules are in UTC: use systemd");
    }
    return std::make_unique<Crontab>();
  }
  if (!options.unit_dir.empty()) {
    return std::make_unique<UnitFolder>(fs::absolute(options.unit_dir), options.system, false);
  }
  if (options.system) return std::make_unique<UnitFolder>("/etc/systemd/system", true, true);
  LODE_TRY(const fs::path folder, UserUnits());
  return std::make_unique<UnitFolder>(folder, false, true);
}

}  // namespace lode::cli
