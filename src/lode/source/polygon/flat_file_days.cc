#include "lode/source/polygon/flat_file_days.h"

#include <fmt/format.h>

#include <algorithm>

#include "lode/source/polygon/flat_file.h"

namespace lode::source::polygon {

std::string FlatFileKey(std::string_view flat_file, Day day) {
  const YearMonthDay date = ToYearMonthDay(day);
  return fmt::format("{}/{:04}/{:02}/{}.csv.gz", flat_file, date.year, date.month, FormatDay(day));
}

std::vector<std::string> ListingPrefixes(std::string_view flat_file, Day first, Day last) {
  std::vector<std::string> prefixes;
  if (last < first) return prefixes;
  const YearMonthDay from = ToYearMonthDay(first), to = ToYearMonthDay(last);
  if (from.year == to.year && from.month == to.month) {
    prefixes.push_back(fmt::format("{}/{:04}/{:02}/", flat_file, from.year, from.month));
    return prefixes;
  }
  for (int year = from.year; year <= to.year; ++year) prefixes.push_back(fmt::format("{}/{:04}/", flat_file, year));
  return prefixes;
}

std::string_view BareEtag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return etag;
}

std::map<Day, FlatFileObject> ObjectsByDay(std::string_view flat_file, const std::vector<net::S3Object>& listing) {
  std::map<Day, FlatFileObject> objects;
  for (const net::S3Object& listed : listing) {
    const auto facts = ParseFlatFilePath(listed.key);
    if (!facts || !facts->first || listed.key != FlatFileKey(flat_file, *facts->first)) continue;
    FlatFileObject object{.key = listed.key, .size = listed.size, .etag = listed.etag, .version = {}, .modified = {}};
    object.version = BareEtag(listed.etag);
    if (object.version.empty()) object.version = fmt::format("{} {}", listed.last_modified, listed.size);
    if (const auto day = ParseDay(std::string_view(listed.last_modified).substr(0, 10))) object.modified = *day;
    objects[*facts->first] = std::move(object);
  }
  return objects;
}

std::vector<plan::VendorDay> DaysOfObjects(const std::map<Day, FlatFileObject>& objects,
                                           const std::function<bool(Day)>& is_session, Day first, Day last, Day today) {
  std::vector<plan::VendorDay> days;
  for (Day day = first; day <= last; day = day + 1) {
    using State = plan::VendorDay::State;
    if (const auto object = objects.find(day); object != objects.end()) {
      days.push_back({.day = day,
                      .state = State::kAvailable,
                      .modified = object->second.modified,
                      .version = object->second.version});
    } else if (is_session(day)) {
      const bool may_come = today <= day + kPublishedWithinDays;
      days.push_back({.day = day, .state = may_come ? State::kPending : State::kMissing, .modified = {}});
    }
  }
  return days;
}

}  // namespace lode::source::polygon
