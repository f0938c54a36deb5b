#include "lode/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lode/cli/table.h"

namespace lode::cli {
namespace {

constexpr size_t kBarWidth = 20;

std::string Clock(double seconds) {
  int64_t whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

bool CanDrawProgress() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string ProgressLine(uint64_t bytes_done, uint64_t bytes_total, int64_t rows, double elapsed_s) {
  double share = bytes_total == 0 ? 0 : static_cast<double>(bytes_done) / static_cast<double>(bytes_total);
  share = std::clamp(share, 0.0, 1.0);
  size_t filled = static_cast<size_t>(share * kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  std::string line = fmt::format("[{}] {:3.0f} %  {} / {}", bar, share * 100, Bytes(bytes_done), Bytes(bytes_total));
  if (rows >= 0) line += fmt::format("  {} rows", Grouped(rows));
  if (elapsed_s > 0.2) {
    double rate = (rows >= 0 ? static_cast<double>(rows) : static_cast<double>(bytes_done)) / elapsed_s;
    line += rows >= 0 ? fmt::format("  {} rows/s", Grouped(static_cast<int64_t>(rate)))
                      : fmt::format("  {}/s", Bytes(static_cast<uint64_t>(rate)));
    if (share > 0.01) line += "  ETA " + Clock(elapsed_s / share - elapsed_s);
  }
  return line;
}

void ProgressBar::Start(uint64_t bytes_total) {
  bytes_total_ = bytes_total;
  started_ = last_drawn_ = Clock::now();
}

void ProgressBar::Update(uint64_t bytes_done, int64_t rows) {
  if (!enabled_) return;
  Clock::time_point now = Clock::now();
  if (now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  drawn_ = true;
  std::chrono::duration<double> elapsed = now - started_;
  fmt::print(stderr, "\r\x1b[K{}", ProgressLine(bytes_done, bytes_total_, rows, elapsed.count()));
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (!drawn_) return;
  drawn_ = false;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace lode::cli
