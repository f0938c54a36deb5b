#include "lode/cli/host_clock.h"

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "lode/base/time.h"

namespace lode::cli {

bool ClockIsUtc(const char* zone) {
  constexpr int kDays = 2 * 366;
  const char* before = std::getenv("TZ");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>(before);
  zone == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", zone, 1);
  ::tzset();
  bool utc = true;
  const Day first = ToDay({ToYearMonthDay(DayOf(NowNs())).year, 1, 1});
  for (int i = 0; i < kDays && utc; ++i) {
    const auto noon = static_cast<std::time_t>((first + i).start_ns() / kNsPerSecond + 12 * 3600);
    std::tm local{};
    utc = ::localtime_r(&noon, &local) != nullptr && local.tm_gmtoff == 0;
  }
  kept ? ::setenv("TZ", kept->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
  return utc;
}

}  // namespace lode::cli
