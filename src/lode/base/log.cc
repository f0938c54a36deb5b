#include "lode/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace lode::log {
namespace {

struct Logger {
  std::shared_ptr<spdlog::sinks::stderr_sink_mt> console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::logger logger{"lode", console};
  std::mutex secrets_mutex;
  std::vector<std::string> secrets;

  Logger() {
    console->set_level(spdlog::level::info);
    console->set_pattern("%v");
    logger.set_level(spdlog::level::debug);
    logger.flush_on(spdlog::level::info);
  }
};

Logger& Get() {
  static Logger logger;
  return logger;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void SetStderrLevel(Level level) { Get().console->set_level(ToSpdlog(level)); }

void AttachFile(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    sink->set_level(spdlog::level::info);
    spdlog::pattern_time_type utc = spdlog::pattern_time_type::utc;
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", utc));
    Get().logger.sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& problem) {
    Warning("no log file for this run: {}", problem.what());
  }
}

void Write(Level level, std::string_view line) {
  std::string prefix = level == Level::kWarning ? "warning: " : level == Level::kError ? "error: " : "";
  Get().logger.log(ToSpdlog(level), "{}", prefix + Redact(line));
}

void RedactSecret(std::string secret) {
  if (secret.size() < 4) return;
  std::lock_guard lock(Get().secrets_mutex);
  Get().secrets.push_back(std::move(secret));
}

std::string Redact(std::string_view text) {
  std::string clean(text);
  std::lock_guard lock(Get().secrets_mutex);
  for (const std::string& secret : Get().secrets) {
    for (size_t at = clean.find(secret); at != std::string::npos; at = clean.find(secret, at)) {
      clean.replace(at, secret.size(), "***");
    }
  }
  return clean;
}

}  // namespace lode::log
