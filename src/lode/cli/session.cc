#include "lode/cli/session.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "lode/base/log.h"
#include "lode/base/nearest.h"
#include "lode/calendar/catalog.h"
#include "lode/cli/zone.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLeastMemory = uint64_t{64} << 20;

}  // namespace

Result<Session> Session::Create(const GlobalOptions& options, std::string command) {
  Session session(options, std::move(command));
  if (!options.memory.empty()) {
    LODE_TRY(session.memory_bytes_, ParseSize(options.memory));
    if (session.memory_bytes_ < kLeastMemory) {
      return Fail(ErrorKind::kUsage, "--memory {}: at least {} MiB", options.memory, kLeastMemory >> 20);
    }
  }
  if (!options.tz.empty()) LODE_TRY(CheckZone(options.tz));
  session.today_ = DayOf(NowNs());
  return session;
}

Result<const Config*> Session::Load(ConfigRequest request) {
  if (config_) return &*config_;
  if (!options_.lake.empty()) request.lake = options_.lake;
  if (!options_.config.empty()) request.config_file = options_.config;
  if (!options_.env_file.empty()) request.env_file = options_.env_file;
  LODE_TRY(Config config, Config::Load(request));
  for (const std::string& notice : config.notices()) log::Warning("{}", notice);
  std::string ledger_url = config.Get("ledger.url").value_or("sqlite");
  if (ledger_url != "sqlite") {
    return Fail(ErrorKind::kConfig, "ledger.url: this version keeps the ledger in SQLite only");
  }
  if (const std::string folder = config.Get("calendars.folder").value_or(""); !folder.empty()) {
    calendar::SetFolder(config.file().parent_path() / folder);
  }
  config_.emplace(std::move(config));
  return &*config_;
}

Result<const Config*> Session::config() { return Load({}); }

Result<const Config*> Session::config_for_new_lake() {
  ConfigRequest request;
  Result<const Config*> found = Load(request);
  if (found || found.error().kind != ErrorKind::kUsage) return found;
  request.lake = ".";
  return Load(request);
}

Result<lake::LakePaths> Session::lake() {
  LODE_TRY(const Config* loaded, config());
  lake::LakePaths paths{loaded->lake_root()};
  std::error_code problem;
  if (!fs::is_directory(paths.root, problem)) {
    return Fail(ErrorKind::kNotFound, "no lake at {} (`lode --lake {} init` makes one)", paths.root.string(),
                paths.root.string());
  }
  return paths;
}

Result<ledger::Ledger*> Session::ledger() {
  if (!ledger_opened_) {
    LODE_TRY(lake::LakePaths paths, lake());
    LODE_TRY(ledger_, ledger::Ledger::OpenReadOnly(paths.ledger()));
    ledger_opened_ = true;
  }
  return ledger_.get();
}

Result<std::vector<ledger::DatasetRow>> Session::Datasets(const std::vector<std::string>& names) {
  LODE_TRY(ledger::Ledger * opened, ledger());
  std::vector<ledger::DatasetRow> all;
  if (opened != nullptr) {
    LODE_TRY(all, opened->Datasets());
  }
  std::ranges::sort(all, {}, &ledger::DatasetRow::name);
  if (names.empty()) return all;
  std::vector<std::string> known;
  for (const ledger::DatasetRow& row : all) known.push_back(row.name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end() && config_->FindDataset(name) == nullptr) {
      return Fail(ErrorKind::kNotFound, "no dataset {} in {}{}", name, config_->lake_root().string(),
                  DidYouMean(name, known));
    }
  }
  std::erase_if(all, [&](const auto& row) { return std::ranges::find(names, row.name) == names.end(); });
  return all;
}

std::string Session::ShowInstant(const std::string& iso_utc) const { return InZone(iso_utc, options_.tz); }

}  // namespace lode::cli
