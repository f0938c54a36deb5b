#include "lode/cli/run_log.h"

#include <filesystem>
#include <fstream>

#include "lode/base/log.h"
#include "lode/base/time.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

constexpr size_t kMostHeldLines = 10'000;

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
  file_ = paths_.logs() / FileName(NowNs(), command_);
  {
    std::ofstream before(file_, std::ios::app);
    for (const std::string& line : held_) before << line << '\n';
  }
  held_.clear();
  log::AttachFile(file_);
}

}  // namespace lode::cli
