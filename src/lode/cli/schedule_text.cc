#include "lode/cli/schedule_text.h"

#include <algorithm>

#include "lode/base/hashing.h"

namespace lode::cli {
namespace {

constexpr std::string_view kUnitMark = "# lode schedule: ";
constexpr std::string_view kCronMark = " # lode schedule: ";
constexpr size_t kHashDigits = 8;

std::string Replaced(std::string_view text, char what, std::string_view with) {
  std::string out;
  for (const char c : text) {
    if (c == what) {
      out += with;
    } else {
      out += c;
    }
  }
  return out;
}

std::string MarkText(const ScheduledRun& run) { return fmt::format("pipeline={} lake={}", run.pipeline, run.lake); }

// "pipeline=daily lake=/data/lake": a pipeline's name has no space.
std::optional<ScheduleMark> ParseMark(std::string_view text) {
  constexpr std::string_view kPipeline = "pipeline=", kLake = " lake=";
  if (!text.starts_with(kPipeline)) return std::nullopt;
  text.remove_prefix(kPipeline.size());
  const size_t lake = text.find(kLake);
  if (lake == std::string_view::npos || text.substr(0, lake).contains(' ')) return std::nullopt;
  return ScheduleMark{std::string(text.substr(0, lake)), std::string(text.substr(lake + kLake.size()))};
}

// A word of ExecStart=: specifiers and escapes are undone by systemd; `$` too, but for the program itself.
std::string UnitWord(std::string_view word, bool is_program) {
  std::string text = Replaced(Replaced(word, '\\', "\\\\"), '"', "\\\"");
  text = Replaced(text, '%', "%%");
  if (!is_program) text = Replaced(text, '$', "$$");
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,:=@%$").contains(c);
  });
  return plain ? text : fmt::format("\"{}\"", text);
}

std::string CronWord(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,:=@").contains(c);
  });
  return plain ? std::string(word) : fmt::format("'{}'", Replaced(word, '\'', "'\\''"));
}

}  // namespace

std::string UnitName(const ScheduledRun& run) {
  return fmt::format("lode-{}-{}", run.pipeline, Sha256Hex(run.lake).substr(0, kHashDigits));
}

std::vector<UnitFile> UnitsOf(const ScheduledRun& run) {
  const std::string name = UnitName(run);
  std::string command;
  for (size_t i = 0; i < run.words.size(); ++i) {
    command += (i == 0 ? "" : " ") + UnitWord(run.words[i], i == 0);
  }
  const std::string mark = fmt::format("{}{}\n", kUnitMark, MarkText(run));
  const std::string what = Replaced(fmt::format("lode run {} ({})", run.pipeline, run.lake), '%', "%%");
  const std::string user = run.user.empty() ? "" : fmt::format("User={}\n", run.user);
  return {{name + ".service", fmt::format("{}[Unit]\nDescription={}\n\n[Service]\nType=oneshot\n{}ExecStart={}\n", mark,
                                          what, user, command)},
          {name + ".timer", fmt::format("{}[Unit]\nDescription={}, {}\n\n[Timer]\nOnCalendar={}\nPersistent=true\n"
                                        "RandomizedDelaySec=0\n\n[Install]\nWantedBy=timers.target\n",
                                        mark, what, Format(run.at), SystemdCalendar(run.at))}};
}

std::optional<ScheduleMark> MarkOfUnit(std::string_view text) {
  if (!text.starts_with(kUnitMark)) return std::nullopt;
  text.remove_prefix(kUnitMark.size());
  return ParseMark(text.substr(0, text.find('\n')));
}

std::string CronLine(const ScheduledRun& run) {
  std::string command;
  for (const std::string& word : run.words) command += (command.empty() ? "" : " ") + CronWord(word);
  // cron ends the command at a bare `%`.
  command = Replaced(command + std::string(kCronMark) + MarkText(run), '%', "\\%");
  return fmt::format("{} {}", CronFields(run.at), command);
}

std::optional<ScheduleMark> MarkOfCronLine(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const size_t mark = line.find(kCronMark);
  if (line.starts_with('#') || mark == std::string_view::npos) return std::nullopt;
  std::string text(line.substr(mark + kCronMark.size()));
  for (size_t at = 0; (at = text.find("\\%", at)) != std::string::npos; ++at) text.erase(at, 1);
  return ParseMark(text);
}

std::vector<std::string_view> CronLines(std::string_view crontab) {
  std::vector<std::string_view> lines;
  while (!crontab.empty()) {
    const size_t end = std::min(crontab.find('\n'), crontab.size() - 1) + 1;
    lines.push_back(crontab.substr(0, end));
    crontab.remove_prefix(end);
  }
  return lines;
}

std::string WithCronLines(std::string_view crontab, const std::vector<ScheduledRun>& runs) {
  std::string text;
  std::vector<bool> placed(runs.size(), false);
  for (const std::string_view line : CronLines(crontab)) {
    const std::optional<ScheduleMark> mark = MarkOfCronLine(line);
    const auto own = std::ranges::find_if(
        runs, [&](const ScheduledRun& run) { return mark == ScheduleMark{run.pipeline, run.lake}; });
    if (own == runs.end()) {
      text += line;
      continue;
    }
    const auto index = static_cast<size_t>(own - runs.begin());
    if (!placed[index]) text += CronLine(*own) + "\n";
    placed[index] = true;
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    if (placed[i]) continue;
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    text += CronLine(runs[i]) + "\n";
  }
  return text;
}

std::string WithoutCronLines(std::string_view crontab, const std::vector<ScheduleMark>& marks) {
  std::string text;
  for (const std::string_view line : CronLines(crontab)) {
    const std::optional<ScheduleMark> mark = MarkOfCronLine(line);
    if (!mark || std::ranges::find(marks, *mark) == marks.end()) text += line;
  }
  return text;
}

std::string CronZoneLine(std::string_view crontab) {
  for (std::string_view line : CronLines(crontab)) {
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("CRON_TZ") && !line.starts_with("TZ")) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view zone = line.substr(equals + 1);
    const bool utc = zone.contains("UTC") && !zone.contains('+') && !zone.contains('-');
    if (!utc) return std::string(line);
  }
  return "";
}

}  // namespace lode::cli
