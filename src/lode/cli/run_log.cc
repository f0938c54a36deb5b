#include "lode/cli/run_log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "lode/base/log.h"
#include "lode/base/time.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

constexpr size_t kMostHeldLines = 10'000;
constexpr int64_t kKeptNs = int64_t{90} * 24 * 3600 * kNsPerSecond;
constexpr size_t kMostLogs = 1000;   // the one about to be made included
constexpr size_t kStampLength = 20;  // "20240102T030405.678Z"

// "20240102T030405.678Z-import.log": sorts by time, legal on any disk.
std::string FileName(int64_t now_ns, std::string command) {
  std::string iso = FormatIsoNs(now_ns);  // 2024-01-02T03:04:05.678901234Z
  std::string stamp;
  for (char c : iso.substr(0, 23)) {
    if (c != '-' && c != ':') stamp += c;
  }
  for (char& c : command) {
    if (c == ' ') c = '-';
  }
  return stamp + "Z-" + command + ".log";
}

}  // namespace

std::vector<std::string> LogNames(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code problem;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder, problem)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".log")) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::optional<int64_t> LogTime(std::string_view name) {
  if (name.size() <= kStampLength || name[kStampLength] != '-' || !name.ends_with(".log")) return std::nullopt;
  const std::string_view stamp = name.substr(0, kStampLength);
  const Result<int64_t> time = ParseIsoNs(fmt::format("{}-{}-{}:{}:{}", stamp.substr(0, 4), stamp.substr(4, 2),
                                                      stamp.substr(6, 5), stamp.substr(11, 2), stamp.substr(13)));
  return time ? std::optional(*time) : std::nullopt;
}

void PruneLogs(const std::filesystem::path& folder, int64_t now_ns) {
  std::vector<std::string> names = LogNames(folder);
  std::erase_if(names, [](const std::string& name) { return !LogTime(name); });
  for (size_t i = 0; i < names.size(); ++i) {
    const bool too_many = names.size() - i >= kMostLogs;
    if (!too_many && *LogTime(names[i]) >= now_ns - kKeptNs) return;  // the rest is newer
    std::error_code ignored;
    std::filesystem::remove(folder / names[i], ignored);
  }
}

void RunLog::Note(const std::string& line) {
  if (!started_) Record(line);
  log::Info("{}", Printable(line));
}

void RunLog::Record(const std::string& line) {
  std::string stamped = fmt::format("{}Z info {}", FormatIsoNs(NowNs()).substr(0, 23), Printable(log::Redact(line)));
  if (!started_) {
    if (held_.size() < kMostHeldLines) held_.push_back(std::move(stamped));
  } else if (!file_.empty()) {
    std::ofstream(file_, std::ios::app) << stamped << '\n';
  }
}

void RunLog::Start() {
  if (started_) return;
  started_ = true;
  std::error_code problem;
  std::filesystem::create_directories(paths_.logs(), problem);
  if (problem) {
    log::Warning("no log file for this run: {}: {}", paths_.logs().string(), problem.message());
    return;
  }
  PruneLogs(paths_.logs(), NowNs());
  file_ = paths_.logs() / FileName(NowNs(), command_);
  {
    std::ofstream before(file_, std::ios::app);
    for (const std::string& line : held_) before << line << '\n';
  }
  held_.clear();
  log::AttachFile(file_);
}

}  // namespace lode::cli
