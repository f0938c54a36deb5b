#include "lode/cli/zone.h"

#include <date/tz.h>

#include <chrono>

#include "lode/base/time.h"

namespace lode::cli {

Status CheckZone(const std::string& zone) {
  try {
    date::locate_zone(zone);
    return Ok();
  } catch (const std::exception&) {
    return Fail(ErrorKind::kUsage, "--tz {}: no such time zone (write America/New_York or UTC)", zone);
  }
}

std::string InZone(const std::string& iso_utc, const std::string& zone) {
  if (zone.empty()) return iso_utc;
  Result<int64_t> ns = ParseIsoNs(iso_utc);
  if (!ns) return iso_utc;
  try {
    int64_t seconds = *ns / kNsPerSecond - (*ns % kNsPerSecond < 0 ? 1 : 0);
    auto local = date::make_zoned(zone, date::sys_seconds(std::chrono::seconds(seconds)));
    size_t point = iso_utc.find('.');
    std::string fraction = point == std::string::npos ? "" : iso_utc.substr(point, iso_utc.size() - point - 1);
    return date::format("%Y-%m-%d %H:%M:%S", local) + fraction + date::format(" %Z", local);
  } catch (const std::exception&) {
    return iso_utc;
  }
}

}  // namespace lode::cli
