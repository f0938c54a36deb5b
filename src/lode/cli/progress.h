// A progress bar on a terminal: bytes, rows, rows/s, time left. Elsewhere nothing is drawn.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lode::cli {

// Whether a bar may be drawn on stderr: a terminal that is not dumb.
bool CanDrawProgress();

// One line of the bar: "[=====>    ]  42 %  12.3 MiB / 29.0 MiB  1,234,567 rows  2,345,678 rows/s  ETA 0:07". Negative
// `rows`: not counted, the rate is in bytes.
std::string ProgressLine(uint64_t bytes_done, uint64_t bytes_total, int64_t rows, double elapsed_s);

class ProgressBar {
 public:
  explicit ProgressBar(bool enabled) : enabled_(enabled) {}
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Start(uint64_t bytes_total);
  // Draws at most ten times a second.
  void Update(uint64_t bytes_done, int64_t rows);
  // Removes the line, before anything else is printed.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool enabled_;
  bool drawn_ = false;
  uint64_t bytes_total_ = 0;
  Clock::time_point started_, last_drawn_;
};

}  // namespace lode::cli
