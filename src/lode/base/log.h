// Logging to stderr (and to a run's log file once a lake is open). The logger is lode's only global.
//
// Secrets registered with RedactSecret never reach a log line or an error text that went through Redact.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace lode::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Lines below `level` are dropped on stderr. The run log file always takes kInfo and above.
void SetStderrLevel(Level level);
// Adds `path` as a second destination (created, appended). Failure is reported once on stderr and ignored.
void AttachFile(const std::filesystem::path& path);
void Write(Level level, std::string_view line);

// From now on `secret` is replaced by "***" in every line. Secrets shorter than four characters are ignored.
void RedactSecret(std::string secret);
std::string Redact(std::string_view text);

template <typename... Args>
void Debug(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void Info(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void Warning(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void Failure(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lode::log
