#include "lode/cli/running.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "lode/base/log.h"
#include "lode/base/time.h"
#include "lode/cli/run_log.h"
#include "lode/cli/utf8.h"
#include "lode/store/lock_holder.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kClockSlackNs = kNsPerSecond / 20;  // a process' start is told in hundredths, its log's name in ms
constexpr size_t kLongestCommand = 60;

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// "lode sync nq": the words of the process but for where lake and configuration lie, as far as they fit a line.
std::string CommandOf(int process) {
  const std::string line = ReadText(fmt::format("/proc/{}/cmdline", process));
  std::string text;
  bool is_place = false;
  for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1) {
    const std::string word = line.substr(at, line.find('\0', at) - at);
    if (line.find('\0', at) == std::string::npos) break;
    const bool was_place = std::exchange(is_place, word == "--lake" || word == "--config" || word == "--env-file");
    if (was_place || is_place) continue;
    text += text.empty() ? word.substr(word.rfind('/') + 1) : " " + word;
  }
  if (text.size() > kLongestCommand) text = text.substr(0, kLongestCommand) + "…";
  return Printable(log::Redact(text));
}

// Field 22 of /proc/PID/stat counts clock ticks since the machine started; the name in it may hold anything but ends
// at the last ')'.
std::optional<int64_t> StartOf(int process) {
  const std::string stat = ReadText(fmt::format("/proc/{}/stat", process));
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  int64_t ticks = 0;
  double uptime_s = 0;
  std::istringstream(ReadText("/proc/uptime")) >> uptime_s;
  const long ticks_per_s = ::sysconf(_SC_CLK_TCK);
  if (std::from_chars(field.data(), field.data() + field.size(), ticks).ec != std::errc() || ticks_per_s <= 0) {
    return std::nullopt;
  }
  const double age_s = uptime_s - static_cast<double>(ticks) / static_cast<double>(ticks_per_s);
  return NowNs() - static_cast<int64_t>(age_s * 1e9);
}

// A number at the start of `text`, which begins behind it afterwards.
std::optional<int64_t> TakeNumber(std::string_view* text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

}  // namespace

// The lines that cli/sync.cc records: "…Z info nq: 12 requests, 0.50 USD" and "…Z info nq: month=2024-01/data.parquet
// published, 3 of 12 requests done".
void TakeLogLine(std::string_view line, std::string_view dataset, RunningUnit* unit) {
  const std::string head = fmt::format(" info {}: ", dataset);
  const size_t at = line.find(head);
  if (at == std::string_view::npos) return;
  const Result<int64_t> time = ParseIsoNs(line.substr(0, at));
  if (!time) return;
  std::string_view text = line.substr(at + head.size());
  constexpr std::string_view kPublished = " published, ";
  const size_t published = text.find(kPublished);
  if (published != std::string_view::npos) text.remove_prefix(published + kPublished.size());
  const std::optional<int64_t> first = TakeNumber(&text);
  if (!first) return;
  if (published == std::string_view::npos) {
    if (!text.starts_with(" requests, ")) return;
    unit->requests = *first;
    unit->requests_done = 0;
    unit->began_ns = unit->last_ns = *time;
    return;
  }
  if (!text.starts_with(" of ")) return;
  unit->requests_done = *first;
  unit->last_ns = *time;
}

std::optional<int64_t> SecondsLeft(const RunningUnit& unit) {
  if (unit.requests_done <= 0 || unit.requests <= unit.requests_done) return std::nullopt;
  const double per_request_s =
      static_cast<double>(unit.last_ns - unit.began_ns) / 1e9 / static_cast<double>(unit.requests_done);
  return static_cast<int64_t>(per_request_s * static_cast<double>(unit.requests - unit.requests_done));
}

std::optional<RunningUnit> FindRunning(const lake::LakePaths& paths, std::string_view dataset) {
  const std::optional<int> process = store::LockHolder(paths.locks() / fmt::format("{}.lock", dataset));
  if (!process || *process == ::getpid()) return std::nullopt;
  RunningUnit unit{.process = *process, .command = CommandOf(*process), .started_ns = StartOf(*process)};
  if (!unit.started_ns) return unit;
  // Its log is one made since it started.
  for (const std::string& name : LogNames(paths.logs())) {
    const std::optional<int64_t> made_ns = LogTime(name);
    if (!made_ns || *made_ns < *unit.started_ns - kClockSlackNs) continue;
    std::ifstream log(paths.logs() / name);
    for (std::string line; std::getline(log, line);) TakeLogLine(line, dataset, &unit);
  }
  return unit;
}

std::string Shown(const RunningUnit& unit) {
  std::string text = fmt::format("process {}", unit.process);
  if (!unit.command.empty()) text += fmt::format(" ({})", unit.command);
  if (unit.started_ns) text += fmt::format(" since {}Z", FormatIsoNs(*unit.started_ns).substr(0, 19));
  if (unit.requests > 0) text += fmt::format(", {} of {} requests done", unit.requests_done, unit.requests);
  const std::optional<int64_t> left_s = SecondsLeft(unit);
  if (left_s) {
    text += *left_s < 60 ? fmt::format(", about {} s left", *left_s)
                         : fmt::format(", about {} min left", (*left_s + 30) / 60);
  }
  return text;
}

}  // namespace lode::cli
